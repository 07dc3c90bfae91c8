{#- Whether a text names somebody after "feat." or the like: 'Song (feat. A & B)' names A and B. -#}
{% macro is_named_as_guest(text, name) -%}
    coalesce(
        {{ regexp_replace_all(
            "' ' || " ~ normalise_text(text) ~ " || ' '", ' (feat|ft|featuring|with) ', ' | '
        ) }} like '% |% ' || {{ normalise_text(name) }} || ' %',
        false
    )
{%- endmacro %}
