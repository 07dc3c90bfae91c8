{{ config(materialized='view') }}

with files as (

    select * from {{ ref('stg_reference_files__files') }}

),

quarantined_inputs as (

    select * from {{ ref('stg_reference_files__quarantined_inputs') }}

),

-- The reader stopped in the middle of these: what follows there nobody knows.
unfinished_files as (

    select
        source_root,
        file_path
    from quarantined_inputs
    where item = 'the rest' or is_whole_file

)

select
    files.file_kind,
    count(*) as file_count,
    cast(sum(files.record_count) as bigint) as record_count,
    max(case when unfinished_files.file_path is null then 0 else 1 end) = 0 as is_whole
from files
left join unfinished_files
    on
        files.source_root = unfinished_files.source_root
        and files.file_path = unfinished_files.file_path
where files.is_current
group by files.file_kind
having sum(files.record_count) > 0
