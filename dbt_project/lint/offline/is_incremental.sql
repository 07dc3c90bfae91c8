{#-
    In the place of dbt's own, which asks the database whether the table is there. Loaded by the lint alone, so that
    both shapes of an incremental model can be compiled without a database.
-#}
{% macro is_incremental() %}
    {{- return(model.config.materialized == 'incremental' and env_var('COMPILE_AS_INCREMENTAL') == 'true') -}}
{% endmacro %}
