with current_rows as (

    {{ first_current_rows('reference_files', 'track_years', ['track_id'], 'line_number') }}

)

select
    track_id as msd_track_id,
    {{ blank_to_null('artist_name') }} as artist_name,
    {{ blank_to_null('title') }} as title,
    source_system,
    terms_of_use,
    case when year between 1 and 2100 then year end as release_year,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
