with pairs as (

    select * from {{ ref('map_artists') }}
    where spotify_artist_id is not null

)

select
    msd_artist_id as msd_id,
    spotify_artist_id as spotify_id,
    terms_of_use,
    is_training_allowed
from pairs
