{#- Fails for every value of a column whose rows do not have the flag exactly once. -#}
{% test every_group_has_one(model, group_column, flag_column) %}

    select
        {{ group_column }},
        sum(case when {{ flag_column }} then 1 else 0 end) as flag_count
    from {{ model }}
    group by {{ group_column }}
    having sum(case when {{ flag_column }} then 1 else 0 end) <> 1

{% endtest %}
