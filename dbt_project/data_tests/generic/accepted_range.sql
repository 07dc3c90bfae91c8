{#- Fails for every value below the minimum or above the maximum; NULL passes. -#}
{% test accepted_range(model, column_name, minimum=none, maximum=none) %}

    {%- if minimum is none and maximum is none -%}
        {{ exceptions.raise_compiler_error("accepted_range needs a minimum, a maximum or both") }}
    {%- endif %}

    select {{ column_name }}
    from {{ model }}
    where
        1 = 0
        {%- if minimum is not none %}
        or {{ column_name }} < {{ minimum }}
        {%- endif %}
        {%- if maximum is not none %}
        or {{ column_name }} > {{ maximum }}
        {%- endif %}

{% endtest %}
