{{ config(materialized='view') }}

with file_items as (

    select * from {{ ref('stg_playlist_files__playlist_tracks') }}

),

api_items as (

    select * from {{ ref('stg_spotify__playlist_tracks') }}

),

api_tracks as (

    select * from {{ ref('int_spotify_tracks_deduplicated') }}

)

select
    playlist_id,
    snapshot_id,
    position,
    track_uri,
    spotify_track_id,
    spotify_artist_id,
    spotify_album_id,
    isrc,
    added_by_hash,
    item_type,
    title,
    artist_name,
    release_name,
    duration_seconds,
    release_year,
    is_explicit,
    added_at,
    loaded_at,
    extracted_at
from file_items
union all
-- What a track's own object says is fuller and newer than what its items repeat.
select
    api_items.playlist_id,
    api_items.snapshot_id,
    api_items.position,
    api_items.track_uri,
    api_items.spotify_track_id,
    api_tracks.spotify_artist_id,
    api_tracks.spotify_album_id,
    api_tracks.isrc,
    api_items.added_by_hash,
    api_items.item_type,
    coalesce(api_tracks.title, api_items.title) as title,
    coalesce(api_tracks.artist_name, api_items.artist_name) as artist_name,
    coalesce(api_tracks.release_name, api_items.release_name) as release_name,
    coalesce(api_tracks.duration_seconds, api_items.duration_seconds) as duration_seconds,
    api_tracks.release_year,
    api_tracks.is_explicit,
    api_items.added_at,
    api_items.loaded_at,
    api_items.extracted_at
from api_items
left join api_tracks
    on api_items.spotify_track_id = api_tracks.spotify_track_id
