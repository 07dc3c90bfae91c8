with playlist_states as (

    select * from {{ ref('int_playlist_states_unioned') }}

),

playlist_observations as (

    select * from {{ ref('int_playlist_observations_unioned') }}

),

state_fingerprints as (

    select * from {{ ref('int_playlist_states_fingerprinted') }}

),

-- A state whose items were not read says nothing of what entered or left: it is passed over.
ranked_observations as (

    select
        playlist_observations.playlist_id,
        playlist_observations.observed_on,
        playlist_states.snapshot_id,
        playlist_states.source_system,
        playlist_states.terms_of_use,
        playlist_states.loaded_at,
        row_number() over (
            partition by playlist_observations.playlist_id, playlist_observations.observed_on
            order by
                playlist_observations.observed_at desc nulls last,
                playlist_observations.extracted_at desc,
                playlist_states.snapshot_id desc
        ) as recency_rank
    from playlist_observations
    inner join playlist_states
        on
            playlist_observations.playlist_id = playlist_states.playlist_id
            and playlist_observations.snapshot_id = playlist_states.snapshot_id
    where playlist_states.item_count is not null

),

days as (

    select
        playlist_id,
        snapshot_id,
        lag(snapshot_id) over (
            partition by playlist_id
            order by observed_on
        ) as previous_snapshot_id,
        source_system,
        terms_of_use,
        observed_on as seen_on,
        loaded_at,
        lag(observed_on) over (
            partition by playlist_id
            order by observed_on
        ) as last_seen_before_on
    from ranked_observations
    where recency_rank = 1

)

-- An empty state has no fingerprint.
select
    days.playlist_id,
    days.snapshot_id,
    days.previous_snapshot_id,
    case
        when days.snapshot_id <> days.previous_snapshot_id
            then {{ hash_key([
                'days.playlist_id',
                'days.seen_on',
                'previous_fingerprints.content_key',
                'state_fingerprints.content_key',
            ]) }}
    end as content_key,
    days.source_system,
    days.terms_of_use,
    coalesce(days.snapshot_id <> days.previous_snapshot_id, false) as is_changed,
    days.seen_on,
    days.last_seen_before_on,
    days.loaded_at
from days
left join state_fingerprints
    on
        days.playlist_id = state_fingerprints.playlist_id
        and days.snapshot_id = state_fingerprints.snapshot_id
left join state_fingerprints as previous_fingerprints
    on
        days.playlist_id = previous_fingerprints.playlist_id
        and days.previous_snapshot_id = previous_fingerprints.snapshot_id
