with current_rows as (

    {{ first_current_rows('reference_files', 'artist_terms', ['artist_id', 'term'], 'row_id') }}

)

select
    artist_id as msd_artist_id,
    term,
    source_system,
    terms_of_use,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
