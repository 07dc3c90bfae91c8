{{ config(meta={'dagster': {'ref': {'name': 'dim_playlists'}}}) }}

-- Every item that the extractor counted in a playlist's current state is a row of the fact.
select
    playlists.playlist_id,
    playlists.item_count,
    states.item_count as extracted_item_count
from {{ ref('dim_playlists') }} as playlists
inner join {{ ref('int_playlists_deduplicated') }} as states
    on playlists.playlist_id = states.playlist_id
where playlists.item_count <> states.item_count
