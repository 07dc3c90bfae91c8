{{ config(meta={'dagster': {'ref': {'name': 'fct_artist_popularity'}}}) }}

-- Every raw row of an artist is in the fact, tells neither popularity nor followers, or stands beside a
-- fuller one of its day.
with fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'artists') }}
    union all
    select
        'neither popularity nor followers told' as fate,
        count(*) as row_count
    from {{ source('spotify', 'artists') }}
    where popularity is null and follower_count is null
    union all
    select
        'told again that day' as fate,
        sum(key_count - 1) as row_count
    from (
        select count(*) as key_count
        from {{ source('spotify', 'artists') }}
        where popularity is not null or follower_count is not null
        group by artist_id, observed_on
    ) as rows_by_day
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('fct_artist_popularity') }}

)

{{ unaccounted_rows('fates') }}
