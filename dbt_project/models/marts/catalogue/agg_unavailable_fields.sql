with unavailable_fields as (

    select * from {{ ref('stg_spotify__unavailable_fields') }}

)

select
    object_type,
    field,
    count(*) as missing_day_count,
    min(observed_on) as first_missing_on,
    max(observed_on) as last_missing_on
from unavailable_fields
group by object_type, field
