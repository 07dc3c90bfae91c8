{#-
    What the files of a source hold now, once per key: of several lines that name a key the first one of
    the file that was read last.

    A file that was renewed leaves its old rows in raw: only what came with the lake unit of a file's
    own row still holds, and only if the file itself does.
-#}
{% macro first_current_rows(source_name, table_name, keys, line_number=none) -%}
    select *
    from (
        select
            *,
            row_number() over (
                partition by {{ keys | join(', ') }}
                order by
                    extracted_at desc,
                    lake_unit_id asc
                    {%- if line_number %},
                    {{ line_number }} asc
                    {%- endif %}
            ) as row_rank
        from {{ source(source_name, table_name) }}
        where lake_unit_id in (
            select files.lake_unit_id
            from ({{ source_files(source_name) }}) as files
            where files.is_current
        )
    ) as ranked_rows
    where row_rank = 1
{%- endmacro %}
