with source_artist_mbtags as (

    select * from {{ source('msd', 'artist_mbtags') }}

),

current_songs as (

    {{ current_msd_songs() }}

),

-- Raw keeps what every unit said; what came with the song that counts is taken.
current_rows as (

    select
        source_artist_mbtags.track_id as msd_track_id,
        source_artist_mbtags.position,
        -- quoted: a reserved word on Redshift
        {{ blank_to_null('source_artist_mbtags."tag"') }} as mbtag,
        source_artist_mbtags.tag_count as mbtag_count,
        {{ load_moment('source_artist_mbtags._dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('source_artist_mbtags.extracted_at') }} as extracted_at
    from source_artist_mbtags
    inner join current_songs
        on
            source_artist_mbtags.track_id = current_songs.track_id
            and source_artist_mbtags.lake_unit_id = current_songs.lake_unit_id
            and not current_songs.is_summary

)

select * from current_rows
