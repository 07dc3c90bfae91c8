{#- The day so many months after a date, or before it; where the month is too short, its last day. -#}
{% macro months_later(day, months) -%}
    {{ adapter.dispatch('months_later', 'music_warehouse')(day, months) }}
{%- endmacro %}

{% macro default__months_later(day, months) -%}
    cast(dateadd(month, {{ months }}, {{ day }}) as date)
{%- endmacro %}

{% macro duckdb__months_later(day, months) -%}
    cast({{ day }} + interval ({{ months }}) month as date)
{%- endmacro %}

{% macro redshift__months_later(day, months) -%}
    cast(dateadd(month, {{ months }}, {{ day }}) as date)
{%- endmacro %}
