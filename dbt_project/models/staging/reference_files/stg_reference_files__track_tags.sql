with current_rows as (

    {{ first_current_rows('reference_files', 'track_tags', ['track_id', 'tag_name'], 'row_id') }}

)

select
    track_id as msd_track_id,
    tag_name,
    source_system,
    terms_of_use,
    value as tag_weight,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
