{#-
    Fails where the newest day is more than some days before the newest of another relation, which says that the
    source moves, or where there is none at all. Whether anything arrives is the freshness of the sources.

    A day on which Spotify withheld the field that the rows tell, [kind of object, field], is as good as one with rows.
-#}
{% test recency(
    model, column_name, days, compared_to, compared_column, compared_where='1 = 1', withheld_field=none
) %}

    select
        newest.newest_on,
        compared.compared_on
    from (
        select max(told_on) as newest_on
        from (
            select {{ column_name }} as told_on
            from {{ model }}
            {%- if withheld_field %}
            union all
            select last_missing_on as told_on
            from {{ ref('agg_unavailable_fields') }}
            where object_type = '{{ withheld_field[0] }}' and field = '{{ withheld_field[1] }}'
            {%- endif %}
        ) as told_days
    ) as newest
    cross join (
        select max({{ compared_column }}) as compared_on
        from {{ compared_to }}
        where {{ compared_where }}
    ) as compared
    where
        compared.compared_on is not null
        and coalesce({{ dbt.dateadd('day', days, 'newest.newest_on') }} < compared.compared_on, true)

{% endtest %}
