{{ config(materialized='view') }}

with files as (

    select * from {{ ref('stg_reference_files__files') }}

)

select
    file_kind,
    count(*) as file_count,
    cast(sum(record_count) as bigint) as record_count
from files
where record_count > 0
group by file_kind
