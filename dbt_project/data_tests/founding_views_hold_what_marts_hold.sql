{{ config(meta={'dagster': {'ref': {'name': 'founding_analytics_songs'}}}) }}

-- Each view has a row for every row of the mart that it shows, and no other.
with songs as (

    select
        sum(case when is_in_msd then 1 else 0 end) as msd_count,
        sum(case when is_in_msd and is_in_spotify then 1 else 0 end) as both_count
    from {{ ref('dim_songs') }}

),

tracks as (

    select count(*) as spotify_count
    from {{ ref('dim_tracks') }}

),

song_pairs as (

    select count(spotify_track_id) as mapped_count
    from {{ ref('map_song_tracks') }}

),

artist_pairs as (

    select count(spotify_artist_id) as mapped_count
    from {{ ref('map_artists') }}

),

artists as (

    select
        sum(case when is_in_msd then 1 else 0 end) as msd_count,
        sum(case when is_in_spotify then 1 else 0 end) as spotify_count,
        sum(case when is_in_msd and is_in_spotify then 1 else 0 end) as both_count
    from {{ ref('dim_artists') }}

),

counted as (

    {% for schema, entity, mart, count in [
        ('msd', 'songs', 'songs', 'msd_count'),
        ('msd', 'artists', 'artists', 'msd_count'),
        ('mapped', 'songs', 'song_pairs', 'mapped_count'),
        ('mapped', 'artists', 'artist_pairs', 'mapped_count'),
        ('spotify', 'songs', 'tracks', 'spotify_count'),
        ('spotify', 'artists', 'artists', 'spotify_count'),
        ('analytics', 'songs', 'songs', 'both_count'),
        ('analytics', 'artists', 'artists', 'both_count'),
    ] %}
        select
            '{{ schema }}.{{ entity }}' as view_name,
            (select count(*) from {{ ref('founding_' ~ schema ~ '_' ~ entity) }}) as view_count,
            coalesce({{ count }}, 0) as mart_count
        from {{ mart }}
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

)

select *
from counted
where view_count <> mart_count
