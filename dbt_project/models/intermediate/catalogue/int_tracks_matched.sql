with tracks as (

    select * from {{ ref('int_tracks_deduplicated') }}

),

msd_songs as (

    select * from {{ ref('stg_msd__songs') }}

),

normalised_msd_songs as (

    select
        msd_track_id,
        msd_artist_id,
        duration_seconds,
        {{ normalise_text('title') }} as normalised_title,
        {{ normalise_text('artist_name') }} as normalised_artist_name
    from msd_songs

),

-- An empty title or name is NULL, and NULL joins with nothing.
candidates as (

    select
        tracks.track_key,
        tracks.artist_key,
        tracks.spotify_track_id,
        normalised_msd_songs.msd_track_id,
        normalised_msd_songs.msd_artist_id,
        abs(tracks.duration_seconds - normalised_msd_songs.duration_seconds)
            as duration_difference_seconds
    from tracks
    inner join normalised_msd_songs
        on
            tracks.normalised_title = normalised_msd_songs.normalised_title
            and tracks.normalised_artist_name = normalised_msd_songs.normalised_artist_name

),

ranked_candidates as (

    select
        *,
        count(*) over (partition by track_key) as candidate_count,
        row_number() over (
            partition by track_key
            order by duration_difference_seconds nulls last, msd_track_id
        ) as candidate_rank
    from candidates

),

-- Several Spotify tracks may be one MSD song (its single, its album, its reissue).
matches as (

    select
        *,
        row_number() over (
            partition by msd_track_id
            order by
                case when spotify_track_id is null then 1 else 0 end,
                duration_difference_seconds nulls last,
                track_key
        ) as representative_rank
    from ranked_candidates
    where candidate_rank = 1

)

select
    track_key,
    artist_key,
    msd_track_id,
    msd_artist_id,
    'exact' as match_method,
    candidate_count,
    duration_difference_seconds,
    representative_rank = 1 as is_representative
from matches
