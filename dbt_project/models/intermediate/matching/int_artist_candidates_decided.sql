with candidates as (

    select * from {{ ref('stg_matching__artist_candidates') }}

),

accepted_pairs as (

    select * from {{ ref('int_song_candidates_decided') }}
    where is_accepted

),

shared_songs as (

    select
        msd_artist_id,
        artist_key,
        count(distinct msd_track_id) as shared_song_count,
        count(distinct track_key) as shared_track_count
    from accepted_pairs
    where msd_artist_id is not null and artist_key is not null
    group by msd_artist_id, artist_key

),

counted_candidates as (

    select
        candidates.msd_artist_id,
        candidates.artist_key,
        candidates.name_similarity,
        coalesce(shared_songs.shared_song_count, 0) as shared_song_count,
        coalesce(shared_songs.shared_track_count, 0) as shared_track_count
    from candidates
    left join shared_songs
        on
            candidates.msd_artist_id = shared_songs.msd_artist_id
            and candidates.artist_key = shared_songs.artist_key

),

ranked_candidates as (

    select
        *,
        row_number() over (
            partition by artist_key
            order by shared_song_count desc, name_similarity desc, msd_artist_id asc
        ) as msd_artist_rank,
        row_number() over (
            partition by msd_artist_id
            order by shared_song_count desc, name_similarity desc, artist_key asc
        ) as artist_rank
    from counted_candidates

),

-- Namesakes are common, so a name alone proves nothing: songs do. Each side may know an artist twice, so
-- it is enough to be the best of one side.
decided_candidates as (

    select
        *,
        case
            when shared_song_count = 0 then 'no_shared_song'
            when msd_artist_rank > 1 and artist_rank > 1 then 'better_artist'
        end as reject_reason
    from ranked_candidates

)

select
    msd_artist_id,
    artist_key,
    case
        when reject_reason is not null then null
        when name_similarity = 1.0 then 'exact'
        else 'fuzzy'
    end as match_method,
    case
        when reject_reason is not null then null
        when shared_song_count >= 3 then 'certain'
        when shared_song_count = 2 then 'high'
        when name_similarity = 1.0 then 'medium'
        else 'low'
    end as confidence_band,
    reject_reason,
    name_similarity,
    -- The first shared song says most, each further one less.
    name_similarity * shared_song_count / (shared_song_count + 1.0) as match_score,
    cast(shared_song_count as bigint) as shared_song_count,
    cast(shared_track_count as bigint) as shared_track_count,
    msd_artist_rank,
    reject_reason is null as is_accepted
from decided_candidates
