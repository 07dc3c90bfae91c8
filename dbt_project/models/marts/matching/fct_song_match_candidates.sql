with pairs as (

    select * from {{ ref('int_song_candidates_decided') }}

)

select
    msd_track_id,
    track_key,
    spotify_track_id,
    isrc,
    song_title,
    song_artist_name,
    track_title,
    track_artist_name,
    found_by,
    song_versions,
    track_versions,
    song_editions,
    track_editions,
    match_method,
    confidence_band,
    reject_reason,
    source_system,
    terms_of_use,
    title_similarity,
    full_title_similarity,
    artist_similarity,
    guest_similarity,
    release_similarity,
    duration_difference_seconds,
    year_difference,
    match_score,
    is_accepted,
    is_chosen,
    {{ is_training_allowed('terms_of_use') }} as is_training_allowed
from pairs
