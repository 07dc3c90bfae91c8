with playlist_tracks as (

    select * from {{ ref('int_playlist_tracks_identified') }}
    where is_in_current_state

),

tracks as (

    select * from {{ ref('int_tracks_resolved') }}

)

select
    playlist_tracks.playlist_id,
    {{ hash_key([
        'playlist_tracks.playlist_id',
        fingerprint_of_rows([
            'playlist_tracks.position',
            'playlist_tracks.snapshot_id',
            'tracks.song_id',
            'tracks.artist_id',
            'playlist_tracks.spotify_track_id',
            'playlist_tracks.added_by_hash',
            'playlist_tracks.item_type',
            'playlist_tracks.title',
            'playlist_tracks.artist_name',
            'playlist_tracks.release_name',
            'playlist_tracks.duration_seconds',
            'tracks.duration_seconds',
            'playlist_tracks.source_system',
            'playlist_tracks.terms_of_use',
            'case when ' ~ is_training_allowed('playlist_tracks.terms_of_use') ~ ' then 1 else 0 end',
            'playlist_tracks.added_at',
        ]),
    ]) }} as content_key
from playlist_tracks
left join tracks
    on playlist_tracks.track_key = tracks.track_key
group by playlist_tracks.playlist_id
