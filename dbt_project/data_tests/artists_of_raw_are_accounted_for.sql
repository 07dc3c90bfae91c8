{{ config(meta={'dagster': {'ref': {'name': 'dim_artists'}}}) }}

-- Every song that counts, and every raw artist, is the one that an artist is known by, or is not for a reason
-- that is counted for itself. Some artists are known by no more than their names on tracks and albums.
with raw_artists as (

    select
        artist_id,
        count(*) as artist_count
    from {{ source('spotify', 'artists') }}
    group by artist_id

),

credited_artists as (

    select
        credits.artist_id,
        credits.artist_key,
        raw_artists.artist_count,
        raw_artists.artist_id as raw_artist_id
    from {{ ref('int_artists_resolved') }} as credits
    full outer join raw_artists
        on credits.artist_key = raw_artists.artist_id

),

fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ ref('stg_msd__songs') }}
    union all
    select
        'without an artist' as fate,
        count(*) as row_count
    from {{ ref('stg_msd__songs') }}
    where msd_artist_id is null
    union all
    select
        'of another song too' as fate,
        count(msd_artist_id) - count(distinct msd_artist_id) as row_count
    from {{ ref('stg_msd__songs') }}
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'artists') }}
    union all
    select
        'told again' as fate,
        sum(artist_count - 1) as row_count
    from raw_artists
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from credited_artists
    where raw_artist_id is null
    union all
    select
        'credited nowhere' as fate,
        count(*) as row_count
    from credited_artists
    where artist_key is null
    union all
    select
        'an artist of the MSD' as fate,
        count(*) as row_count
    from credited_artists
    where artist_id <> artist_key
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('dim_artists') }}

)

{{ unaccounted_rows('fates') }}
