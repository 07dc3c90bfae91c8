{#-
    The texts of a group in one, with a separator between them, in their own order or another.
    Redshift fails where one grows past 65,535 bytes.
-#}
{% macro joined_texts(text, separator, order_by=none) -%}
    {{ adapter.dispatch('joined_texts', 'music_warehouse')(text, separator, order_by or text) }}
{%- endmacro %}

{% macro default__joined_texts(text, separator, order_by) -%}
    listagg({{ text }}, '{{ separator }}') within group (order by {{ order_by }})
{%- endmacro %}

{#- DuckDB takes the order inside the call only. -#}
{% macro duckdb__joined_texts(text, separator, order_by) -%}
    string_agg({{ text }}, '{{ separator }}' order by {{ order_by }})
{%- endmacro %}

{% macro redshift__joined_texts(text, separator, order_by) -%}
    listagg({{ text }}, '{{ separator }}') within group (order by {{ order_by }})
{%- endmacro %}
