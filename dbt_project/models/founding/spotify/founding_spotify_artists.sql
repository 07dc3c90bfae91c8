with artists as (

    select * from {{ ref('dim_artists') }}
    where is_in_spotify

)

select
    spotify_artist_id as id,
    spotify_name as name,
    spotify_url as url,
    follower_count as followers,
    spotify_popularity as popularity,
    genre_names as genres,
    terms_of_use,
    is_training_allowed
from artists
