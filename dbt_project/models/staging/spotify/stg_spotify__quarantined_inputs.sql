with source_quarantined_inputs as (

    select * from {{ source('spotify', 'quarantined_inputs') }}

)

select
    file_path,
    item,
    reason,
    detail,
    source_root,
    size_bytes,
    item = '' as is_whole_file,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_quarantined_inputs
