with source_song_candidates as (

    select * from {{ source('matching', 'song_candidates') }}

)

select
    msd_track_id,
    track_key,
    found_by,
    title_similarity,
    full_title_similarity,
    artist_similarity,
    guest_similarity,
    release_similarity,
    duration_difference_seconds,
    year_difference,
    song_versions,
    track_versions,
    song_editions,
    track_editions,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_song_candidates
