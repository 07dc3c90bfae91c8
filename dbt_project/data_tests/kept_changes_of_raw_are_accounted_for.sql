{{ config(meta={'dagster': {'ref': {'name': 'fct_playlist_track_changes'}}}) }}

-- Every raw change that was kept is in the fact, or lies between two states from which it is derived; and of
-- the fact's rows all others are derived.
with fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('playlist_files', 'playlist_track_changes') }}
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('spotify', 'playlist_track_changes') }}
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from {{ ref('int_playlist_tracks_changed') }}
    union all
    select
        'derived anew' as fate,
        count(*) as row_count
    from {{ ref('int_playlist_track_changes_unioned') }} as kept_changes
    inner join {{ ref('int_playlist_states_ordered') }} as states
        on
            kept_changes.playlist_id = states.playlist_id
            and kept_changes.seen_on > states.last_seen_before_on
            and kept_changes.seen_on <= states.seen_on
            and states.is_changed
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('fct_playlist_track_changes') }}

)

{{ unaccounted_rows('fates') }}
