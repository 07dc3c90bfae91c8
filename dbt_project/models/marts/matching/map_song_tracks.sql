with pairs as (

    select * from {{ ref('int_song_candidates_decided') }}
    where is_accepted

)

select
    msd_track_id,
    track_key,
    spotify_track_id,
    match_method,
    confidence_band,
    source_system,
    terms_of_use,
    match_score,
    is_chosen as is_representative,
    {{ is_training_allowed('terms_of_use') }} as is_training_allowed,
    loaded_at
from pairs
