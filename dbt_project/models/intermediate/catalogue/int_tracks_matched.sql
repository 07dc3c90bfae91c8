with accepted_pairs as (

    select * from {{ ref('int_song_candidates_decided') }}
    where is_accepted

),

counted_pairs as (

    select
        *,
        count(*) over (partition by track_key) as song_count,
        count(*) over (partition by msd_track_id) as song_track_count
    from accepted_pairs

),

-- The MSD holds many recordings twice. All tracks of a recording shall be one song, so of songs that are
-- as near in length it is the one with most tracks, and a known duplicate only without another.
ranked_pairs as (

    select
        *,
        row_number() over (
            partition by track_key
            order by
                case when match_method = 'manual' then 0 else 1 end,
                case when is_duplicate then 1 else 0 end,
                greatest(abs(duration_difference_seconds), {{ match_rule('equal_seconds') }}) asc nulls last,
                song_track_count desc,
                match_score desc nulls last,
                msd_track_id asc
        ) as song_rank
    from counted_pairs

),

matches as (

    select
        *,
        row_number() over (
            partition by msd_track_id
            order by
                case when is_chosen then 0 else 1 end,
                case when spotify_track_id is null then 1 else 0 end,
                match_score desc nulls last,
                track_key asc
        ) as representative_rank
    from ranked_pairs
    where song_rank = 1

)

select
    track_key,
    artist_key,
    msd_track_id,
    msd_artist_id,
    match_method,
    song_count,
    duration_difference_seconds,
    representative_rank = 1 as is_representative
from matches
