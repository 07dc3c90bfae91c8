{#- The id in a Spotify URI of the given kind ('spotify:track:<id>'); NULL for any other text. -#}
{% macro spotify_id(uri, kind) -%}
    case when {{ uri }} like 'spotify:{{ kind }}:_%' then split_part({{ uri }}, ':', 3) end
{%- endmacro %}
