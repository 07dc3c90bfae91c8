with source_similar_artists as (

    select * from {{ source('msd', 'similar_artists') }}

),

current_songs as (

    {{ current_msd_songs() }}

),

-- Raw keeps what every unit said; what came with the song that counts is taken.
current_rows as (

    select
        source_similar_artists.track_id as msd_track_id,
        source_similar_artists.position,
        {{ blank_to_null('source_similar_artists.similar_artist_id') }} as similar_msd_artist_id,
        {{ load_moment('source_similar_artists._dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('source_similar_artists.extracted_at') }} as extracted_at
    from source_similar_artists
    inner join current_songs
        on
            source_similar_artists.track_id = current_songs.track_id
            and source_similar_artists.lake_unit_id = current_songs.lake_unit_id
            and not current_songs.is_summary

)

select * from current_rows
