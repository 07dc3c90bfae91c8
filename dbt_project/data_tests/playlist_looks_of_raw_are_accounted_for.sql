{{ config(meta={'dagster': {'ref': {'name': 'fct_playlist_followers'}}}) }}

-- Every raw look is the one of its day that counts, or another one of the same day.
with raw_looks as (

    select
        (select count(*) from {{ source('playlist_files', 'playlist_observations') }})
        + (select count(*) from {{ source('spotify', 'playlist_observations') }}) as raw_count

),

looked_at_again as (

    select coalesce(sum(look_count - 1), 0) as same_day_count
    from (
        select
            playlist_id,
            observed_on,
            count(*) as look_count
        from {{ ref('int_playlist_observations_unioned') }}
        group by playlist_id, observed_on
    ) as rows_by_day

),

mart_looks as (

    select count(*) as mart_count from {{ ref('fct_playlist_followers') }}

)

select
    raw_looks.raw_count,
    looked_at_again.same_day_count,
    mart_looks.mart_count
from raw_looks
cross join looked_at_again
cross join mart_looks
where
    raw_looks.raw_count
    <> looked_at_again.same_day_count
    + mart_looks.mart_count
