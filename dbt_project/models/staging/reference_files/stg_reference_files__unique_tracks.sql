with current_rows as (

    {{ first_current_rows('reference_files', 'unique_tracks', ['track_id'], 'line_number') }}

)

select
    track_id as msd_track_id,
    song_id as msd_song_id,
    {{ blank_to_null('artist_name') }} as artist_name,
    {{ blank_to_null('title') }} as title,
    source_system,
    terms_of_use,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
