with source_playlist_track_changes as (

    select * from {{ source('spotify', 'playlist_track_changes') }}

)

select
    playlist_id,
    change_number,
    from_snapshot_id,
    snapshot_id,
    track_uri,
    track_id as spotify_track_id,
    added_by_hash,
    change,
    item_type,
    'spotify_api' as source_system,
    'spotify_api' as terms_of_use,
    from_position,
    to_position,
    seen_on,
    last_seen_before_on,
    -- Where Spotify lost the day it says 1970.
    nullif({{ utc_timestamp('added_at') }}, cast('1970-01-01' as timestamp)) as added_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_playlist_track_changes
