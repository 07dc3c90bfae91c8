{#- The year of a date that may be a year or a month alone; NULL for year 0 and for any other text. -#}
{% macro release_year(date_text) -%}
    case
        when substring({{ date_text }}, 1, 4) similar to '[0-9]{4}'
            then nullif(cast(substring({{ date_text }}, 1, 4) as integer), 0)
    end
{%- endmacro %}
