with current_rows as (

    {{ first_current_rows('reference_files', 'musixmatch_matches', ['track_id'], 'line_number') }}

)

select
    track_id as msd_track_id,
    musixmatch_track_id,
    {{ blank_to_null('artist_name') }} as artist_name,
    {{ blank_to_null('title') }} as title,
    {{ blank_to_null('musixmatch_artist_name') }} as musixmatch_artist_name,
    {{ blank_to_null('musixmatch_title') }} as musixmatch_title,
    source_system,
    terms_of_use,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
