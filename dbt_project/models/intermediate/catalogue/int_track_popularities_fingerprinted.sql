with spotify_tracks as (

    select * from {{ ref('stg_spotify__tracks') }}
    where spotify_popularity is not null

),

tracks as (

    select * from {{ ref('int_tracks_resolved') }}

)

select
    spotify_tracks.spotify_track_id,
    {{ hash_key([
        'spotify_tracks.spotify_track_id',
        'max(tracks.song_id)',
        fingerprint_of_rows([
            'spotify_tracks.observed_on',
            'case when spotify_tracks.is_full then 1 else 0 end',
            'spotify_tracks.spotify_popularity',
            'spotify_tracks.source_system',
            'spotify_tracks.terms_of_use',
            'case when ' ~ is_training_allowed('spotify_tracks.terms_of_use') ~ ' then 1 else 0 end',
            'spotify_tracks.observed_at',
        ]),
    ]) }} as content_key
from spotify_tracks
left join tracks
    on spotify_tracks.spotify_track_id = tracks.track_key
group by spotify_tracks.spotify_track_id
