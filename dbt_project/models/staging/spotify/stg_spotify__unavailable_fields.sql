with source_unavailable_fields as (

    select * from {{ source('spotify', 'unavailable_fields') }}

)

select
    object_type,
    field,
    observed_on,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_unavailable_fields
