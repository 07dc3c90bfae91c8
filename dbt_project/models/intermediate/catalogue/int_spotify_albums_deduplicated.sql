with albums as (

    select * from {{ ref('stg_spotify__albums') }}

),

album_artists as (

    select * from {{ ref('stg_spotify__album_artists') }}

),

ranked_albums as (

    select
        *,
        row_number() over (
            partition by spotify_album_id
            order by
                case when release_name is null then 1 else 0 end,
                case when is_full then 0 else 1 end,
                observed_on desc
        ) as album_rank
    from albums

),

-- The newest answer often does not tell: copies inside tracks have no popularity.
ranked_popularities as (

    select
        spotify_album_id,
        spotify_popularity,
        observed_on,
        row_number() over (
            partition by spotify_album_id
            order by
                observed_on desc,
                case when is_full then 0 else 1 end
        ) as recency_rank
    from albums
    where spotify_popularity is not null

),

ranked_artists as (

    select
        *,
        row_number() over (
            partition by spotify_album_id, observed_on, is_full
            order by position
        ) as artist_rank
    from album_artists

)

select
    ranked_albums.spotify_album_id,
    ranked_artists.spotify_artist_id,
    ranked_albums.upc,
    ranked_albums.release_name,
    ranked_artists.artist_name,
    ranked_albums.album_type,
    ranked_albums.release_date,
    ranked_albums.release_date_precision,
    ranked_albums.label,
    ranked_albums.image_url,
    ranked_albums.source_system,
    ranked_albums.terms_of_use,
    ranked_albums.release_year,
    ranked_albums.total_track_count,
    ranked_popularities.spotify_popularity,
    ranked_popularities.observed_on as popularity_observed_on,
    ranked_albums.loaded_at,
    ranked_albums.extracted_at
from ranked_albums
left join ranked_artists
    on
        ranked_albums.spotify_album_id = ranked_artists.spotify_album_id
        and ranked_albums.observed_on = ranked_artists.observed_on
        and ranked_albums.is_full = ranked_artists.is_full
        and ranked_artists.artist_rank = 1
left join ranked_popularities
    on
        ranked_albums.spotify_album_id = ranked_popularities.spotify_album_id
        and ranked_popularities.recency_rank = 1
where ranked_albums.album_rank = 1
