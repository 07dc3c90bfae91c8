with source_similar_artists as (

    select * from {{ source('msd', 'similar_artists') }}

),

source_songs as (

    select * from {{ source('msd', 'songs') }}

),

-- A file read again may hold fewer rows than before; raw merges and keeps the surplus.
-- What came with the same lake unit as the song itself is what the file holds now.
current_rows as (

    select
        source_similar_artists.track_id as msd_track_id,
        source_similar_artists.position,
        {{ blank_to_null('source_similar_artists.similar_artist_id') }} as similar_msd_artist_id,
        {{ utc_timestamp('source_similar_artists.extracted_at') }} as extracted_at
    from source_similar_artists
    inner join source_songs
        on
            source_similar_artists.track_id = source_songs.track_id
            and source_similar_artists.lake_unit_id = source_songs.lake_unit_id
            and not source_songs.is_summary

)

select * from current_rows
