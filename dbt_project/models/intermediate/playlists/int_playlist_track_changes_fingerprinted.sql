with changes as (

    select * from {{ ref('int_playlist_track_changes_combined') }}

),

tracks as (

    select * from {{ ref('int_tracks_resolved') }}

)

select
    changes.playlist_id,
    changes.seen_on,
    {{ hash_key([
        'changes.playlist_id',
        'changes.seen_on',
        fingerprint_of_rows([
            'changes.change_number',
            'tracks.song_id',
            'changes.spotify_track_id',
            'changes.track_uri',
            'changes.added_by_hash',
            'changes.from_snapshot_id',
            'changes.snapshot_id',
            'changes.change',
            'changes.item_type',
            'changes.from_position',
            'changes.to_position',
            'changes.source_system',
            'changes.terms_of_use',
            'case when ' ~ is_training_allowed('changes.terms_of_use') ~ ' then 1 else 0 end',
            'changes.last_seen_before_on',
            'changes.added_at',
        ]),
    ]) }} as content_key
from changes
left join tracks
    on changes.track_key = tracks.track_key
group by changes.playlist_id, changes.seen_on
