with current_rows as (

    {{ first_current_rows('reference_files', 'genres', ['annotation', 'track_id'], 'line_number') }}

)

select
    track_id as msd_track_id,
    annotation,
    {{ blank_to_null('genre') }} as genre,
    {{ blank_to_null('minority_genre') }} as minority_genre,
    source_system,
    terms_of_use,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
