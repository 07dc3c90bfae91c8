with source_artist_terms as (

    select * from {{ source('msd', 'artist_terms') }}

),

source_songs as (

    select * from {{ source('msd', 'songs') }}

),

-- A file read again may hold fewer rows than before; raw merges and keeps the surplus.
-- What came with the same lake unit as the song itself is what the file holds now.
current_rows as (

    select
        source_artist_terms.track_id as msd_track_id,
        source_artist_terms.position,
        {{ blank_to_null('source_artist_terms.term') }} as term,
        source_artist_terms.weight as term_weight,
        source_artist_terms.frequency as term_frequency,
        {{ utc_timestamp('source_artist_terms.extracted_at') }} as extracted_at
    from source_artist_terms
    inner join source_songs
        on
            source_artist_terms.track_id = source_songs.track_id
            and source_artist_terms.lake_unit_id = source_songs.lake_unit_id
            and not source_songs.is_summary

)

select * from current_rows
