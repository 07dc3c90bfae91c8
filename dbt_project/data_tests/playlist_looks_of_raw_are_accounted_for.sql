{{ config(meta={'dagster': {'ref': {'name': 'fct_playlist_followers'}}}) }}

-- Every raw look is the one of its day that counts, or another one of the same day.
with fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('playlist_files', 'playlist_observations') }}
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'playlist_observations') }}
    union all
    select
        'another look of its day' as fate,
        sum(look_count - 1) as row_count
    from (
        select count(*) as look_count
        from {{ ref('int_playlist_observations_unioned') }}
        group by playlist_id, observed_on
    ) as rows_by_day
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('fct_playlist_followers') }}

)

{{ unaccounted_rows('fates') }}
