{{ config(meta={'dagster': {'ref': {'name': 'fct_song_match_candidates'}}}) }}

-- Every candidate of a song and a track that are here is accepted, in the map, or rejected for one reason.
with candidates as (

    select count(*) as row_count
    from {{ ref('stg_matching__song_candidates') }} as candidates
    inner join {{ ref('stg_msd__songs') }} as songs
        on candidates.msd_track_id = songs.msd_track_id
    inner join {{ ref('int_tracks_deduplicated') }} as tracks
        on candidates.track_key = tracks.track_key

),

decided as (

    select
        sum(case when found_by is not null then 1 else 0 end) as found_count,
        sum(case when is_accepted then 1 else 0 end) as accepted_count,
        sum(case when reject_reason is not null then 1 else 0 end) as rejected_count,
        count(*) as row_count
    from {{ ref('fct_song_match_candidates') }}

),

mapped as (

    select count(*) as row_count
    from {{ ref('map_song_tracks') }}

)

select
    candidates.row_count as candidate_count,
    decided.found_count,
    decided.accepted_count,
    decided.rejected_count,
    mapped.row_count as mapped_count
from candidates
cross join decided
cross join mapped
where
    candidates.row_count <> coalesce(decided.found_count, 0)
    or mapped.row_count <> coalesce(decided.accepted_count, 0)
    or decided.row_count <> coalesce(decided.accepted_count + decided.rejected_count, 0)
