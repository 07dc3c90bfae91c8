{#- A moment with a time zone as a plain timestamp in UTC. -#}
{% macro utc_timestamp(moment) -%}
    {{ moment }} at time zone 'UTC'
{%- endmacro %}
