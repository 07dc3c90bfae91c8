with unavailable_fields as (

    select * from {{ ref('stg_spotify__unavailable_fields') }}

),

tracks as (

    select * from {{ ref('stg_spotify__tracks') }}

),

albums as (

    select * from {{ ref('stg_spotify__albums') }}

),

artists as (

    select * from {{ ref('stg_spotify__artists') }}

),

artist_genres as (

    select * from {{ ref('stg_spotify__artist_genres') }}

),

-- Each lake unit tells of its own objects only: what one was without, another may hold.
shown_fields as (

    select distinct
        'track' as object_type,
        'popularity' as field,
        observed_on
    from tracks
    where spotify_popularity is not null
    union all
    select distinct
        'track' as object_type,
        'available_markets' as field,
        observed_on
    from tracks
    where available_markets is not null
    union all
    select distinct
        'track' as object_type,
        'external_ids' as field,
        observed_on
    from tracks
    where isrc is not null or ean is not null or upc is not null
    union all
    select distinct
        'album' as object_type,
        'available_markets' as field,
        observed_on
    from albums
    where available_markets is not null
    union all
    select distinct
        'artist' as object_type,
        'popularity' as field,
        observed_on
    from artists
    where spotify_popularity is not null
    union all
    select distinct
        'artist' as object_type,
        'followers' as field,
        observed_on
    from artists
    where follower_count is not null
    union all
    select distinct
        'artist' as object_type,
        'genres' as field,
        observed_on
    from artist_genres

)

select
    unavailable_fields.object_type,
    unavailable_fields.field,
    count(*) as missing_day_count,
    min(unavailable_fields.observed_on) as first_missing_on,
    max(unavailable_fields.observed_on) as last_missing_on
from unavailable_fields
left join shown_fields
    on
        unavailable_fields.object_type = shown_fields.object_type
        and unavailable_fields.field = shown_fields.field
        and unavailable_fields.observed_on = shown_fields.observed_on
where shown_fields.observed_on is null
group by unavailable_fields.object_type, unavailable_fields.field
