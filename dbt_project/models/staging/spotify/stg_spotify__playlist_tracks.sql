with source_playlist_tracks as (

    select * from {{ source('spotify', 'playlist_tracks') }}

),

source_playlists as (

    select * from {{ source('spotify', 'playlists') }}

),

-- A state read again may hold fewer rows than before; raw merges and keeps the surplus.
-- What came with the same lake unit as the state itself is what the answer held.
current_rows as (

    select
        source_playlist_tracks.playlist_id,
        source_playlist_tracks.snapshot_id,
        source_playlist_tracks.position,
        {{ blank_to_null('source_playlist_tracks.track_uri') }} as track_uri,
        source_playlist_tracks.track_id as spotify_track_id,
        source_playlist_tracks.added_by_hash,
        source_playlist_tracks.item_type,
        {{ blank_to_null('source_playlist_tracks.track_name') }} as title,
        {{ blank_to_null('source_playlist_tracks.artist_name') }} as artist_name,
        {{ blank_to_null('source_playlist_tracks.album_name') }} as release_name,
        cast(nullif(source_playlist_tracks.duration_ms, 0) as double precision) / 1000 as duration_seconds,
        -- Where Spotify lost the day it says 1970.
        nullif(
            {{ utc_timestamp('source_playlist_tracks.added_at') }},
            cast('1970-01-01' as timestamp)
        ) as added_at,
        {{ load_moment('source_playlist_tracks._dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('source_playlist_tracks.extracted_at') }} as extracted_at
    from source_playlist_tracks
    inner join source_playlists
        on
            source_playlist_tracks.playlist_id = source_playlists.playlist_id
            and source_playlist_tracks.snapshot_id = source_playlists.snapshot_id
            and source_playlist_tracks.lake_unit_id = source_playlists.lake_unit_id

)

select * from current_rows
