{{ config(meta={'dagster': {'ref': {'name': 'dim_tracks'}}}) }}

-- Every raw row that is about a track is the one that the track is known by, or is not for a reason that is
-- counted for itself.
with track_ids as (

    select spotify_track_id
    from {{ ref('int_playlist_tracks_identified') }}
    where track_key is not null and spotify_track_id is not null
    union all
    select track_id as spotify_track_id
    from {{ source('spotify', 'tracks') }}

),

fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('playlist_files', 'playlist_tracks') }}
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'playlist_tracks') }}
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'tracks') }}
    union all
    {{ superseded_rows(
        source('spotify', 'playlist_tracks'),
        source('spotify', 'playlists'),
        ['playlist_id', 'snapshot_id'],
    ) }}
    union all
    select
        'no track at Spotify' as fate,
        count(*) as row_count
    from {{ ref('int_playlist_tracks_identified') }}
    where track_key is null or spotify_track_id is null
    union all
    select
        'told again' as fate,
        count(*) - count(distinct spotify_track_id) as row_count
    from track_ids
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('dim_tracks') }}

)

{{ unaccounted_rows('fates') }}
