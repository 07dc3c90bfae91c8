with artists as (

    select * from {{ ref('dim_artists') }}
    where is_in_msd and is_in_spotify

)

select
    msd_artist_id as msd_id,
    spotify_artist_id as spotify_id,
    terms_of_use,
    is_training_allowed
from artists
