with source_runs as (

    select * from {{ source('matching', 'runs') }}

)

select
    run_id,
    matcher_version,
    song_count,
    track_count,
    candidate_count,
    skipped_pair_count,
    {{ utc_timestamp('started_at') }} as started_at,
    {{ utc_timestamp('ended_at') }} as ended_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_runs
