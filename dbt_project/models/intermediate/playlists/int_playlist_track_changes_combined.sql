{{ config(materialized='view') }}

with derived_changes as (

    select * from {{ ref('int_playlist_tracks_changed') }}

),

playlist_states as (

    select * from {{ ref('int_playlist_states_ordered') }}
    where is_changed

),

kept_changes as (

    select * from {{ ref('int_playlist_track_changes_unioned') }}

)

-- A kept change counts only where no two states that are left have its day between them: what
-- is derived from those holds it already.
select
    derived_changes.playlist_id,
    derived_changes.seen_on,
    derived_changes.change_number,
    derived_changes.track_key,
    derived_changes.spotify_track_id,
    derived_changes.track_uri,
    derived_changes.added_by_hash,
    playlist_states.previous_snapshot_id as from_snapshot_id,
    playlist_states.snapshot_id,
    derived_changes.change,
    derived_changes.item_type,
    playlist_states.source_system,
    playlist_states.terms_of_use,
    derived_changes.from_position,
    derived_changes.to_position,
    playlist_states.last_seen_before_on,
    derived_changes.added_at,
    playlist_states.loaded_at
from derived_changes
inner join playlist_states
    on
        derived_changes.playlist_id = playlist_states.playlist_id
        and derived_changes.seen_on = playlist_states.seen_on
union all
select
    kept_changes.playlist_id,
    kept_changes.seen_on,
    kept_changes.change_number,
    case
        when kept_changes.item_type not in ('track', 'local') then null
        when kept_changes.spotify_track_id is not null then kept_changes.spotify_track_id
        when kept_changes.track_uri is not null then {{ hash_key(['kept_changes.track_uri']) }}
    end as track_key,
    kept_changes.spotify_track_id,
    kept_changes.track_uri,
    kept_changes.added_by_hash,
    kept_changes.from_snapshot_id,
    kept_changes.snapshot_id,
    kept_changes.change,
    kept_changes.item_type,
    kept_changes.source_system,
    kept_changes.terms_of_use,
    kept_changes.from_position,
    kept_changes.to_position,
    kept_changes.last_seen_before_on,
    kept_changes.added_at,
    kept_changes.loaded_at
from kept_changes
left join playlist_states
    on
        kept_changes.playlist_id = playlist_states.playlist_id
        and kept_changes.seen_on > playlist_states.last_seen_before_on
        and kept_changes.seen_on <= playlist_states.seen_on
where playlist_states.playlist_id is null
