{#- A text as its source gave it; NULL where it is blank. -#}
{% macro blank_to_null(text) -%}
    case when trim({{ text }}) <> '' then {{ text }} end
{%- endmacro %}
