with source_artist_terms as (

    select * from {{ source('msd', 'artist_terms') }}

),

current_songs as (

    {{ current_msd_songs() }}

),

-- Raw keeps what every unit said; what came with the song that counts is taken.
current_rows as (

    select
        source_artist_terms.track_id as msd_track_id,
        source_artist_terms.position,
        {{ blank_to_null('source_artist_terms.term') }} as term,
        source_artist_terms.weight as term_weight,
        source_artist_terms.frequency as term_frequency,
        {{ load_moment('source_artist_terms._dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('source_artist_terms.extracted_at') }} as extracted_at
    from source_artist_terms
    inner join current_songs
        on
            source_artist_terms.track_id = current_songs.track_id
            and source_artist_terms.lake_unit_id = current_songs.lake_unit_id
            and not current_songs.is_summary

)

select * from current_rows
