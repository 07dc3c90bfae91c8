{#-
    Fails where the newest day is more than some days before the newest of another column, which says that the
    source moves. Whether anything at all arrives is the freshness of the sources.
-#}
{% test recency(model, column_name, days, compared_to, compared_column) %}

    select
        newest.newest_on,
        compared.compared_on
    from (select max({{ column_name }}) as newest_on from {{ model }}) as newest
    cross join (select max({{ compared_column }}) as compared_on from {{ compared_to }}) as compared
    where {{ dbt.dateadd('day', days, 'newest.newest_on') }} < compared.compared_on

{% endtest %}
