with msd_songs as (

    select * from {{ ref('int_songs_enriched') }}

),

tracks as (

    select * from {{ ref('int_tracks_resolved') }}

),

-- Of duplicates in the MSD each has its track, though the track itself is but one song.
chosen_pairs as (

    select * from {{ ref('int_song_candidates_decided') }}
    where is_chosen

),

track_counts as (

    select
        song_id,
        count(*) as track_count
    from tracks
    where is_in_playlist
    group by song_id

),

songs_of_msd as (

    select
        msd_songs.msd_track_id as song_id,
        msd_songs.msd_track_id,
        msd_songs.msd_song_id,
        tracks.spotify_track_id,
        tracks.spotify_album_id,
        tracks.isrc,
        msd_songs.msd_artist_id as artist_id,
        msd_songs.track_7digital_id,
        msd_songs.release_7digital_id,
        msd_songs.duplicate_of_msd_track_id,
        msd_songs.musixmatch_track_id,
        msd_songs.shs_work_id,
        msd_songs.shs_performance_id,
        msd_songs.title,
        msd_songs.artist_name,
        msd_songs.release_name,
        msd_songs.genre,
        msd_songs.minority_genre,
        msd_songs.genre_source,
        msd_songs.release_year,
        msd_songs.duration_seconds,
        msd_songs.tempo_bpm,
        msd_songs.loudness_db,
        msd_songs.key,
        msd_songs.key_confidence,
        msd_songs.mode,
        msd_songs.mode_confidence,
        msd_songs.time_signature,
        msd_songs.time_signature_confidence,
        msd_songs.fade_in_end_seconds,
        msd_songs.fade_out_start_seconds,
        msd_songs.danceability,
        msd_songs.energy,
        msd_songs.song_hotttnesss,
        msd_songs.play_count,
        msd_songs.listener_count,
        tracks.is_explicit,
        msd_songs.is_mismatched,
        msd_songs.is_duplicate,
        true as is_in_msd,
        chosen_pairs.match_method,
        msd_songs.source_system,
        case
            when tracks.terms_of_use <> msd_songs.terms_of_use
                then msd_songs.terms_of_use || ' | ' || tracks.terms_of_use
            else coalesce(msd_songs.terms_of_use, tracks.terms_of_use)
        end as terms_of_use,
        msd_songs.extracted_at
    from msd_songs
    left join chosen_pairs
        on msd_songs.msd_track_id = chosen_pairs.msd_track_id
    left join tracks
        on chosen_pairs.track_key = tracks.track_key

),

songs_of_tracks as (

    select
        song_id,
        cast(null as varchar(32)) as msd_track_id,
        cast(null as varchar(32)) as msd_song_id,
        spotify_track_id,
        spotify_album_id,
        isrc,
        artist_id,
        cast(null as integer) as track_7digital_id,
        cast(null as integer) as release_7digital_id,
        cast(null as varchar(32)) as duplicate_of_msd_track_id,
        cast(null as bigint) as musixmatch_track_id,
        cast(null as bigint) as shs_work_id,
        cast(null as bigint) as shs_performance_id,
        title,
        artist_name,
        release_name,
        cast(null as varchar(1024)) as genre,
        cast(null as varchar(1024)) as minority_genre,
        cast(null as varchar(32)) as genre_source,
        release_year,
        duration_seconds,
        cast(null as double precision) as tempo_bpm,
        cast(null as double precision) as loudness_db,
        cast(null as integer) as key,
        cast(null as double precision) as key_confidence,
        cast(null as integer) as mode,
        cast(null as double precision) as mode_confidence,
        cast(null as integer) as time_signature,
        cast(null as double precision) as time_signature_confidence,
        cast(null as double precision) as fade_in_end_seconds,
        cast(null as double precision) as fade_out_start_seconds,
        cast(null as double precision) as danceability,
        cast(null as double precision) as energy,
        cast(null as double precision) as song_hotttnesss,
        cast(null as bigint) as play_count,
        cast(null as bigint) as listener_count,
        is_explicit,
        cast(null as boolean) as is_mismatched,
        cast(null as boolean) as is_duplicate,
        false as is_in_msd,
        match_method,
        source_system,
        terms_of_use,
        extracted_at
    from tracks
    where msd_track_id is null and song_id is not null

),

songs as (

    select * from songs_of_msd
    union all
    select * from songs_of_tracks

)

select
    songs.song_id,
    songs.msd_track_id,
    songs.msd_song_id,
    songs.spotify_track_id,
    songs.spotify_album_id,
    songs.isrc,
    songs.artist_id,
    songs.track_7digital_id,
    songs.release_7digital_id,
    songs.duplicate_of_msd_track_id,
    songs.musixmatch_track_id,
    songs.shs_work_id,
    songs.shs_performance_id,
    songs.title,
    songs.artist_name,
    songs.release_name,
    songs.genre,
    songs.minority_genre,
    songs.genre_source,
    songs.release_year,
    songs.duration_seconds,
    songs.tempo_bpm,
    songs.loudness_db,
    songs.key,
    songs.key_confidence,
    songs.mode,
    songs.mode_confidence,
    songs.time_signature,
    songs.time_signature_confidence,
    songs.fade_in_end_seconds,
    songs.fade_out_start_seconds,
    songs.danceability,
    songs.energy,
    songs.song_hotttnesss,
    songs.play_count,
    songs.listener_count,
    coalesce(track_counts.track_count, 0) as track_count,
    songs.is_explicit,
    songs.is_mismatched,
    songs.is_duplicate,
    songs.is_in_msd,
    songs.spotify_track_id is not null as is_in_spotify,
    songs.match_method,
    songs.source_system,
    songs.terms_of_use,
    {{ is_training_allowed('songs.terms_of_use') }} as is_training_allowed,
    songs.extracted_at
from songs
left join track_counts
    on songs.song_id = track_counts.song_id
