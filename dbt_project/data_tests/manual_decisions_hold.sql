{{ config(meta={'dagster': {'ref': {'name': 'map_song_tracks'}}}) }}

-- Every accept of a song and a track that are here is in the map, and no reject is.
select
    decisions.msd_track_id,
    decisions.track_key,
    decisions.decision
from {{ ref('manual_match_decisions') }} as decisions
inner join {{ ref('stg_msd__songs') }} as songs
    on decisions.msd_track_id = songs.msd_track_id
inner join {{ ref('int_tracks_deduplicated') }} as tracks
    on decisions.track_key = tracks.track_key
left join {{ ref('map_song_tracks') }} as mapped
    on
        decisions.msd_track_id = mapped.msd_track_id
        and decisions.track_key = mapped.track_key
where
    (decisions.decision = 'accept' and coalesce(mapped.match_method, '') <> 'manual')
    or (decisions.decision = 'reject' and mapped.track_key is not null)
