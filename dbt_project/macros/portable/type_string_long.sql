{#- The longest text type: a cast to a bare varchar would cut at 256 bytes on Redshift. -#}
{% macro type_string_long() -%}
    {{ adapter.dispatch('type_string_long', 'music_warehouse')() }}
{%- endmacro %}

{% macro default__type_string_long() -%}
    varchar(65535)
{%- endmacro %}

{% macro duckdb__type_string_long() -%}
    varchar
{%- endmacro %}

{% macro redshift__type_string_long() -%}
    varchar(65535)
{%- endmacro %}
