{#- What of a source of files cannot be taken in as it is now: the query of its staging model. -#}
{% macro quarantined_inputs(source_name) -%}
with source_quarantined_inputs as (

    select * from {{ source(source_name, 'quarantined_inputs') }}

),

source_files as (

    select * from {{ source(source_name, 'files') }}

),

-- A file that was mended and read again leaves its old row in raw: only what came with the
-- same lake unit as the file's own row still holds.
current_rows as (

    select
        source_quarantined_inputs.file_path,
        source_quarantined_inputs.item,
        source_quarantined_inputs.reason,
        source_quarantined_inputs.detail,
        source_quarantined_inputs.source_root,
        source_quarantined_inputs.size_bytes,
        source_quarantined_inputs.item = '' as is_whole_file,
        {{ load_moment('source_quarantined_inputs._dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('source_quarantined_inputs.extracted_at') }} as extracted_at
    from source_quarantined_inputs
    inner join source_files
        on
            source_quarantined_inputs.source_root = source_files.source_root
            and source_quarantined_inputs.file_path = source_files.file_path
            and source_quarantined_inputs.lake_unit_id = source_files.lake_unit_id

)

select * from current_rows
{%- endmacro %}
