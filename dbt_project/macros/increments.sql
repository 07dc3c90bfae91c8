{#-
    How incremental models find what has changed: by what the data says, not by a clock.

    Rows are built in sets: all of a playlist, of a day, of a track. Each row carries the `content_key` of its
    set, a hash of whatever the set is made of. An increment removes the sets whose key nobody has any more, and
    builds those whose key is not there yet. So what is new, changed, late, gone or was left half done is found in
    the same way, and twice is as good as once.
-#}

{#-
    Before an increment: the rows of sets that are no more, or are made of something else now, go. `current_sets`
    has the keys of today.
-#}
{% macro remove_stale_sets(current_sets) -%}
    {%- if execute and is_incremental() -%}
        {%- set present = adapter.get_columns_in_relation(this) | map(attribute='name') | map('lower') | list -%}
        {%- if model.columns.keys() | reject('in', present) | list -%}
            {{ exceptions.raise_compiler_error(
                this ~ " was made by an earlier release. Make all anew: `make upgrade`, or dbt build --full-refresh"
            ) }}
        {%- endif -%}
        delete from {{ this }}
        where content_key not in (
            select current_sets.content_key
            from {{ current_sets }} as current_sets
            where current_sets.content_key is not null
        )
    {%- endif -%}
{%- endmacro %}

{#- In an increment: whether a set has yet to be built. -#}
{% macro is_to_be_built(content_key) -%}
    {{ content_key }} not in (select built.content_key from {{ this }} as built)
{%- endmacro %}
