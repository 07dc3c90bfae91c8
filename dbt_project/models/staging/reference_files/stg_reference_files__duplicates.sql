with current_rows as (

    {{ first_current_rows('reference_files', 'duplicates', ['track_id'], 'line_number') }}

)

select
    track_id as msd_track_id,
    lake_unit_id,
    {{ blank_to_null('clique_text') }} as clique_description,
    source_system,
    terms_of_use,
    clique_line_number,
    line_number,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
