{#- The texts of a group in one, in their order, with a separator between them. -#}
{% macro joined_texts(text, separator) -%}
    {{ adapter.dispatch('joined_texts', 'music_warehouse')(text, separator) }}
{%- endmacro %}

{% macro default__joined_texts(text, separator) -%}
    listagg({{ text }}, '{{ separator }}') within group (order by {{ text }})
{%- endmacro %}

{#- DuckDB takes the order inside the call only. -#}
{% macro duckdb__joined_texts(text, separator) -%}
    string_agg({{ text }}, '{{ separator }}' order by {{ text }})
{%- endmacro %}

{% macro redshift__joined_texts(text, separator) -%}
    listagg({{ text }}, '{{ separator }}') within group (order by {{ text }})
{%- endmacro %}
