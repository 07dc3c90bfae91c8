with source_playlist_tracks as (

    select * from {{ source('playlist_files', 'playlist_tracks') }}

),

cleaned as (

    select
        -- ids
        playlist_id,
        snapshot_id,
        position,
        {{ blank_to_null('track_uri') }} as track_uri,
        {{ spotify_id('track_uri', 'track') }} as spotify_track_id,
        {{ spotify_id('artist_uri', 'artist') }} as spotify_artist_id,
        {{ spotify_id('album_uri', 'album') }} as spotify_album_id,
        {{ blank_to_null('upper(isrc)') }} as isrc,
        added_by_hash,

        -- strings
        item_type,
        {{ blank_to_null('track_name') }} as title,
        {{ blank_to_null('artist_name') }} as artist_name,
        {{ blank_to_null('album_name') }} as release_name,
        {{ blank_to_null('all_artist_uris') }} as all_artist_uris,
        {{ blank_to_null('all_artist_names') }} as all_artist_names,
        nullif({{ blank_to_null('release_date') }}, '0000') as release_date,
        other_fields,

        -- numbers
        cast(nullif(duration_ms, 0) as double precision) / 1000 as duration_seconds,
        {{ release_year('release_date') }} as release_year,
        popularity as spotify_popularity,

        -- booleans
        is_explicit,

        -- timestamps
        -- Where Spotify lost the day it says 1970.
        nullif({{ utc_timestamp('added_at') }}, cast('1970-01-01' as timestamp)) as added_at,
        {{ load_moment('_dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('extracted_at') }} as extracted_at
    from source_playlist_tracks

)

select * from cleaned
