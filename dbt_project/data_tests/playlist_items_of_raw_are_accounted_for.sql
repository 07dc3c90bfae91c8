{{ config(meta={'dagster': {'ref': {'name': 'fct_playlist_tracks'}}}) }}

-- Every raw item is in the fact, or is not for a reason that is counted for itself.
with fates as (

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
    {{ superseded_rows(
        source('spotify', 'playlist_tracks'),
        source('spotify', 'playlists'),
        ['playlist_id', 'snapshot_id'],
    ) }}
    union all
    select
        'of another state' as fate,
        count(*) as row_count
    from {{ ref('int_playlist_tracks_identified') }}
    where not is_in_current_state
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('fct_playlist_tracks') }}

)

{{ unaccounted_rows('fates') }}
