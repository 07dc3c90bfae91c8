with current_rows as (

    {{ first_current_rows('reference_files', 'mismatches', ['song_id', 'track_id'], 'line_number') }}

)

select
    song_id as msd_song_id,
    track_id as msd_track_id,
    {{ blank_to_null('song_text') }} as song_description,
    {{ blank_to_null('track_text') }} as track_description,
    source_system,
    terms_of_use,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
