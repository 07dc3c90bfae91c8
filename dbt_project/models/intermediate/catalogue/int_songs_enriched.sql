with songs as (

    select * from {{ ref('stg_msd__songs') }}

),

unique_tracks as (

    select * from {{ ref('stg_reference_files__unique_tracks') }}

),

database_songs as (

    select * from {{ ref('stg_reference_files__songs') }}

),

track_years as (

    select * from {{ ref('stg_reference_files__track_years') }}

),

genres as (

    select * from {{ ref('int_genres_preferred') }}

),

mismatches as (

    select * from {{ ref('int_mismatches_resolved') }}

),

duplicates as (

    select * from {{ ref('stg_reference_files__duplicates') }}

),

musixmatch_matches as (

    select * from {{ ref('stg_reference_files__musixmatch_matches') }}

),

song_plays as (

    select * from {{ ref('int_song_plays_summed') }}

),

loaded_kinds as (

    select * from {{ ref('int_reference_kinds_loaded') }}

),

-- One row, always: what was loaded as a whole.
loaded as (

    select
        coalesce(max(case when file_kind = 'sid_mismatches' then 1 end), 0) as has_mismatches,
        coalesce(max(case when file_kind = 'msd_duplicates' then 1 end), 0) as has_duplicates,
        coalesce(max(case when file_kind = 'train_triplets' then 1 end), 0) as has_plays
    from loaded_kinds
    where is_whole

),

-- Of a clique the first song that has a song file here stands for all: with a subset of the dataset
-- the file's own first one may be missing, and whoever leaves duplicates out would lose the song.
known_duplicates as (

    select
        duplicates.msd_track_id,
        first_value(duplicates.msd_track_id) over (
            partition by duplicates.lake_unit_id, duplicates.clique_line_number
            order by duplicates.line_number asc
            rows between unbounded preceding and unbounded following
        ) as first_msd_track_id
    from duplicates
    inner join songs
        on duplicates.msd_track_id = songs.msd_track_id

)

select
    songs.msd_track_id,
    coalesce(songs.msd_song_id, database_songs.msd_song_id, unique_tracks.msd_song_id) as msd_song_id,
    songs.msd_artist_id,
    case
        when known_duplicates.first_msd_track_id <> songs.msd_track_id
            then known_duplicates.first_msd_track_id
    end as duplicate_of_msd_track_id,
    coalesce(songs.track_7digital_id, database_songs.track_7digital_id) as track_7digital_id,
    songs.release_7digital_id,
    coalesce(songs.artist_mbid, database_songs.artist_mbid) as artist_mbid,
    musixmatch_matches.musixmatch_track_id,
    database_songs.shs_work_id,
    database_songs.shs_performance_id,
    coalesce(songs.title, database_songs.title, unique_tracks.title) as title,
    coalesce(songs.artist_name, database_songs.artist_name, unique_tracks.artist_name) as artist_name,
    coalesce(songs.release_name, database_songs.release_name) as release_name,
    coalesce(songs.genre, genres.genre) as genre,
    case when songs.genre is null then genres.minority_genre end as minority_genre,
    case when songs.genre is null then genres.genre_source else 'msd' end as genre_source,
    case
        when songs.release_year is not null then 'msd'
        when track_years.release_year is not null then 'tracks_per_year'
        when database_songs.release_year is not null then 'track_metadata'
    end as release_year_source,
    songs.source_system,
    songs.terms_of_use
    || case when songs.genre is null then coalesce(' | ' || genres.terms_of_use, '') else '' end
    || coalesce(' | ' || musixmatch_matches.terms_of_use, '')
    || coalesce(' | ' || song_plays.terms_of_use, '') as terms_of_use,
    coalesce(songs.release_year, track_years.release_year, database_songs.release_year) as release_year,
    coalesce(songs.duration_seconds, database_songs.duration_seconds) as duration_seconds,
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
    case when loaded.has_plays = 1 then coalesce(song_plays.play_count, 0) end as play_count,
    case when loaded.has_plays = 1 then coalesce(song_plays.listener_count, 0) end as listener_count,
    case
        when mismatches.msd_track_id is not null then true
        when loaded.has_mismatches = 1 then false
    end as is_mismatched,
    case
        when known_duplicates.msd_track_id is not null
            then known_duplicates.first_msd_track_id <> songs.msd_track_id
        when loaded.has_duplicates = 1 then false
    end as is_duplicate,
    songs.loaded_at,
    songs.extracted_at
from songs
cross join loaded
left join unique_tracks
    on songs.msd_track_id = unique_tracks.msd_track_id
left join database_songs
    on songs.msd_track_id = database_songs.msd_track_id
left join track_years
    on songs.msd_track_id = track_years.msd_track_id
left join genres
    on songs.msd_track_id = genres.msd_track_id
left join mismatches
    on
        songs.msd_track_id = mismatches.msd_track_id
        and songs.msd_song_id = mismatches.msd_song_id
left join known_duplicates
    on songs.msd_track_id = known_duplicates.msd_track_id
left join musixmatch_matches
    on songs.msd_track_id = musixmatch_matches.msd_track_id
left join song_plays
    on
        songs.msd_song_id = song_plays.msd_song_id
        and loaded.has_plays = 1
