{#-
    An aggregate that tells one set of rows from another: equal where the same values of these columns stand in
    as many rows, in any order. Of use within one warehouse alone: the engines hash differently.

    A row's columns are hashed, NULL as a value of its own, and the hashes added up. A boolean has to be given as a
    number: Redshift casts none to a text.
-#}
{% macro fingerprint_of_rows(columns) -%}
    {{ adapter.dispatch('fingerprint_of_rows', 'music_warehouse')(columns) }}
{%- endmacro %}

{% macro default__fingerprint_of_rows(columns) -%}
    {{ redshift__fingerprint_of_rows(columns) }}
{%- endmacro %}

{% macro duckdb__fingerprint_of_rows(columns) -%}
    sum(hash({{ columns | join(', ') }}))
{%- endmacro %}

{% macro redshift__fingerprint_of_rows(columns) -%}
    sum(cast(farmfingerprint64(
        {%- for column in columns %}
        coalesce('=' || cast({{ column }} as {{ type_string_long() }}), '')
        {%- if not loop.last %} || '|' ||{% endif %}
        {%- endfor %}
    ) as decimal(38, 0)))
{%- endmacro %}
