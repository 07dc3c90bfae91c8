{#-
    The last query of a data test that counts raw against a mart: no row where the counts add up, all of them where
    they do not.

    The relation has rows of a `fate` and a `row_count`. What came in has the fate 'raw'; it is as many rows as all
    other fates together, which are 'in the mart' and the reasons for which a row is not.
-#}
{% macro unaccounted_rows(fates) -%}
    select *
    from (
        select
            fate,
            row_count,
            sum(case when fate = 'raw' then row_count else -row_count end) over () as unaccounted_count
        from {{ fates }}
    ) as weighed_fates
    where unaccounted_count <> 0
{%- endmacro %}
