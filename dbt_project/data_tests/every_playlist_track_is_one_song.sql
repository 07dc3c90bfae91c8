{{ config(meta={'dagster': {'ref': {'name': 'dim_tracks'}}}) }}

-- A track is the same one song in every playlist that it is in, and in dim_tracks.
select
    items.spotify_track_id,
    items.song_id,
    tracks.song_id as song_id_of_track,
    count(*) as item_count
from {{ ref('fct_playlist_tracks') }} as items
left join {{ ref('dim_tracks') }} as tracks
    on items.spotify_track_id = tracks.spotify_track_id
where
    items.item_type = 'track'
    and items.spotify_track_id is not null
    and coalesce(items.song_id = tracks.song_id, false) = false
group by items.spotify_track_id, items.song_id, tracks.song_id
