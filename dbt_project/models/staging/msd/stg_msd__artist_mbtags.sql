with source_artist_mbtags as (

    select * from {{ source('msd', 'artist_mbtags') }}

),

source_songs as (

    select * from {{ source('msd', 'songs') }}

),

-- A file read again may hold fewer rows than before; raw merges and keeps the surplus.
-- What came with the same lake unit as the song itself is what the file holds now.
current_rows as (

    select
        source_artist_mbtags.track_id as msd_track_id,
        source_artist_mbtags.position,
        -- quoted: a reserved word on Redshift
        {{ blank_to_null('source_artist_mbtags."tag"') }} as mbtag,
        source_artist_mbtags.tag_count as mbtag_count,
        {{ utc_timestamp('source_artist_mbtags.extracted_at') }} as extracted_at
    from source_artist_mbtags
    inner join source_songs
        on
            source_artist_mbtags.track_id = source_songs.track_id
            and source_artist_mbtags.lake_unit_id = source_songs.lake_unit_id
            and not source_songs.is_summary

)

select * from current_rows
