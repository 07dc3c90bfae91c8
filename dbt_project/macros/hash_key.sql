{#-
    A key made of texts: 32 hexadecimal digits. NULL counts as an empty text; the separator keeps
    ('ab', 'c') and ('a', 'bc') apart. No id of MSD (18 characters) or Spotify (22) is as long.
-#}
{% macro hash_key(texts) -%}
    md5(
        {%- for text in texts %}
        coalesce(cast({{ text }} as {{ type_string_long() }}), '')
        {%- if not loop.last %} || '|' ||{% endif %}
        {%- endfor %}
    )
{%- endmacro %}
