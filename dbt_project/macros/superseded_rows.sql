{#-
    How many rows of a raw table came with an answer or a file that was read again since: a query of their fate
    for `unaccounted_rows`. Raw merges by key and keeps the surplus, whose lake unit is no more its parent's.
-#}
{% macro superseded_rows(children, parents, keys) -%}
    select
        'of an earlier reading' as fate,
        count(*) as row_count
    from {{ children }} as children
    left join {{ parents }} as parents
        on
            children.lake_unit_id = parents.lake_unit_id
            {%- for key in keys %}
            and children.{{ key }} = parents.{{ key }}
            {%- endfor %}
    where parents.lake_unit_id is null
{%- endmacro %}
