{{ config(meta={'dagster': {'ref': {'name': 'fct_playlist_track_changes'}}}) }}

-- Every raw change that was kept is in the fact, or lies between two states from which it is derived; and of
-- the fact's rows all others are derived.
with raw_changes as (

    select
        (select count(*) from {{ source('playlist_files', 'playlist_track_changes') }})
        + (select count(*) from {{ source('spotify', 'playlist_track_changes') }}) as raw_count

),

derived_anew as (

    select count(*) as derived_anew_count
    from {{ ref('int_playlist_track_changes_unioned') }} as kept_changes
    inner join {{ ref('int_playlist_states_ordered') }} as states
        on
            kept_changes.playlist_id = states.playlist_id
            and kept_changes.seen_on > states.last_seen_before_on
            and kept_changes.seen_on <= states.seen_on
            and states.is_changed

),

derived as (

    select count(*) as derived_count from {{ ref('int_playlist_tracks_changed') }}

),

mart_changes as (

    select count(*) as mart_count from {{ ref('fct_playlist_track_changes') }}

)

select
    raw_changes.raw_count,
    derived.derived_count,
    derived_anew.derived_anew_count,
    mart_changes.mart_count
from raw_changes
cross join derived_anew
cross join derived
cross join mart_changes
where
    raw_changes.raw_count + derived.derived_count
    <> derived_anew.derived_anew_count
    + mart_changes.mart_count
