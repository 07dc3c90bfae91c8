{#-
    The terms of a row that draws on two sources, either of which may be absent: each once, separated by bars.
    Either may itself be the terms of several sources.
-#}
{% macro terms_of_both(first, second) -%}
    case
        when strpos(' | ' || {{ first }} || ' | ', ' | ' || {{ second }} || ' | ') > 0 then {{ first }}
        else coalesce({{ first }} || ' | ' || {{ second }}, {{ first }}, {{ second }})
    end
{%- endmacro %}
