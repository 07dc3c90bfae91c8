with pairs as (

    select * from {{ ref('int_song_candidates_decided') }}

),

songs as (

    select * from {{ ref('int_songs_enriched') }}

),

tracks as (

    select * from {{ ref('int_tracks_deduplicated') }}

)

select
    pairs.msd_track_id,
    pairs.track_key,
    pairs.spotify_track_id,
    pairs.isrc,
    songs.title as song_title,
    songs.artist_name as song_artist_name,
    tracks.title as track_title,
    tracks.artist_name as track_artist_name,
    pairs.found_by,
    pairs.song_versions,
    pairs.track_versions,
    pairs.song_editions,
    pairs.track_editions,
    pairs.match_method,
    pairs.confidence_band,
    pairs.reject_reason,
    pairs.source_system,
    pairs.terms_of_use,
    pairs.title_similarity,
    pairs.full_title_similarity,
    pairs.artist_similarity,
    pairs.guest_similarity,
    pairs.release_similarity,
    pairs.duration_difference_seconds,
    pairs.year_difference,
    pairs.match_score,
    pairs.is_accepted,
    pairs.is_chosen,
    {{ is_training_allowed('pairs.terms_of_use') }} as is_training_allowed,
    pairs.loaded_at
from pairs
inner join songs
    on pairs.msd_track_id = songs.msd_track_id
inner join tracks
    on pairs.track_key = tracks.track_key
