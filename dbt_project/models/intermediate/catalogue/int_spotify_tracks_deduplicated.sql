with tracks as (

    select * from {{ ref('stg_spotify__tracks') }}

),

track_artists as (

    select * from {{ ref('stg_spotify__track_artists') }}

),

artists as (

    select * from {{ ref('int_spotify_artists_deduplicated') }}

),

albums as (

    select * from {{ ref('int_spotify_albums_deduplicated') }}

),

-- A track that was withdrawn loses its title: what it was called before still holds.
ranked_tracks as (

    select
        *,
        row_number() over (
            partition by spotify_track_id
            order by
                case when title is null then 1 else 0 end,
                case when is_full then 0 else 1 end,
                observed_on desc
        ) as track_rank
    from tracks

),

-- The newest answer with a title need not tell it.
ranked_popularities as (

    select
        spotify_track_id,
        spotify_popularity,
        observed_on,
        row_number() over (
            partition by spotify_track_id
            order by
                observed_on desc,
                case when is_full then 0 else 1 end
        ) as recency_rank
    from tracks
    where spotify_popularity is not null

),

ranked_artists as (

    select
        *,
        row_number() over (
            partition by spotify_track_id, observed_on, is_full
            order by position
        ) as artist_rank
    from track_artists

)

select
    ranked_tracks.spotify_track_id,
    ranked_artists.spotify_artist_id,
    ranked_tracks.spotify_album_id,
    ranked_tracks.isrc,
    ranked_tracks.ean,
    ranked_tracks.upc,
    ranked_tracks.title,
    coalesce(artists.artist_name, ranked_artists.artist_name) as artist_name,
    albums.release_name,
    ranked_tracks.available_markets,
    ranked_tracks.source_system,
    ranked_tracks.terms_of_use,
    ranked_tracks.duration_seconds,
    albums.release_year,
    ranked_tracks.disc_number,
    ranked_tracks.track_number,
    ranked_popularities.spotify_popularity,
    ranked_tracks.is_explicit,
    ranked_tracks.is_full,
    ranked_tracks.observed_on,
    ranked_popularities.observed_on as popularity_observed_on,
    ranked_tracks.loaded_at,
    ranked_tracks.extracted_at
from ranked_tracks
left join ranked_artists
    on
        ranked_tracks.spotify_track_id = ranked_artists.spotify_track_id
        and ranked_tracks.observed_on = ranked_artists.observed_on
        and ranked_tracks.is_full = ranked_artists.is_full
        and ranked_artists.artist_rank = 1
left join artists
    on ranked_artists.spotify_artist_id = artists.spotify_artist_id
left join albums
    on ranked_tracks.spotify_album_id = albums.spotify_album_id
left join ranked_popularities
    on
        ranked_tracks.spotify_track_id = ranked_popularities.spotify_track_id
        and ranked_popularities.recency_rank = 1
where ranked_tracks.track_rank = 1
