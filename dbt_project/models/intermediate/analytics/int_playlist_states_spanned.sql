with playlist_states as (

    select * from {{ ref('int_playlist_states_ordered') }}

),

held_states as (

    select * from {{ ref('int_playlist_states_unioned') }}

),

playlist_observations as (

    select * from {{ ref('int_playlist_observations_unioned') }}
    where is_available

),

spans as (

    select
        playlist_id,
        min(seen_on) as first_seen_on,
        max(seen_on) as last_seen_on,
        count(*) as seen_day_count
    from playlist_states
    group by playlist_id

),

-- Retention keeps the first look at a playlist, and not the state that it showed.
looks_at_removed_states as (

    select
        playlist_observations.playlist_id,
        min(playlist_observations.observed_on) as first_seen_on
    from playlist_observations
    left join held_states
        on
            playlist_observations.playlist_id = held_states.playlist_id
            and playlist_observations.snapshot_id = held_states.snapshot_id
    where held_states.snapshot_id is null
    group by playlist_observations.playlist_id

)

select
    spans.playlist_id,
    case
        when looks_at_removed_states.first_seen_on < spans.first_seen_on
            then looks_at_removed_states.first_seen_on
        else spans.first_seen_on
    end as first_seen_on,
    spans.last_seen_on,
    spans.seen_day_count
from spans
left join looks_at_removed_states
    on spans.playlist_id = looks_at_removed_states.playlist_id
