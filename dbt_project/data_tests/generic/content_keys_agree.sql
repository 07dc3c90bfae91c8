{#- Fails for every set of rows that an incremental model lacks, or holds and should not: `sets` has the keys. -#}
{% test content_keys_agree(model, sets) %}

    select
        built.content_key as built_content_key,
        current_sets.content_key as current_content_key
    from (select distinct content_key from {{ model }}) as built
    full outer join {{ sets }} as current_sets
        on built.content_key = current_sets.content_key
    where built.content_key is null or current_sets.content_key is null

{% endtest %}
