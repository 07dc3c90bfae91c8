with songs as (

    select * from {{ ref('int_songs_enriched') }}

),

artists as (

    select * from {{ ref('int_artists_deduplicated') }}

),

-- Not by int_tracks_matched: of two songs that are one recording it names the one that has the track.
matched_songs as (

    select distinct msd_track_id
    from {{ ref('int_song_candidates_decided') }}
    where is_accepted

),

-- Whether a song on a list is one or the other is NULL where no list was loaded.
unmatched_songs as (

    select
        songs.msd_track_id,
        songs.title,
        songs.artist_name,
        songs.play_count,
        songs.song_hotttnesss,
        artists.artist_hotttnesss
    from songs
    left join matched_songs
        on songs.msd_track_id = matched_songs.msd_track_id
    left join artists
        on songs.msd_artist_id = artists.msd_artist_id
    where
        matched_songs.msd_track_id is null
        and songs.title is not null
        and songs.artist_name is not null
        and not coalesce(songs.is_mismatched, false)
        and not coalesce(songs.is_duplicate, false)

)

select
    msd_track_id,
    title,
    artist_name,
    row_number() over (
        order by
            play_count desc nulls last,
            song_hotttnesss desc nulls last,
            artist_hotttnesss desc nulls last,
            msd_track_id asc
    ) as popularity_rank
from unmatched_songs
