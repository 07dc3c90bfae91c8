with artists as (

    select * from {{ ref('dim_artists') }}
    where is_in_msd and is_in_spotify

)

select
    msd_artist_id as msd_id,
    spotify_artist_id as spotify_id,
    name,
    location,
    longitude,
    latitude,
    tag_names as tags,
    spotify_url as url,
    follower_count as followers,
    spotify_popularity as popularity,
    genre_names as genres,
    terms_of_use,
    is_training_allowed
from artists
