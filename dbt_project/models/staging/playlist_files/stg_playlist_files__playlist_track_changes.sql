with source_playlist_track_changes as (

    select * from {{ source('playlist_files', 'playlist_track_changes') }}

)

select
    playlist_id,
    change_number,
    from_snapshot_id,
    snapshot_id,
    {{ blank_to_null('track_uri') }} as track_uri,
    {{ spotify_id('track_uri', 'track') }} as spotify_track_id,
    added_by_hash,
    change,
    item_type,
    source_system,
    terms_of_use,
    from_position,
    to_position,
    seen_on,
    last_seen_before_on,
    {{ utc_timestamp('added_at') }} as added_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_playlist_track_changes
