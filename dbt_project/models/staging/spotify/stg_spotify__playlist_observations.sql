with source_playlist_observations as (

    select * from {{ source('spotify', 'playlist_observations') }}

)

select
    playlist_id,
    snapshot_id,
    seen_in,
    'spotify_api' as source_system,
    'spotify_api' as terms_of_use,
    follower_count,
    is_available,
    observed_on,
    {{ utc_timestamp('observed_at') }} as observed_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_playlist_observations
