{{ config(meta={'dagster': {'ref': {'name': 'dim_albums'}}}) }}

-- Every raw row that may name an album is the one that the album is known by, or is not for a reason that is
-- counted for itself.
with naming_rows as (

    select spotify_album_id
    from {{ ref('stg_playlist_files__playlist_tracks') }}
    union all
    select album_id as spotify_album_id
    from {{ source('spotify', 'tracks') }}
    union all
    select album_id as spotify_album_id
    from {{ source('spotify', 'albums') }}

),

counting_rows as (

    select spotify_album_id
    from {{ ref('int_tracks_resolved') }}
    where spotify_album_id is not null
    union
    select album_id as spotify_album_id
    from {{ source('spotify', 'albums') }}

),

fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('playlist_files', 'playlist_tracks') }}
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'tracks') }}
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'albums') }}
    union all
    select
        'without an album' as fate,
        count(*) as row_count
    from naming_rows
    where spotify_album_id is null
    union all
    select
        'told again' as fate,
        count(spotify_album_id) - count(distinct spotify_album_id) as row_count
    from naming_rows
    union all
    -- Of what several rows say of one track, one counts.
    select
        'of no track that counts' as fate,
        count(distinct naming_rows.spotify_album_id) as row_count
    from naming_rows
    left join counting_rows
        on naming_rows.spotify_album_id = counting_rows.spotify_album_id
    where counting_rows.spotify_album_id is null
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('dim_albums') }}

)

{{ unaccounted_rows('fates') }}
