{#-
    Under which terms rows may be used that are made of several: the terms of each, once, in alphabetical
    order. A query of the keys and terms_of_use; a group of rows without any terms is not in it.

    A row names at most eight terms today; twelve leave room.
-#}
{% macro united_terms(relation, keys) -%}
    select
        {{ keys | join(', ') }},
        {{ joined_texts('term', ' | ') }} as terms_of_use
    from (
        select distinct
            {{ keys | join(', ') }},
            split_part(named_rows.terms_of_use, ' | ', places.place) as term
        from (
            select distinct
                {{ keys | join(', ') }},
                terms_of_use
            from {{ relation }}
        ) as named_rows
        cross join (
            {%- for place in range(1, 13) %}
            select {{ place }} as place
            {%- if not loop.last %}
            union all
            {%- endif %}
            {%- endfor %}
        ) as places
        where split_part(named_rows.terms_of_use, ' | ', places.place) <> ''
    ) as terms
    group by {{ keys | join(', ') }}
{%- endmacro %}
