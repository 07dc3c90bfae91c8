{{ config(meta={'dagster': {'ref': {'name': 'fct_song_popularity'}}}) }}

-- Every raw row of a track is in the fact, tells no popularity, or stands beside a fuller one of its day.
with raw_tracks as (

    select
        count(*) as raw_count,
        coalesce(sum(case when popularity is null then 1 else 0 end), 0) as not_told_count
    from {{ source('spotify', 'tracks') }}

),

told_again as (

    select coalesce(sum(row_count - 1), 0) as same_day_count
    from (
        select
            track_id,
            observed_on,
            count(*) as row_count
        from {{ source('spotify', 'tracks') }}
        where popularity is not null
        group by track_id, observed_on
    ) as rows_by_day

),

mart_tracks as (

    select count(*) as mart_count from {{ ref('fct_song_popularity') }}

)

select
    raw_tracks.raw_count,
    raw_tracks.not_told_count,
    told_again.same_day_count,
    mart_tracks.mart_count
from raw_tracks
cross join told_again
cross join mart_tracks
where
    raw_tracks.raw_count
    <> raw_tracks.not_told_count
    + told_again.same_day_count
    + mart_tracks.mart_count
