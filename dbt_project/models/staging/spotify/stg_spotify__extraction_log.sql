with source_extraction_log as (

    select * from {{ source('spotify', 'extraction_log') }}

)

select
    run_id,
    event_number,
    event,
    {{ blank_to_null('endpoint') }} as endpoint,
    {{ blank_to_null('detail') }} as detail,
    http_status,
    {{ utc_timestamp('logged_at') }} as logged_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_extraction_log
