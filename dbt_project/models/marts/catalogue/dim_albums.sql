with api_albums as (

    select * from {{ ref('int_spotify_albums_deduplicated') }}

),

tracks as (

    select * from {{ ref('int_tracks_resolved') }}
    where spotify_album_id is not null

),

artists as (

    select * from {{ ref('int_artists_resolved') }}

),

-- A playlist file says of an album what each of its tracks says: the commonest counts.
names as (

    select
        spotify_album_id,
        release_name,
        source_system,
        terms_of_use,
        count(*) as track_count,
        min(release_year) as release_year,
        max(loaded_at) as loaded_at,
        max(extracted_at) as extracted_at
    from tracks
    group by spotify_album_id, release_name, source_system, terms_of_use

),

ranked_names as (

    select
        *,
        sum(track_count) over (partition by spotify_album_id) as known_track_count,
        row_number() over (
            partition by spotify_album_id
            order by
                case when release_name is null then 1 else 0 end,
                track_count desc,
                release_name asc,
                source_system asc nulls last,
                terms_of_use asc nulls last
        ) as name_rank
    from names

),

albums_of_tracks as (

    select * from ranked_names
    where name_rank = 1

),

-- Where the API tells of an album, nothing is taken from elsewhere.
albums as (

    select
        coalesce(api_albums.spotify_album_id, albums_of_tracks.spotify_album_id) as spotify_album_id,
        api_albums.spotify_artist_id,
        api_albums.upc,
        case
            when api_albums.spotify_album_id is null then albums_of_tracks.release_name
            else api_albums.release_name
        end as name,
        api_albums.artist_name,
        api_albums.album_type,
        api_albums.release_date,
        api_albums.release_date_precision,
        api_albums.label,
        api_albums.image_url,
        case
            when api_albums.spotify_album_id is null then albums_of_tracks.release_year
            else api_albums.release_year
        end as release_year,
        api_albums.total_track_count,
        coalesce(albums_of_tracks.known_track_count, 0) as known_track_count,
        api_albums.spotify_popularity,
        coalesce(api_albums.source_system, albums_of_tracks.source_system) as source_system,
        coalesce(api_albums.terms_of_use, albums_of_tracks.terms_of_use) as terms_of_use,
        api_albums.popularity_observed_on,
        coalesce(api_albums.loaded_at, albums_of_tracks.loaded_at) as loaded_at,
        coalesce(api_albums.extracted_at, albums_of_tracks.extracted_at) as extracted_at
    from api_albums
    full outer join albums_of_tracks
        on api_albums.spotify_album_id = albums_of_tracks.spotify_album_id

)

select
    albums.spotify_album_id,
    artists.artist_id,
    albums.spotify_artist_id,
    albums.upc,
    albums.name,
    coalesce(artists.artist_name, albums.artist_name) as artist_name,
    albums.album_type,
    albums.release_date,
    albums.release_date_precision,
    albums.label,
    {{ spotify_url('album', 'albums.spotify_album_id') }} as spotify_url,
    albums.image_url,
    albums.release_year,
    albums.total_track_count,
    cast(albums.known_track_count as bigint) as known_track_count,
    albums.spotify_popularity,
    albums.source_system,
    albums.terms_of_use,
    {{ is_training_allowed('albums.terms_of_use') }} as is_training_allowed,
    albums.popularity_observed_on,
    albums.loaded_at,
    albums.extracted_at
from albums
left join artists
    on albums.spotify_artist_id = artists.artist_key
