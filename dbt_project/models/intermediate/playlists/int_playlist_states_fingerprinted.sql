with playlist_tracks as (

    select * from {{ ref('int_playlist_tracks_unioned') }}

),

playlist_states as (

    select * from {{ ref('int_playlist_states_unioned') }}

),

-- One state alone is compared with nothing.
compared_playlists as (

    select playlist_id
    from playlist_states
    group by playlist_id
    having count(*) > 1

)

select
    playlist_tracks.playlist_id,
    playlist_tracks.snapshot_id,
    {{ hash_key([
        'playlist_tracks.playlist_id',
        'playlist_tracks.snapshot_id',
        fingerprint_of_rows([
            'playlist_tracks.position',
            'playlist_tracks.track_uri',
            'playlist_tracks.spotify_track_id',
            'playlist_tracks.added_by_hash',
            'playlist_tracks.item_type',
            "case when playlist_tracks.track_uri is null then playlist_tracks.title end",
            "case when playlist_tracks.track_uri is null then playlist_tracks.artist_name end",
            "case when playlist_tracks.track_uri is null then playlist_tracks.release_name end",
            'playlist_tracks.added_at',
        ]),
    ]) }} as content_key
from playlist_tracks
inner join compared_playlists
    on playlist_tracks.playlist_id = compared_playlists.playlist_id
group by playlist_tracks.playlist_id, playlist_tracks.snapshot_id
