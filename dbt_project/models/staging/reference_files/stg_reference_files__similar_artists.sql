with current_rows as (

    {{ first_current_rows(
        'reference_files', 'similar_artists', ['artist_id', 'similar_artist_id'], 'row_id'
    ) }}

)

select
    artist_id as msd_artist_id,
    similar_artist_id as similar_msd_artist_id,
    row_id,
    source_system,
    terms_of_use,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
