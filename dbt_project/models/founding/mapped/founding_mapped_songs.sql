with pairs as (

    select * from {{ ref('map_song_tracks') }}
    where spotify_track_id is not null

)

select
    msd_track_id as msd_id,
    spotify_track_id as spotify_id,
    is_representative,
    terms_of_use,
    is_training_allowed
from pairs
