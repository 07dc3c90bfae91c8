{#-
    What becomes of the rows of a table of side files before staging hands them on: a query of fates for
    `unaccounted_rows`. The keys are those of `first_current_rows`.
-#}
{% macro reference_row_fates(table_name, keys) -%}
    {%- set rows = source('reference_files', table_name) -%}
    {%- set files = "(select * from " ~ ref('stg_reference_files__files') ~ " where is_current)" -%}
    select
        'raw' as fate,
        count(*) as row_count
    from {{ rows }}
    union all
    {{ superseded_rows(rows, files, []) }}
    union all
    select
        'told again' as fate,
        sum(key_count - 1) as row_count
    from (
        select count(*) as key_count
        from {{ rows }}
        where lake_unit_id in (select files.lake_unit_id from {{ files }} as files)
        group by {{ keys | join(', ') }}
    ) as rows_by_key
{%- endmacro %}
