{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook="{{ remove_stale_sets(ref('int_playlist_observations_fingerprinted')) }}",
) }}

with days as (

    select * from {{ ref('int_playlist_observations_fingerprinted') }}
    {% if is_incremental() %}
        where {{ is_to_be_built('content_key') }}
    {% endif %}

),

playlist_observations as (

    select * from {{ ref('int_playlist_observations_unioned') }}

),

-- The last look of a day says what there was, and the last one that told followers how many.
ranked_observations as (

    select
        playlist_observations.*,
        days.content_key,
        row_number() over (
            partition by playlist_observations.playlist_id, playlist_observations.observed_on
            order by
                playlist_observations.observed_at desc nulls last,
                playlist_observations.extracted_at desc,
                playlist_observations.seen_in desc
        ) as recency_rank,
        row_number() over (
            partition by playlist_observations.playlist_id, playlist_observations.observed_on
            order by
                case when playlist_observations.follower_count is null then 1 else 0 end,
                playlist_observations.observed_at desc nulls last,
                playlist_observations.extracted_at desc,
                playlist_observations.seen_in desc
        ) as follower_count_rank
    from playlist_observations
    inner join days
        on playlist_observations.observed_on = days.observed_on

)

select
    looks.playlist_id,
    looks.observed_on,
    looks.snapshot_id,
    looks.content_key,
    follower_counts.follower_count,
    looks.is_available,
    looks.source_system,
    looks.terms_of_use,
    {{ is_training_allowed('looks.terms_of_use') }} as is_training_allowed,
    looks.observed_at,
    looks.loaded_at,
    looks.extracted_at
from ranked_observations as looks
inner join ranked_observations as follower_counts
    on
        looks.playlist_id = follower_counts.playlist_id
        and looks.observed_on = follower_counts.observed_on
        and follower_counts.follower_count_rank = 1
where looks.recency_rank = 1
