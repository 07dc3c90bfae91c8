{{ config(meta={'dagster': {'ref': {'name': 'fct_song_popularity'}}}) }}

-- Every raw row of a track is in the fact, tells no popularity, or stands beside a fuller one of its day.
with fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'tracks') }}
    union all
    select
        'no popularity told' as fate,
        count(*) as row_count
    from {{ source('spotify', 'tracks') }}
    where popularity is null
    union all
    select
        'told again that day' as fate,
        sum(key_count - 1) as row_count
    from (
        select count(*) as key_count
        from {{ source('spotify', 'tracks') }}
        where popularity is not null
        group by track_id, observed_on
    ) as rows_by_day
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('fct_song_popularity') }}

)

{{ unaccounted_rows('fates') }}
