with source_track_searches as (

    select * from {{ source('spotify', 'track_searches') }}

),

ranked_searches as (

    select
        *,
        row_number() over (partition by msd_track_id order by observed_on desc) as recency_rank
    from source_track_searches

)

select
    msd_track_id,
    query as search_query,
    outcome as search_outcome,
    source_system,
    terms_of_use,
    result_count,
    observed_on,
    {{ utc_timestamp('observed_at') }} as observed_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from ranked_searches
where recency_rank = 1
