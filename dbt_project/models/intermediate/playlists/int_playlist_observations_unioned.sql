{{ config(materialized='view') }}

with file_observations as (

    select * from {{ ref('stg_playlist_files__playlist_observations') }}

),

file_playlists as (

    select * from {{ ref('stg_playlist_files__playlists') }}

),

api_observations as (

    select * from {{ ref('stg_spotify__playlist_observations') }}

)

select
    file_observations.playlist_id,
    file_observations.snapshot_id,
    file_observations.file_path as seen_in,
    file_playlists.source_system,
    file_playlists.terms_of_use,
    file_playlists.follower_count,
    true as is_available,
    file_observations.observed_on,
    file_observations.observed_at,
    file_observations.loaded_at,
    file_observations.extracted_at
from file_observations
left join file_playlists
    on
        file_observations.playlist_id = file_playlists.playlist_id
        and file_observations.snapshot_id = file_playlists.snapshot_id
union all
select
    playlist_id,
    snapshot_id,
    seen_in,
    source_system,
    terms_of_use,
    follower_count,
    is_available,
    observed_on,
    observed_at,
    loaded_at,
    extracted_at
from api_observations
