with source_track_artists as (

    select * from {{ source('spotify', 'track_artists') }}

),

source_tracks as (

    select * from {{ source('spotify', 'tracks') }}

),

-- A track read again may hold fewer rows than before; raw merges and keeps the surplus.
-- What came with the same lake unit as the track itself is what the answer held.
current_rows as (

    select
        source_track_artists.track_id as spotify_track_id,
        source_track_artists.position,
        source_track_artists.artist_id as spotify_artist_id,
        {{ blank_to_null('source_track_artists.artist_name') }} as artist_name,
        source_track_artists.is_full,
        source_track_artists.observed_on,
        {{ load_moment('source_track_artists._dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('source_track_artists.extracted_at') }} as extracted_at
    from source_track_artists
    inner join source_tracks
        on
            source_track_artists.track_id = source_tracks.track_id
            and source_track_artists.observed_on = source_tracks.observed_on
            and source_track_artists.is_full = source_tracks.is_full
            and source_track_artists.lake_unit_id = source_tracks.lake_unit_id

)

select * from current_rows
