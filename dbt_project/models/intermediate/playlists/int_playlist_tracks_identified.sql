{{ config(materialized='view') }}

with playlist_tracks as (

    select * from {{ ref('int_playlist_tracks_unioned') }}

),

playlists as (

    select * from {{ ref('int_playlist_states_unioned') }}

),

current_playlists as (

    select * from {{ ref('int_playlists_deduplicated') }}

)

select
    playlist_tracks.playlist_id,
    playlist_tracks.snapshot_id,
    playlist_tracks.position,
    -- Spotify's id where there is one; a local file or an item without a uri is known by
    -- its words, and by nothing if it has none. Episodes and unavailable items are no tracks.
    case
        when playlist_tracks.item_type not in ('track', 'local') then null
        when playlist_tracks.spotify_track_id is not null then playlist_tracks.spotify_track_id
        when playlist_tracks.track_uri is not null then {{ hash_key(['playlist_tracks.track_uri']) }}
        when playlist_tracks.title is not null
            then {{ hash_key([
                normalise_text('playlist_tracks.title'),
                normalise_text('playlist_tracks.artist_name'),
                normalise_text('playlist_tracks.release_name'),
            ]) }}
    end as track_key,
    playlist_tracks.track_uri,
    playlist_tracks.spotify_track_id,
    playlist_tracks.spotify_artist_id,
    playlist_tracks.spotify_album_id,
    playlist_tracks.isrc,
    playlist_tracks.added_by_hash,
    playlist_tracks.item_type,
    playlist_tracks.title,
    playlist_tracks.artist_name,
    playlist_tracks.release_name,
    playlists.source_system,
    playlists.terms_of_use,
    playlist_tracks.duration_seconds,
    playlist_tracks.release_year,
    playlist_tracks.is_explicit,
    current_playlists.playlist_id is not null as is_in_current_state,
    playlist_tracks.added_at,
    playlist_tracks.loaded_at,
    playlist_tracks.extracted_at
from playlist_tracks
left join playlists
    on
        playlist_tracks.playlist_id = playlists.playlist_id
        and playlist_tracks.snapshot_id = playlists.snapshot_id
left join current_playlists
    on
        playlist_tracks.playlist_id = current_playlists.playlist_id
        and playlist_tracks.snapshot_id = current_playlists.snapshot_id
