{{ config(materialized='view') }}

with file_changes as (

    select * from {{ ref('stg_playlist_files__playlist_track_changes') }}

),

api_changes as (

    select * from {{ ref('stg_spotify__playlist_track_changes') }}

)

select
    playlist_id,
    change_number,
    from_snapshot_id,
    snapshot_id,
    track_uri,
    spotify_track_id,
    added_by_hash,
    change,
    item_type,
    source_system,
    terms_of_use,
    from_position,
    to_position,
    seen_on,
    last_seen_before_on,
    added_at,
    loaded_at,
    extracted_at
from file_changes
union all
select
    playlist_id,
    change_number,
    from_snapshot_id,
    snapshot_id,
    track_uri,
    spotify_track_id,
    added_by_hash,
    change,
    item_type,
    source_system,
    terms_of_use,
    from_position,
    to_position,
    seen_on,
    last_seen_before_on,
    added_at,
    loaded_at,
    extracted_at
from api_changes
