{#- The texts of a group in one, separated by commas, in an order. Redshift takes no more than 65,535 bytes. -#}
{% macro names_listed(text, order_by) -%}
    {{ adapter.dispatch('names_listed', 'music_warehouse')(text, order_by) }}
{%- endmacro %}

{% macro default__names_listed(text, order_by) -%}
    listagg({{ text }}, ', ') within group (order by {{ order_by }})
{%- endmacro %}

{% macro duckdb__names_listed(text, order_by) -%}
    string_agg({{ text }}, ', ' order by {{ order_by }})
{%- endmacro %}

{% macro redshift__names_listed(text, order_by) -%}
    listagg({{ text }}, ', ') within group (order by {{ order_by }})
{%- endmacro %}
