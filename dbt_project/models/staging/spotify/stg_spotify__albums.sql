with source_albums as (

    select * from {{ source('spotify', 'albums') }}

)

select
    album_id as spotify_album_id,
    {{ blank_to_null('upc') }} as upc,
    {{ blank_to_null('name') }} as release_name,
    {{ blank_to_null('album_type') }} as album_type,
    nullif({{ blank_to_null('release_date') }}, '0000') as release_date,
    release_date_precision,
    {{ blank_to_null('label') }} as label,
    available_markets,
    {{ blank_to_null('image_url') }} as image_url,
    source_system,
    terms_of_use,
    {{ release_year('release_date') }} as release_year,
    total_tracks as total_track_count,
    popularity as spotify_popularity,
    is_full,
    observed_on,
    {{ utc_timestamp('observed_at') }} as observed_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_albums
