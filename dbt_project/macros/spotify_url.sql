{#- The page of a track, artist, album or playlist at Spotify; NULL without an id. -#}
{% macro spotify_url(kind, id) -%}
    'https://open.spotify.com/{{ kind }}/' || {{ id }}
{%- endmacro %}
