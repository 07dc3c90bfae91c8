with msd_artists as (

    select * from {{ ref('int_artists_deduplicated') }}

),

tags as (

    select * from {{ ref('int_artists_tagged') }}

),

track_artists as (

    select * from {{ ref('int_artists_matched') }}
    where artist_id is not null

),

-- Of several Spotify artists that are one MSD artist, the one with most tracks in common.
ranked_track_artists as (

    select
        *,
        sum(unmatched_track_count) over (partition by artist_id) as unmatched_count,
        row_number() over (
            partition by artist_id
            order by
                case when spotify_artist_id is null then 1 else 0 end,
                shared_track_count desc,
                artist_key asc
        ) as artist_rank
    from track_artists

),

representatives as (

    select * from ranked_track_artists
    where artist_rank = 1

),

artists as (

    select
        coalesce(msd_artists.msd_artist_id, representatives.artist_id) as artist_id,
        msd_artists.msd_artist_id,
        representatives.spotify_artist_id,
        msd_artists.artist_mbid as mbid,
        msd_artists.artist_7digital_id,
        msd_artists.artist_playme_id,
        coalesce(msd_artists.artist_name, representatives.artist_name) as name,
        msd_artists.artist_location as location,
        msd_artists.artist_latitude as latitude,
        msd_artists.artist_longitude as longitude,
        msd_artists.artist_familiarity as familiarity,
        msd_artists.artist_hotttnesss as hotttnesss,
        coalesce(msd_artists.song_count, 0) as msd_song_count,
        coalesce(representatives.unmatched_count, 0) as spotify_only_song_count,
        coalesce(msd_artists.source_system, representatives.source_system) as source_system,
        case
            when representatives.terms_of_use <> msd_artists.terms_of_use
                then msd_artists.terms_of_use || ' | ' || representatives.terms_of_use
            else coalesce(msd_artists.terms_of_use, representatives.terms_of_use)
        end as terms_of_use,
        coalesce(msd_artists.extracted_at, representatives.extracted_at) as extracted_at
    from msd_artists
    full outer join representatives
        on msd_artists.msd_artist_id = representatives.artist_id

)

select
    artists.artist_id,
    artists.msd_artist_id,
    artists.spotify_artist_id,
    artists.mbid,
    artists.artist_7digital_id,
    artists.artist_playme_id,
    artists.name,
    artists.location,
    artists.latitude,
    artists.longitude,
    artists.familiarity,
    artists.hotttnesss,
    tags.top_term,
    tags.top_mbtag,
    coalesce(tags.term_count, 0) as term_count,
    coalesce(tags.mbtag_count, 0) as mbtag_count,
    cast(artists.msd_song_count + artists.spotify_only_song_count as bigint) as song_count,
    cast(artists.msd_song_count as bigint) as msd_song_count,
    cast(artists.spotify_only_song_count as bigint) as spotify_only_song_count,
    artists.msd_artist_id is not null as is_in_msd,
    artists.spotify_artist_id is not null as is_in_spotify,
    artists.source_system,
    artists.terms_of_use,
    {{ is_training_allowed('artists.terms_of_use') }} as is_training_allowed,
    artists.extracted_at
from artists
left join tags
    on artists.msd_artist_id = tags.msd_artist_id
