with artist_genres as (

    select * from {{ ref('stg_spotify__artist_genres') }}
    where trim(genre) <> ''

),

spotify_artists as (

    select * from {{ ref('int_spotify_artists_deduplicated') }}

),

artists as (

    select * from {{ ref('int_artists_resolved') }}

),

-- An app that is shown no genres any more leaves the last ones that were seen as they are.
dated_genres as (

    select
        *,
        max(observed_on) over (partition by spotify_artist_id) as last_observed_on
    from artist_genres

)

-- Two artists of Spotify may be one here: their lists become one.
select
    artists.artist_id,
    dated_genres.genre as genre_name,
    max(spotify_artists.source_system) as source_system,
    max(spotify_artists.terms_of_use) as terms_of_use,
    max(dated_genres.observed_on) as observed_on,
    max(dated_genres.loaded_at) as loaded_at
from dated_genres
inner join spotify_artists
    on dated_genres.spotify_artist_id = spotify_artists.spotify_artist_id
inner join artists
    on dated_genres.spotify_artist_id = artists.artist_key
where dated_genres.observed_on = dated_genres.last_observed_on
group by artists.artist_id, dated_genres.genre
