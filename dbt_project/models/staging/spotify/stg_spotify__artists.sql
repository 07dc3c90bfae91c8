with source_artists as (

    select * from {{ source('spotify', 'artists') }}

)

select
    artist_id as spotify_artist_id,
    {{ blank_to_null('name') }} as artist_name,
    {{ blank_to_null('image_url') }} as image_url,
    source_system,
    terms_of_use,
    popularity as spotify_popularity,
    follower_count,
    is_full,
    observed_on,
    {{ utc_timestamp('observed_at') }} as observed_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_artists
