{#- Fails for every row in which the expression is false; where it is NULL the row passes. -#}
{% test expression_is_true(model, expression) %}

    select *
    from {{ model }}
    where not ({{ expression }})

{% endtest %}
