with source_tracks as (

    select * from {{ source('spotify', 'tracks') }}

)

select
    track_id as spotify_track_id,
    album_id as spotify_album_id,
    {{ blank_to_null('upper(isrc)') }} as isrc,
    {{ blank_to_null('ean') }} as ean,
    {{ blank_to_null('upc') }} as upc,
    linked_from_track_id,
    {{ blank_to_null('name') }} as title,
    available_markets,
    source_system,
    terms_of_use,
    cast(nullif(duration_ms, 0) as double precision) / 1000 as duration_seconds,
    disc_number,
    track_number,
    popularity as spotify_popularity,
    is_full,
    is_explicit,
    is_playable,
    observed_on,
    {{ utc_timestamp('observed_at') }} as observed_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_tracks
