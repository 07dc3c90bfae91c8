{#- Length of a text in bytes of UTF-8, which is what Redshift counts a varchar in. -#}
{% macro byte_length(text) -%}
    {{ adapter.dispatch('byte_length', 'music_warehouse')(text) }}
{%- endmacro %}

{% macro default__byte_length(text) -%}
    octet_length({{ text }})
{%- endmacro %}

{% macro duckdb__byte_length(text) -%}
    strlen({{ text }})
{%- endmacro %}

{% macro redshift__byte_length(text) -%}
    octet_length({{ text }})
{%- endmacro %}
