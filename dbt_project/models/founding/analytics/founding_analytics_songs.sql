with songs as (

    select * from {{ ref('dim_songs') }}
    where is_in_msd

),

tracks as (

    select * from {{ ref('dim_tracks') }}

)

select
    songs.msd_track_id as msd_id,
    songs.spotify_track_id as spotify_id,
    songs.title as name,
    songs.release_name as release,
    songs.genre,
    songs.artist_id,
    songs.artist_name,
    case when songs.release_year_source <> 'spotify_album' then songs.release_year end as year,
    tracks.spotify_url as url,
    tracks.isrc,
    tracks.ean,
    tracks.upc,
    songs.spotify_popularity as popularity,
    tracks.available_markets,
    tracks.spotify_album_id as album_id,
    tracks.artist_names as artists,
    tracks.duration_seconds as duration,
    {{ terms_of_both('songs.terms_of_use', 'tracks.terms_of_use') }} as terms_of_use,
    songs.is_training_allowed and tracks.is_training_allowed as is_training_allowed
from songs
inner join tracks
    on songs.spotify_track_id = tracks.spotify_track_id
