with current_rows as (

    {{ first_current_rows('reference_files', 'songs', ['track_id'], 'row_id') }}

)

select
    track_id as msd_track_id,
    {{ blank_to_null('song_id') }} as msd_song_id,
    {{ blank_to_null('artist_id') }} as msd_artist_id,
    {{ blank_to_null('artist_mbid') }} as artist_mbid,
    case
        when track_7digitalid between 1 and 2147483647
            then cast(track_7digitalid as integer)
    end as track_7digital_id,
    case when shs_work > 0 then shs_work end as shs_work_id,
    case when shs_perf > 0 then shs_perf end as shs_performance_id,
    {{ blank_to_null('title') }} as title,
    {{ blank_to_null('release') }} as release_name,
    {{ blank_to_null('artist_name') }} as artist_name,
    source_system,
    terms_of_use,
    case when year between 1 and 2100 then cast(year as integer) end as release_year,
    case when duration > 0 then duration end as duration_seconds,
    artist_familiarity,
    nullif(artist_hotttnesss, 0) as artist_hotttnesss,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
