{{ config(materialized='view') }}

with file_playlists as (

    select * from {{ ref('stg_playlist_files__playlists') }}

),

api_playlists as (

    select * from {{ ref('stg_spotify__playlists') }}

)

select
    playlist_id,
    snapshot_id,
    cast(null as {{ type_string_long() }}) as owner_id_hash,
    name,
    description,
    cast(null as {{ type_string_long() }}) as image_url,
    source_system,
    terms_of_use,
    edit_count,
    declared_track_count,
    item_count,
    cast(null as boolean) as is_public,
    is_collaborative,
    modified_at,
    loaded_at,
    extracted_at
from file_playlists
union all
select
    playlist_id,
    snapshot_id,
    owner_id_hash,
    name,
    description,
    image_url,
    source_system,
    terms_of_use,
    cast(null as bigint) as edit_count,
    declared_track_count,
    item_count,
    is_public,
    is_collaborative,
    cast(null as timestamp) as modified_at,
    loaded_at,
    extracted_at
from api_playlists
