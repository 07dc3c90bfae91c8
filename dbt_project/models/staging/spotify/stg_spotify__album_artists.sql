with source_album_artists as (

    select * from {{ source('spotify', 'album_artists') }}

),

source_albums as (

    select * from {{ source('spotify', 'albums') }}

),

-- An album read again may hold fewer rows than before; raw merges and keeps the surplus.
-- What came with the same lake unit as the album itself is what the answer held.
current_rows as (

    select
        source_album_artists.album_id as spotify_album_id,
        source_album_artists.position,
        source_album_artists.artist_id as spotify_artist_id,
        {{ blank_to_null('source_album_artists.artist_name') }} as artist_name,
        source_album_artists.is_full,
        source_album_artists.observed_on,
        {{ load_moment('source_album_artists._dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('source_album_artists.extracted_at') }} as extracted_at
    from source_album_artists
    inner join source_albums
        on
            source_album_artists.album_id = source_albums.album_id
            and source_album_artists.observed_on = source_albums.observed_on
            and source_album_artists.is_full = source_albums.is_full
            and source_album_artists.lake_unit_id = source_albums.lake_unit_id

)

select * from current_rows
