with scored_pairs as (

    select * from {{ ref('int_song_candidates_scored') }}

),

judged_pairs as (

    select
        *,
        coalesce(manual_decision = 'accept', false) as is_manual,
        coalesce(
            manual_decision = 'accept'
            or (
                manual_decision is null
                and broken_rule is null
                and match_score >= {{ match_rule('least_score') }}
            ),
            false
        ) as is_good
    from scored_pairs

),

-- An ISRC names one recording. A track with that of a good one is the same song, though its artist is
-- unlike, or its title; but an ISRC can be pasted over an album, so with an unlike title the length has
-- to be the song's. Without an ISRC a track shares it with itself.
pairs_with_isrc as (

    select
        *,
        not is_good
        and manual_decision is null
        and coalesce(broken_rule, '') not in ('mismatched_song', 'other_version')
        and (
            (
                coalesce(title_similarity, 0.0) > {{ match_rule('other_title_limit') }}
                and coalesce(seconds_apart < {{ match_rule('other_take_seconds') }}, true)
            )
            or (
                coalesce(artist_similarity, 0.0) >= {{ match_rule('similarity_floor') }}
                and coalesce(seconds_apart <= {{ match_rule('equal_seconds') }}, false)
            )
        )
        and max(case when is_good then 1 else 0 end) over (
            partition by msd_track_id, coalesce(isrc, track_key)
        ) = 1 as is_good_by_isrc
    from judged_pairs

),

pairs_with_artist as (

    select
        *,
        case
            when is_manual then null
            when manual_decision = 'reject' then 'manual_reject'
            when is_good_by_isrc then null
            when broken_rule is not null then broken_rule
            when not is_good then 'low_score'
        end as first_reason,
        max(
            case
                when
                    (is_good or is_good_by_isrc)
                    and is_by_the_artist
                    and spotify_artist_id is not null
                    then 1
                else 0
            end
        ) over (partition by msd_track_id) = 1 as has_track_of_the_artist
    from pairs_with_isrc

),

-- Of two artists of almost the same name the one whose name is the song's has the song. The other may be the
-- same artist, too ("X & The Band"): then the tracks are of one length.
pairs_of_the_artist as (

    select
        *,
        case
            when first_reason is not null then first_reason
            when
                not is_manual
                and artist_similarity < 1.0
                and not is_by_the_artist
                and spotify_artist_id is not null
                and has_track_of_the_artist
                and coalesce(seconds_apart > {{ match_rule('equal_seconds') }}, true)
                then 'better_artist'
        end as second_reason
    from pairs_with_artist

),

-- Where one track is as long as the song, a track much longer or shorter is another take of it, though
-- no word says so.
pairs_with_take as (

    select
        *,
        min(case when second_reason is null then seconds_apart end)
            over (partition by msd_track_id) as least_seconds_apart,
        min(case when second_reason is null then seconds_apart end)
            over (partition by msd_track_id, coalesce(isrc, track_key)) as least_seconds_apart_of_isrc
    from pairs_of_the_artist

),

pairs_of_the_take as (

    select
        *,
        case
            when second_reason is not null then second_reason
            when
                not is_manual
                and least_seconds_apart <= {{ match_rule('equal_seconds') }}
                and least_seconds_apart_of_isrc > {{ match_rule('same_take_seconds') }}
                then 'better_track'
        end as third_reason
    from pairs_with_take

),

ranked_songs as (

    select
        *,
        row_number() over (
            partition by track_key
            order by
                case when third_reason is null then 0 else 1 end,
                case when is_manual then 0 else 1 end,
                match_score desc nulls last,
                seconds_apart asc nulls last,
                msd_track_id asc
        ) as song_rank
    from pairs_of_the_take

),

pairs_with_best_song as (

    select
        *,
        max(case when song_rank = 1 then first_msd_track_id end)
            over (partition by track_key) as best_first_msd_track_id,
        max(case when song_rank = 1 then song_duration_seconds end)
            over (partition by track_key) as best_song_duration_seconds,
        max(case when song_rank = 1 then case when is_manual then 1.0 else match_score end end)
            over (partition by track_key) as best_score
    from ranked_songs

),

-- The dataset holds many recordings twice, and both are right: known duplicates, or songs of one length.
-- Of others the track is the one that it fits clearly better.
decided_pairs as (

    select
        *,
        case
            when third_reason is not null then third_reason
            when
                not is_manual
                and match_score < best_score - {{ match_rule('song_margin') }}
                and first_msd_track_id <> best_first_msd_track_id
                and coalesce(
                    abs(song_duration_seconds - best_song_duration_seconds)
                    > {{ match_rule('equal_seconds') }},
                    true
                )
                then 'better_song'
        end as reject_reason
    from pairs_with_best_song

),

ranked_tracks as (

    select
        *,
        row_number() over (
            partition by msd_track_id
            order by
                case when reject_reason is null then 0 else 1 end,
                case when is_manual then 0 else 1 end,
                case when spotify_track_id is null then 1 else 0 end,
                match_score desc nulls last,
                seconds_apart asc nulls last,
                track_key asc
        ) as track_rank
    from decided_pairs

)

select
    msd_track_id,
    track_key,
    msd_artist_id,
    artist_key,
    spotify_track_id,
    spotify_artist_id,
    isrc,
    found_by,
    song_versions,
    track_versions,
    song_editions,
    track_editions,
    case
        when reject_reason is not null then null
        when is_manual then 'manual'
        when is_good_by_isrc then 'isrc'
        when title_similarity = 1.0 and artist_similarity = 1.0 then 'exact'
        else 'fuzzy'
    end as match_method,
    case
        when reject_reason is not null then null
        when is_manual or match_score >= {{ match_rule('certain_score') }} then 'certain'
        when match_score >= {{ match_rule('high_score') }} then 'high'
        when match_score >= {{ match_rule('medium_score') }} or is_good_by_isrc then 'medium'
        else 'low'
    end as confidence_band,
    reject_reason,
    {{ terms_of_both('song_source_system', 'track_source_system') }} as source_system,
    {{ terms_of_both('song_terms_of_use', 'track_terms_of_use') }} as terms_of_use,
    title_similarity,
    full_title_similarity,
    artist_similarity,
    guest_similarity,
    release_similarity,
    duration_difference_seconds,
    year_difference,
    match_score,
    reject_reason is null as is_accepted,
    reject_reason is null and track_rank = 1 as is_chosen,
    is_duplicate,
    loaded_at
from ranked_tracks
