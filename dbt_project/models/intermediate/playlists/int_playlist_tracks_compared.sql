{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook="{{ remove_stale_sets(ref('int_playlist_states_ordered')) }}",
) }}

with playlist_tracks as (

    select * from {{ ref('int_playlist_tracks_identified') }}

),

playlist_states as (

    select * from {{ ref('int_playlist_states_ordered') }}
    where
        is_changed
        {% if is_incremental() %}
            and {{ is_to_be_built('content_key') }}
        {% endif %}

),

sides as (

    select
        playlist_id,
        seen_on,
        content_key,
        previous_snapshot_id as snapshot_id,
        false as is_later
    from playlist_states
    union all
    select
        playlist_id,
        seen_on,
        content_key,
        snapshot_id,
        true as is_later
    from playlist_states

),

items as (

    select
        sides.playlist_id,
        sides.seen_on,
        sides.content_key,
        sides.is_later,
        playlist_tracks.position,
        playlist_tracks.track_key,
        playlist_tracks.track_uri,
        playlist_tracks.spotify_track_id,
        playlist_tracks.added_by_hash,
        playlist_tracks.item_type,
        playlist_tracks.added_at,
        {{ hash_key([
            'playlist_tracks.track_uri',
            "case when playlist_tracks.track_uri is null then playlist_tracks.title end",
            "case when playlist_tracks.track_uri is null then playlist_tracks.artist_name end",
            "case when playlist_tracks.track_uri is null then playlist_tracks.release_name end",
            'playlist_tracks.item_type',
            'playlist_tracks.added_at',
            'playlist_tracks.added_by_hash',
        ]) }} as item_key
    from sides
    inner join playlist_tracks
        on
            sides.playlist_id = playlist_tracks.playlist_id
            and sides.snapshot_id = playlist_tracks.snapshot_id

),

-- Equal items are told apart by nothing but their order.
numbered_items as (

    select
        *,
        row_number() over (
            partition by playlist_id, seen_on, is_later, item_key
            order by position
        ) as occurrence
    from items

),

paired_items as (

    select
        playlist_id,
        seen_on,
        item_key,
        occurrence,
        max(content_key) as content_key,
        max(track_key) as track_key,
        max(track_uri) as track_uri,
        max(spotify_track_id) as spotify_track_id,
        max(added_by_hash) as added_by_hash,
        max(item_type) as item_type,
        max(case when not is_later then position end) as from_position,
        max(case when is_later then position end) as to_position,
        count(*) = 2 as is_in_both,
        max(added_at) as added_at
    from numbered_items
    group by playlist_id, seen_on, item_key, occurrence

),

-- Ranks are among the items in both states: nothing moves because another item enters or leaves.
ranked_items as (

    select
        *,
        row_number() over (
            partition by playlist_id, seen_on, is_in_both
            order by from_position
        ) as from_rank,
        row_number() over (
            partition by playlist_id, seen_on, is_in_both
            order by to_position
        ) as to_rank
    from paired_items

),

following_items as (

    select
        *,
        lag(to_rank) over (
            partition by playlist_id, seen_on, is_in_both
            order by from_rank
        ) as to_rank_before
    from ranked_items

),

-- A block is a run of items that follow each other in both states.
block_items as (

    select
        *,
        sum(case when to_rank = to_rank_before + 1 then 0 else 1 end) over (
            partition by playlist_id, seen_on, is_in_both
            order by from_rank
            rows between unbounded preceding and current row
        ) as block_number
    from following_items

)

select
    playlist_id,
    seen_on,
    item_key,
    occurrence,
    content_key,
    track_key,
    track_uri,
    spotify_track_id,
    added_by_hash,
    item_type,
    from_position,
    to_position,
    case when is_in_both then cast(block_number as integer) end as block_number,
    case when is_in_both then cast(to_rank - from_rank as integer) end as rank_difference,
    added_at
from block_items
