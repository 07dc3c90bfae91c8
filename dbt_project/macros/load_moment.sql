{#- When a row came into the warehouse, UTC: dlt names each load by its start, in seconds since 1970. -#}
{% macro load_moment(load_id) -%}
    timestamp '1970-01-01 00:00:00'
    + cast(floor(cast({{ load_id }} as double precision)) as bigint) * interval '1 second'
{%- endmacro %}
