with tracks as (

    select * from {{ ref('int_tracks_deduplicated') }}

),

matched_tracks as (

    select * from {{ ref('int_tracks_matched') }}

),

artists as (

    select * from {{ ref('int_artists_matched') }}

)

select
    tracks.track_key,
    -- A track in no playlist is a song here only if it is one of the MSD's.
    coalesce(
        matched_tracks.msd_track_id,
        case when tracks.is_in_playlist then tracks.track_key end
    ) as song_id,
    -- A matched track is by whoever the MSD says its song is by.
    case
        when matched_tracks.msd_track_id is null then artists.artist_id
        else matched_tracks.msd_artist_id
    end as artist_id,
    matched_tracks.msd_track_id,
    tracks.spotify_track_id,
    tracks.spotify_album_id,
    tracks.isrc,
    tracks.title,
    tracks.artist_name,
    tracks.release_name,
    matched_tracks.match_method,
    tracks.source_system,
    tracks.terms_of_use,
    tracks.duration_seconds,
    tracks.release_year,
    tracks.is_explicit,
    tracks.is_in_playlist,
    coalesce(matched_tracks.is_representative, true) as is_representative,
    tracks.loaded_at,
    tracks.extracted_at
from tracks
left join matched_tracks
    on tracks.track_key = matched_tracks.track_key
left join artists
    on tracks.artist_key = artists.artist_key
