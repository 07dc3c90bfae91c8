with msd_songs as (

    select * from {{ ref('int_songs_enriched') }}

),

tracks as (

    select * from {{ ref('int_tracks_resolved') }}
    where song_id is not null

),

-- Of duplicates in the MSD each has its track, though the track itself is but one song.
chosen_pairs as (

    select * from {{ ref('int_song_candidates_decided') }}
    where is_chosen

),

api_tracks as (

    select * from {{ ref('int_spotify_tracks_deduplicated') }}
    where spotify_popularity is not null

),

-- A recording is as old as the oldest album that it is on, if not older.
song_tracks as (

    select
        song_id,
        sum(case when is_in_playlist then 1 else 0 end) as track_count,
        min(release_year) as album_year,
        max(case when release_year is not null then terms_of_use end) as album_terms_of_use
    from tracks
    group by song_id

),

ranked_popularities as (

    select
        tracks.song_id,
        api_tracks.spotify_popularity,
        api_tracks.popularity_observed_on,
        api_tracks.terms_of_use,
        row_number() over (
            partition by tracks.song_id
            order by
                api_tracks.spotify_popularity desc,
                api_tracks.popularity_observed_on desc
        ) as popularity_rank
    from tracks
    inner join api_tracks
        on tracks.spotify_track_id = api_tracks.spotify_track_id

),

-- Spotify rates tracks: a song is as popular as the most popular of its own.
song_popularities as (

    select * from ranked_popularities
    where popularity_rank = 1

),

described_tracks as (

    select
        tracks.*,
        song_popularities.spotify_popularity,
        song_popularities.popularity_observed_on,
        {{ terms_of_both('tracks.terms_of_use', 'song_popularities.terms_of_use') }} as all_terms_of_use
    from tracks
    left join song_popularities
        on tracks.song_id = song_popularities.song_id

),

songs_of_msd as (

    select
        msd_songs.msd_track_id as song_id,
        msd_songs.msd_track_id,
        msd_songs.msd_song_id,
        described_tracks.spotify_track_id,
        described_tracks.spotify_album_id,
        described_tracks.isrc,
        msd_songs.msd_artist_id as artist_id,
        msd_songs.artist_mbid,
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
        coalesce(
            msd_songs.release_year, song_tracks.album_year, described_tracks.release_year
        ) as release_year,
        case
            when msd_songs.release_year is not null then msd_songs.release_year_source
            when coalesce(song_tracks.album_year, described_tracks.release_year) is not null
                then 'spotify_album'
        end as release_year_source,
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
        described_tracks.spotify_popularity,
        cast(coalesce(song_tracks.track_count, 0) as bigint) as track_count,
        described_tracks.is_explicit,
        msd_songs.is_mismatched,
        msd_songs.is_duplicate,
        true as is_in_msd,
        chosen_pairs.match_method,
        msd_songs.source_system,
        {{ terms_of_both(
            terms_of_both('msd_songs.terms_of_use', 'described_tracks.all_terms_of_use'),
            'case when msd_songs.release_year is null then song_tracks.album_terms_of_use end'
        ) }} as terms_of_use,
        described_tracks.popularity_observed_on,
        msd_songs.loaded_at,
        msd_songs.extracted_at
    from msd_songs
    left join chosen_pairs
        on msd_songs.msd_track_id = chosen_pairs.msd_track_id
    left join described_tracks
        on chosen_pairs.track_key = described_tracks.track_key
    left join song_tracks
        on msd_songs.msd_track_id = song_tracks.song_id

),

songs_of_tracks as (

    select
        described_tracks.song_id,
        cast(null as varchar(32)) as msd_track_id,
        cast(null as varchar(32)) as msd_song_id,
        described_tracks.spotify_track_id,
        described_tracks.spotify_album_id,
        described_tracks.isrc,
        described_tracks.artist_id,
        cast(null as varchar(64)) as artist_mbid,
        cast(null as integer) as track_7digital_id,
        cast(null as integer) as release_7digital_id,
        cast(null as varchar(32)) as duplicate_of_msd_track_id,
        cast(null as bigint) as musixmatch_track_id,
        cast(null as bigint) as shs_work_id,
        cast(null as bigint) as shs_performance_id,
        described_tracks.title,
        described_tracks.artist_name,
        described_tracks.release_name,
        cast(null as varchar(1024)) as genre,
        cast(null as varchar(1024)) as minority_genre,
        cast(null as varchar(32)) as genre_source,
        described_tracks.release_year,
        case when described_tracks.release_year is not null then 'spotify_album' end as release_year_source,
        described_tracks.duration_seconds,
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
        described_tracks.spotify_popularity,
        cast(song_tracks.track_count as bigint) as track_count,
        described_tracks.is_explicit,
        cast(null as boolean) as is_mismatched,
        cast(null as boolean) as is_duplicate,
        false as is_in_msd,
        described_tracks.match_method,
        described_tracks.source_system,
        described_tracks.all_terms_of_use as terms_of_use,
        described_tracks.popularity_observed_on,
        described_tracks.loaded_at,
        described_tracks.extracted_at
    from described_tracks
    inner join song_tracks
        on described_tracks.song_id = song_tracks.song_id
    where described_tracks.msd_track_id is null

),

songs as (

    select * from songs_of_msd
    union all
    select * from songs_of_tracks

)

select
    song_id,
    msd_track_id,
    msd_song_id,
    spotify_track_id,
    spotify_album_id,
    isrc,
    artist_id,
    artist_mbid,
    track_7digital_id,
    release_7digital_id,
    duplicate_of_msd_track_id,
    musixmatch_track_id,
    shs_work_id,
    shs_performance_id,
    title,
    artist_name,
    release_name,
    genre,
    minority_genre,
    genre_source,
    {{ spotify_url('track', 'spotify_track_id') }} as spotify_url,
    release_year,
    release_year_source,
    duration_seconds,
    tempo_bpm,
    loudness_db,
    key,
    key_confidence,
    mode,
    mode_confidence,
    time_signature,
    time_signature_confidence,
    fade_in_end_seconds,
    fade_out_start_seconds,
    danceability,
    energy,
    song_hotttnesss,
    play_count,
    listener_count,
    spotify_popularity,
    track_count,
    is_explicit,
    is_mismatched,
    is_duplicate,
    is_in_msd,
    spotify_track_id is not null as is_in_spotify,
    match_method,
    source_system,
    terms_of_use,
    {{ is_training_allowed('terms_of_use') }} as is_training_allowed,
    popularity_observed_on,
    loaded_at,
    extracted_at
from songs
