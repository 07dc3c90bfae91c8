{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook="{{ remove_stale_sets(ref('int_playlists_fingerprinted')) }}",
) }}

with playlists as (

    select * from {{ ref('int_playlists_fingerprinted') }}
    {% if is_incremental() %}
        where {{ is_to_be_built('content_key') }}
    {% endif %}

),

playlist_tracks as (

    select * from {{ ref('int_playlist_tracks_identified') }}
    where is_in_current_state

),

tracks as (

    select * from {{ ref('int_tracks_resolved') }}

)

select
    playlist_tracks.playlist_id,
    playlist_tracks.position,
    playlist_tracks.snapshot_id,
    playlists.content_key,
    tracks.song_id,
    tracks.artist_id,
    playlist_tracks.spotify_track_id,
    playlist_tracks.added_by_hash,
    playlist_tracks.item_type,
    playlist_tracks.title,
    playlist_tracks.artist_name,
    playlist_tracks.release_name,
    coalesce(playlist_tracks.duration_seconds, tracks.duration_seconds) as duration_seconds,
    playlist_tracks.source_system,
    playlist_tracks.terms_of_use,
    {{ is_training_allowed('playlist_tracks.terms_of_use') }} as is_training_allowed,
    playlist_tracks.added_at,
    playlist_tracks.loaded_at,
    playlist_tracks.extracted_at
from playlist_tracks
inner join playlists
    on playlist_tracks.playlist_id = playlists.playlist_id
left join tracks
    on playlist_tracks.track_key = tracks.track_key
