with current_songs as (

    {{ current_msd_songs() }}

),

-- A summary file repeats songs without their arrays: it counts where there is nothing else.
ranked_songs as (

    select
        *,
        row_number() over (
            partition by track_id
            order by case when is_summary then 1 else 0 end
        ) as song_rank
    from current_songs

),

cleaned as (

    select
        -- ids
        track_id as msd_track_id,
        {{ blank_to_null('song_id') }} as msd_song_id,
        {{ blank_to_null('artist_id') }} as msd_artist_id,
        {{ blank_to_null('artist_mbid') }} as artist_mbid,
        nullif(artist_7digitalid, -1) as artist_7digital_id,
        nullif(artist_playmeid, -1) as artist_playme_id,
        nullif(release_7digitalid, -1) as release_7digital_id,
        nullif(track_7digitalid, -1) as track_7digital_id,
        {{ blank_to_null('audio_md5') }} as audio_md5,
        lake_unit_id,

        -- strings
        {{ blank_to_null('title') }} as title,
        {{ blank_to_null('release') }} as release_name,
        {{ blank_to_null('genre') }} as genre,
        {{ blank_to_null('artist_name') }} as artist_name,
        {{ blank_to_null('artist_location') }} as artist_location,
        {{ blank_to_null('analyzer_version') }} as analyzer_version,
        file_path,
        source_system,
        terms_of_use,

        -- numbers: what cannot be, as what is unknown, is NULL
        case when year between 1 and 2100 then year end as release_year,
        case when duration > 0 then duration end as duration_seconds,
        end_of_fade_in as fade_in_end_seconds,
        start_of_fade_out as fade_out_start_seconds,
        case when tempo > 0 and tempo <= 1000 then tempo end as tempo_bpm,
        loudness as loudness_db,
        case when key between 0 and 11 then key end as key,
        key_confidence,
        case when mode in (0, 1) then mode end as mode,
        mode_confidence,
        case when time_signature > 0 then time_signature end as time_signature,
        time_signature_confidence,
        nullif(danceability, 0) as danceability,
        nullif(energy, 0) as energy,
        song_hotttnesss,
        artist_latitude,
        artist_longitude,
        artist_familiarity,
        nullif(artist_hotttnesss, 0) as artist_hotttnesss,
        analysis_sample_rate as analysis_sample_rate_hz,

        -- timestamps
        {{ load_moment('_dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('extracted_at') }} as extracted_at
    from ranked_songs
    where song_rank = 1

)

select * from cleaned
