with playlist_observations as (

    select * from {{ ref('int_playlist_observations_unioned') }}

),

-- The last look of a day says what there was, and the last one that told followers how many.
ranked_observations as (

    select
        *,
        row_number() over (
            partition by playlist_id, observed_on
            order by observed_at desc nulls last, extracted_at desc, seen_in desc
        ) as recency_rank,
        row_number() over (
            partition by playlist_id, observed_on
            order by
                case when follower_count is null then 1 else 0 end,
                observed_at desc nulls last,
                extracted_at desc,
                seen_in desc
        ) as follower_count_rank
    from playlist_observations

)

select
    looks.playlist_id,
    looks.observed_on,
    looks.snapshot_id,
    follower_counts.follower_count,
    looks.is_available,
    looks.source_system,
    looks.terms_of_use,
    {{ is_training_allowed('looks.terms_of_use') }} as is_training_allowed,
    looks.observed_at,
    looks.extracted_at
from ranked_observations as looks
inner join ranked_observations as follower_counts
    on
        looks.playlist_id = follower_counts.playlist_id
        and looks.observed_on = follower_counts.observed_on
        and follower_counts.follower_count_rank = 1
where looks.recency_rank = 1
