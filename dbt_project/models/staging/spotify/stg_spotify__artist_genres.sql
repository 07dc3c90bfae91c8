with source_artist_genres as (

    select * from {{ source('spotify', 'artist_genres') }}

),

source_artists as (

    select * from {{ source('spotify', 'artists') }}

),

-- An artist read again may hold fewer rows than before; raw merges and keeps the surplus.
-- What came with the same lake unit as the artist itself is what the answer held.
current_rows as (

    select
        source_artist_genres.artist_id as spotify_artist_id,
        source_artist_genres.position,
        source_artist_genres.genre,
        source_artist_genres.observed_on,
        {{ load_moment('source_artist_genres._dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('source_artist_genres.extracted_at') }} as extracted_at
    from source_artist_genres
    inner join source_artists
        on
            source_artist_genres.artist_id = source_artists.artist_id
            and source_artist_genres.observed_on = source_artists.observed_on
            and source_artist_genres.lake_unit_id = source_artists.lake_unit_id
            and source_artists.is_full

)

select * from current_rows
