{{ config(meta={'dagster': {'ref': {'name': 'bridge_artist_genres'}}}) }}

-- Every raw genre is in the bridge, or is not for a reason that is counted for itself.
with named_genres as (

    select
        spotify_artist_id,
        observed_on,
        {{ blank_to_null('genre') }} as genre
    from {{ ref('stg_spotify__artist_genres') }}

),

last_days as (

    select
        spotify_artist_id,
        max(observed_on) as observed_on
    from named_genres
    where genre is not null
    group by spotify_artist_id

),

genres as (

    select
        artists.artist_id,
        named_genres.genre,
        case
            when named_genres.genre is null then 'without a name'
            when named_genres.observed_on < last_days.observed_on then 'of an earlier day'
            when artists.artist_id is null then 'of an artist who is credited nowhere'
        end as reason
    from named_genres
    left join last_days
        on named_genres.spotify_artist_id = last_days.spotify_artist_id
    left join {{ ref('int_artists_resolved') }} as artists
        on named_genres.spotify_artist_id = artists.artist_key

),

fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'artist_genres') }}
    union all
    {{ superseded_rows(
        source('spotify', 'artist_genres'),
        '(select * from ' ~ source('spotify', 'artists') ~ ' where is_full)',
        ['artist_id', 'observed_on'],
    ) }}
    union all
    select
        reason as fate,
        count(*) as row_count
    from genres
    where reason is not null
    group by reason
    union all
    select
        'told again' as fate,
        sum(genre_count - 1) as row_count
    from (
        select count(*) as genre_count
        from genres
        where reason is null
        group by artist_id, genre
    ) as rows_by_genre
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('bridge_artist_genres') }}

)

{{ unaccounted_rows('fates') }}
