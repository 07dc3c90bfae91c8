{{ config(meta={'dagster': {'ref': {'name': 'founding_analytics_songs'}}}) }}

-- Each view has a row for every row of the mart that it shows, under the same key and with the same name and
-- popularity, and no other.
{%- set views = [
    ('msd_songs', 'dim_songs', 'is_in_msd', {'id': 'msd_track_id', 'name': 'title'}),
    ('msd_artists', 'dim_artists', 'is_in_msd', {'id': 'msd_artist_id', 'name': 'name'}),
    (
        'mapped_songs', 'map_song_tracks', 'spotify_track_id is not null',
        {'msd_id': 'msd_track_id', 'spotify_id': 'spotify_track_id'},
    ),
    (
        'mapped_artists', 'map_artists', 'spotify_artist_id is not null',
        {'msd_id': 'msd_artist_id', 'spotify_id': 'spotify_artist_id'},
    ),
    (
        'spotify_songs', 'dim_tracks', 'true',
        {'id': 'spotify_track_id', 'name': 'title', 'popularity': 'spotify_popularity'},
    ),
    (
        'spotify_artists', 'dim_artists', 'is_in_spotify',
        {'id': 'spotify_artist_id', 'name': 'spotify_name', 'popularity': 'spotify_popularity'},
    ),
    (
        'analytics_songs', 'dim_songs', 'is_in_msd and is_in_spotify',
        {
            'msd_id': 'msd_track_id', 'spotify_id': 'spotify_track_id', 'name': 'title',
            'popularity': 'spotify_popularity',
        },
    ),
    (
        'analytics_artists', 'dim_artists', 'is_in_msd and is_in_spotify',
        {
            'msd_id': 'msd_artist_id', 'spotify_id': 'spotify_artist_id', 'name': 'name',
            'popularity': 'spotify_popularity',
        },
    ),
] %}

with sides as (

    {% for view, mart, condition, columns in views %}
        select
            '{{ view }}' as view_name,
            count(*) as row_count,
            {{ fingerprint_of_rows(columns.keys() | list) }} as fingerprint
        from {{ ref('founding_' ~ view) }}
        union all
        select
            '{{ view }}' as view_name,
            count(*) as row_count,
            {{ fingerprint_of_rows(columns.values() | list) }} as fingerprint
        from {{ ref(mart) }}
        where {{ condition }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select view_name
from sides
group by view_name
having min(row_count) <> max(row_count) or min(fingerprint) <> max(fingerprint)
