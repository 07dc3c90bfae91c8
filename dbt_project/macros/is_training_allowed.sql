{#-
    Whether a row may be used to train a model. Spotify's terms forbid it, also where they are one of
    several; SPOTIFY_TRAINING_RIGHT=true says that the operator holds the right. Never without terms.
-#}
{% macro is_training_allowed(terms_of_use) -%}
    {%- if env_var('SPOTIFY_TRAINING_RIGHT', 'false') == 'true' -%}
    coalesce({{ terms_of_use }} <> '', false)
    {%- else -%}
    coalesce({{ terms_of_use }} <> '' and {{ terms_of_use }} not like '%spotify%', false)
    {%- endif -%}
{%- endmacro %}
