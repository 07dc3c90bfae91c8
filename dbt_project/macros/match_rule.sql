{#-
    The numbers by which a song and a track are judged. docs/matching.md argues each of them.

    Evidence lies in 0..1. A weight is what a feature's full evidence adds to the score; a limit is where
    evidence ends, or what is accepted.
-#}
{% macro match_rule(name) -%}
    {%- set rules = {
        'title_weight': 0.35,
        'full_title_weight': 0.05,
        'artist_weight': 0.35,
        'duration_weight': 0.25,
        'release_bonus': 0.05,
        'earlier_year_malus': 0.05,
        'similarity_floor': 0.7,
        'other_title_limit': 0.75,
        'release_floor': 0.8,
        'equal_seconds': 2.0,
        'same_take_seconds': 8.0,
        'other_take_seconds': 15.0,
        'unknown_duration_evidence': 0.5,
        'years_too_early': 2,
        'least_score': 0.8,
        'medium_score': 0.85,
        'high_score': 0.9,
        'certain_score': 0.95,
        'song_margin': 0.05
    } -%}
    {{ rules[name] }}
{%- endmacro %}

{#- How much a similarity says: nothing up to the floor, all at 1. -#}
{% macro match_evidence(similarity, floor) -%}
    greatest(0.0, (coalesce({{ similarity }}, 0.0) - {{ match_rule(floor) }}) / (1.0 - {{ match_rule(floor) }}))
{%- endmacro %}
