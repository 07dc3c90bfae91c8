{#- A text as a literal. Redshift reads a backslash in one as the beginning of an escape. -#}
{% macro quoted_text(text) -%}
    {{ adapter.dispatch('quoted_text', 'music_warehouse')(text | string) }}
{%- endmacro %}

{% macro default__quoted_text(text) -%}
    {{ duckdb__quoted_text(text) }}
{%- endmacro %}

{% macro duckdb__quoted_text(text) -%}
    '{{ dbt.escape_single_quotes(text) }}'
{%- endmacro %}

{% macro redshift__quoted_text(text) -%}
    '{{ text.replace("\\", "\\\\").replace("'", "''") }}'
{%- endmacro %}
