{#-
    The files of a source, and whether their rows still hold.

    A file whose name and kind another folder has too holds only where it was read last: whoever moves side
    files, or fetches them anew elsewhere, means the new ones. One of which nothing was read displaces none.
-#}
{% macro source_files(source_name) -%}
    select
        *,
        source_root = first_value(source_root) over (
            partition by file_kind, {{ regexp_replace_all('file_path', '^.*/', '') }}
            order by
                case when record_count > 0 then 0 else 1 end asc,
                extracted_at desc,
                source_root asc
            rows between unbounded preceding and unbounded following
        ) as is_current
    from {{ source(source_name, 'files') }}
{%- endmacro %}
