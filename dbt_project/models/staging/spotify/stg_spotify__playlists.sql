with source_playlists as (

    select * from {{ source('spotify', 'playlists') }}

)

select
    playlist_id,
    snapshot_id,
    owner_id_hash,
    {{ blank_to_null('name') }} as name,
    {{ blank_to_null('description') }} as description,
    {{ blank_to_null('image_url') }} as image_url,
    source_system,
    terms_of_use,
    declared_track_count,
    item_count,
    is_owned_by_spotify,
    is_public,
    is_collaborative,
    {{ utc_timestamp('read_at') }} as read_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_playlists
