with source_files as (

    select * from {{ source('playlist_files', 'files') }}

)

select
    file_path,
    file_kind,
    source_root,
    lake_unit_id,
    size_bytes,
    record_count,
    quarantined_count,
    {{ utc_timestamp('modified_at') }} as modified_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_files
