with songs as (

    select * from {{ ref('int_songs_enriched') }}

),

artists as (

    select * from {{ ref('int_artists_deduplicated') }}

),

-- Not by int_tracks_matched: of two songs that are one recording it names the one that has the track. A local
-- file that is the song leaves open which track of Spotify is.
matched_songs as (

    select distinct msd_track_id
    from {{ ref('int_song_candidates_decided') }}
    where is_accepted and spotify_track_id is not null

),

-- Whether a song on a list is one or the other is NULL where no list was loaded. The first of some duplicates
-- stands for all, if it is matched or can be searched for.
ranked_songs as (

    select
        songs.msd_track_id,
        songs.title,
        songs.artist_name,
        songs.play_count,
        songs.song_hotttnesss,
        artists.artist_hotttnesss,
        matched_songs.msd_track_id is not null as is_matched,
        row_number() over (
            partition by coalesce(songs.duplicate_of_msd_track_id, songs.msd_track_id)
            order by
                case when songs.duplicate_of_msd_track_id is null then 0 else 1 end,
                songs.msd_track_id asc
        ) as duplicate_rank
    from songs
    left join matched_songs
        on songs.msd_track_id = matched_songs.msd_track_id
    left join artists
        on songs.msd_artist_id = artists.msd_artist_id
    where
        matched_songs.msd_track_id is not null
        or (
            songs.title is not null
            and songs.artist_name is not null
            and not coalesce(songs.is_mismatched, false)
        )

),

unmatched_songs as (

    select *
    from ranked_songs
    where duplicate_rank = 1 and not is_matched

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
