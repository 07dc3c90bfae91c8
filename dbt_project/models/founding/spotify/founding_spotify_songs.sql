with tracks as (

    select * from {{ ref('dim_tracks') }}

)

select
    spotify_track_id as id,
    title as name,
    spotify_url as url,
    isrc,
    ean,
    upc,
    spotify_popularity as popularity,
    available_markets,
    spotify_album_id as album_id,
    artist_names as artists,
    duration_seconds as duration,
    terms_of_use,
    is_training_allowed
from tracks
