with current_rows as (

    {{ first_current_rows('reference_files', 'songs', ['track_id'], 'row_id') }}

)

select
    track_id as msd_track_id,
    {{ blank_to_null('song_id') }} as msd_song_id,
    {{ blank_to_null('artist_id') }} as msd_artist_id,
    {{ blank_to_null('artist_mbid') }} as artist_mbid,
    case when track_7digitalid > 0 then track_7digitalid end as track_7digital_id,
    case when shs_work > 0 then shs_work end as shs_work_id,
    case when shs_perf > 0 then shs_perf end as shs_performance_id,
    {{ blank_to_null('title') }} as title,
    {{ blank_to_null('release') }} as release_name,
    {{ blank_to_null('artist_name') }} as artist_name,
    source_system,
    terms_of_use,
    cast(nullif(year, 0) as integer) as release_year,
    nullif(duration, 0) as duration_seconds,
    artist_familiarity,
    nullif(artist_hotttnesss, 0) as artist_hotttnesss,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
