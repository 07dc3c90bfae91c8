with tracks as (

    select * from {{ ref('int_tracks_resolved') }}
    where spotify_track_id is not null

),

api_tracks as (

    select * from {{ ref('int_spotify_tracks_deduplicated') }}

),

track_artists as (

    select * from {{ ref('int_track_artists_unioned') }}

),

-- Cut so that the text cannot grow longer than its column.
credits as (

    select
        spotify_track_id,
        {{ joined_texts('substring(artist_name, 1, 200)', ', ', 'position') }} as artist_names
    from track_artists
    where position < 20 and artist_name is not null
    group by spotify_track_id

)

select
    tracks.spotify_track_id,
    tracks.song_id,
    tracks.msd_track_id,
    tracks.artist_id,
    tracks.spotify_album_id,
    tracks.isrc,
    api_tracks.ean,
    api_tracks.upc,
    tracks.title,
    tracks.artist_name,
    credits.artist_names,
    tracks.release_name,
    {{ spotify_url('track', 'tracks.spotify_track_id') }} as spotify_url,
    api_tracks.available_markets,
    tracks.duration_seconds,
    tracks.release_year,
    api_tracks.disc_number,
    api_tracks.track_number,
    api_tracks.spotify_popularity,
    tracks.is_explicit,
    tracks.is_representative,
    tracks.is_in_playlist,
    tracks.match_method,
    tracks.source_system,
    {{ terms_of_both('tracks.terms_of_use', 'api_tracks.terms_of_use') }} as terms_of_use,
    {{ is_training_allowed(terms_of_both('tracks.terms_of_use', 'api_tracks.terms_of_use')) }}
        as is_training_allowed,
    api_tracks.popularity_observed_on,
    tracks.loaded_at,
    tracks.extracted_at
from tracks
left join api_tracks
    on tracks.spotify_track_id = api_tracks.spotify_track_id
left join credits
    on tracks.spotify_track_id = credits.spotify_track_id
