with candidates as (

    select * from {{ ref('stg_matching__song_candidates') }}

),

artist_candidates as (

    select * from {{ ref('stg_matching__artist_candidates') }}

),

decisions as (

    select * from {{ ref('manual_match_decisions') }}

),

msd_songs as (

    select * from {{ ref('int_songs_enriched') }}

),

tracks as (

    select * from {{ ref('int_tracks_deduplicated') }}

),

-- A decision needs no candidate.
pairs as (

    select
        coalesce(candidates.msd_track_id, decisions.msd_track_id) as msd_track_id,
        coalesce(candidates.track_key, decisions.track_key) as track_key,
        decisions.decision as manual_decision,
        candidates.found_by,
        candidates.song_versions,
        candidates.track_versions,
        candidates.song_editions,
        candidates.track_editions,
        candidates.title_similarity,
        candidates.full_title_similarity,
        candidates.artist_similarity,
        candidates.guest_similarity,
        candidates.release_similarity,
        candidates.duration_difference_seconds,
        candidates.year_difference
    from candidates
    full outer join decisions
        on
            candidates.msd_track_id = decisions.msd_track_id
            and candidates.track_key = decisions.track_key

),

-- A song or a track may be gone since the candidates were found: its pairs go with it.
described_pairs as (

    select
        pairs.*,
        msd_songs.msd_artist_id,
        coalesce(msd_songs.duplicate_of_msd_track_id, msd_songs.msd_track_id) as first_msd_track_id,
        tracks.artist_key,
        tracks.spotify_track_id,
        tracks.spotify_artist_id,
        tracks.isrc,
        msd_songs.source_system as song_source_system,
        tracks.source_system as track_source_system,
        msd_songs.terms_of_use as song_terms_of_use,
        tracks.terms_of_use as track_terms_of_use,
        msd_songs.duration_seconds as song_duration_seconds,
        abs(pairs.duration_difference_seconds) as seconds_apart,
        coalesce(artist_candidates.name_similarity = 1.0, false) as is_by_the_artist,
        coalesce(msd_songs.is_mismatched, false) as is_mismatched,
        coalesce(msd_songs.is_duplicate, false) as is_duplicate,
        greatest(msd_songs.loaded_at, tracks.loaded_at) as loaded_at
    from pairs
    inner join msd_songs
        on pairs.msd_track_id = msd_songs.msd_track_id
    inner join tracks
        on pairs.track_key = tracks.track_key
    left join artist_candidates
        on
            msd_songs.msd_artist_id = artist_candidates.msd_artist_id
            and tracks.artist_key = artist_candidates.artist_key

),

weighed_pairs as (

    select
        *,
        case
            when seconds_apart is null then {{ match_rule('unknown_duration_evidence') }}
            when seconds_apart <= {{ match_rule('equal_seconds') }} then 1.0
            when seconds_apart >= {{ match_rule('other_take_seconds') }} then 0.0
            else
                ({{ match_rule('other_take_seconds') }} - seconds_apart)
                / ({{ match_rule('other_take_seconds') }} - {{ match_rule('equal_seconds') }})
        end as duration_evidence,
        case
            when year_difference <= -{{ match_rule('years_too_early') }}
                then {{ match_rule('earlier_year_malus') }}
            else 0.0
        end as year_malus,
        -- One side may leave out that it is live where the album says so: the same album, the same length.
        song_versions <> track_versions
        and not (
            (
                song_versions = ''
                or track_versions = ''
                or strpos(' ' || song_versions || ' ', ' ' || track_versions || ' ') > 0
                or strpos(' ' || track_versions || ' ', ' ' || song_versions || ' ') > 0
            )
            and coalesce(release_similarity >= {{ match_rule('release_floor') }}, false)
            and coalesce(seconds_apart <= {{ match_rule('equal_seconds') }}, false)
        ) as is_other_version
    from described_pairs

)

select
    msd_track_id,
    track_key,
    msd_artist_id,
    first_msd_track_id,
    artist_key,
    spotify_track_id,
    spotify_artist_id,
    isrc,
    found_by,
    manual_decision,
    song_versions,
    track_versions,
    song_editions,
    track_editions,
    -- The first rule that the pair breaks, whatever its score.
    case
        when is_mismatched then 'mismatched_song'
        when found_by is null then null
        when is_other_version then 'other_version'
        when coalesce(artist_similarity, 0.0) < {{ match_rule('similarity_floor') }} then 'other_artist'
        when coalesce(title_similarity, 0.0) <= {{ match_rule('other_title_limit') }} then 'other_title'
        when seconds_apart >= {{ match_rule('other_take_seconds') }} then 'other_duration'
    end as broken_rule,
    song_source_system,
    track_source_system,
    song_terms_of_use,
    track_terms_of_use,
    song_duration_seconds,
    seconds_apart,
    title_similarity,
    full_title_similarity,
    artist_similarity,
    guest_similarity,
    release_similarity,
    duration_difference_seconds,
    year_difference,
    -- To six digits, so that both engines find the same pairs equal.
    case
        when found_by is not null
            then
                cast(cast(
                    greatest(0.0, least(
                        1.0,
                        {{ match_rule('title_weight') }}
                        * {{ match_evidence('title_similarity', 'similarity_floor') }}
                        + {{ match_rule('full_title_weight') }}
                        * {{ match_evidence('full_title_similarity', 'similarity_floor') }}
                        + {{ match_rule('artist_weight') }}
                        * {{ match_evidence('artist_similarity', 'similarity_floor') }}
                        + {{ match_rule('duration_weight') }} * duration_evidence
                        + {{ match_rule('release_bonus') }}
                        * {{ match_evidence('release_similarity', 'release_floor') }}
                        - year_malus
                    )) as decimal(7, 6)
                ) as double precision)
    end as match_score,
    is_by_the_artist,
    is_duplicate,
    loaded_at
from weighed_pairs
