{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook="{{ remove_stale_sets(ref('int_playlist_track_changes_fingerprinted')) }}",
) }}

with changed_days as (

    select * from {{ ref('int_playlist_track_changes_fingerprinted') }}
    {% if is_incremental() %}
        where {{ is_to_be_built('content_key') }}
    {% endif %}

),

changes as (

    select * from {{ ref('int_playlist_track_changes_combined') }}

),

tracks as (

    select * from {{ ref('int_tracks_resolved') }}

)

select
    changes.playlist_id,
    changes.seen_on,
    changes.change_number,
    changed_days.content_key,
    tracks.song_id,
    changes.spotify_track_id,
    changes.track_uri,
    changes.added_by_hash,
    changes.from_snapshot_id,
    changes.snapshot_id,
    changes.change,
    changes.item_type,
    changes.from_position,
    changes.to_position,
    changes.source_system,
    changes.terms_of_use,
    {{ is_training_allowed('changes.terms_of_use') }} as is_training_allowed,
    changes.last_seen_before_on,
    changes.added_at,
    changes.loaded_at
from changes
inner join changed_days
    on
        changes.playlist_id = changed_days.playlist_id
        and changes.seen_on = changed_days.seen_on
left join tracks
    on changes.track_key = tracks.track_key
