{{ config(meta={'dagster': {'ref': {'name': 'map_artists'}}}) }}

-- Every raw candidate is accepted, in the map, or rejected for a reason.
with fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('matching', 'artist_candidates') }}
    union all
    select
        reject_reason as fate,
        count(*) as row_count
    from {{ ref('int_artist_candidates_decided') }}
    where reject_reason is not null
    group by reject_reason
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('map_artists') }}

)

{{ unaccounted_rows('fates') }}
