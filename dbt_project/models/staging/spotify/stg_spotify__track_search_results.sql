with source_track_search_results as (

    select * from {{ source('spotify', 'track_search_results') }}

),

source_track_searches as (

    select * from {{ source('spotify', 'track_searches') }}

),

-- Only what the last search for a song found counts.
ranked_searches as (

    select
        *,
        row_number() over (partition by msd_track_id order by observed_on desc) as recency_rank
    from source_track_searches

),

-- A song searched for twice in a day may have fewer results the second time; raw merges and keeps the
-- surplus. What came with the same lake unit as the search itself is what it found. A track that is listed
-- twice counts where it is listed first.
ranked_results as (

    select
        source_track_search_results.msd_track_id,
        source_track_search_results.track_id,
        source_track_search_results.position,
        ranked_searches.source_system,
        ranked_searches.terms_of_use,
        ranked_searches.observed_on,
        ranked_searches.observed_at,
        source_track_search_results._dlt_load_id,
        source_track_search_results.extracted_at,
        row_number() over (
            partition by
                source_track_search_results.msd_track_id,
                source_track_search_results.track_id
            order by source_track_search_results.position
        ) as listing_rank
    from source_track_search_results
    inner join ranked_searches
        on
            source_track_search_results.msd_track_id = ranked_searches.msd_track_id
            and source_track_search_results.observed_on = ranked_searches.observed_on
            and source_track_search_results.lake_unit_id = ranked_searches.lake_unit_id
    where ranked_searches.recency_rank = 1

)

select
    msd_track_id,
    track_id as spotify_track_id,
    source_system,
    terms_of_use,
    position + 1 as search_rank,
    observed_on,
    {{ utc_timestamp('observed_at') }} as observed_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from ranked_results
where listing_rank = 1
