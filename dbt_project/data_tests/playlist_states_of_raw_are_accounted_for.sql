{{ config(meta={'dagster': {'ref': {'name': 'dim_playlists'}}}) }}

-- Every raw state is the one of its playlist that counts, or one of the others that it is known by.
with fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('playlist_files', 'playlists') }}
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'playlists') }}
    union all
    select
        'another state of its playlist' as fate,
        sum(state_count - 1) as row_count
    from {{ ref('dim_playlists') }}
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('dim_playlists') }}

)

{{ unaccounted_rows('fates') }}
