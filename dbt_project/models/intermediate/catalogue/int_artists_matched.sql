with tracks as (

    select * from {{ ref('int_tracks_deduplicated') }}

),

artist_pairs as (

    select * from {{ ref('int_artist_candidates_decided') }}
    where is_accepted

),

spotify_artists as (

    select * from {{ ref('int_spotify_artists_deduplicated') }}
    where artist_name is not null

),

names as (

    select
        artist_key,
        spotify_artist_id,
        artist_name,
        source_system,
        terms_of_use,
        count(*) as track_count,
        max(loaded_at) as loaded_at,
        max(extracted_at) as extracted_at
    from tracks
    where artist_key is not null
    group by artist_key, spotify_artist_id, artist_name, source_system, terms_of_use

),

ranked_names as (

    select
        *,
        row_number() over (
            partition by artist_key
            order by
                case when artist_name is null then 1 else 0 end,
                track_count desc,
                artist_name asc,
                source_system asc nulls last,
                terms_of_use asc nulls last
        ) as name_rank
    from names

),

-- An artist may be several of the MSD, which writes guests into names.
ranked_msd_artists as (

    select
        artist_key,
        msd_artist_id,
        shared_track_count,
        row_number() over (
            partition by artist_key
            order by msd_artist_rank asc
        ) as rank_of_accepted
    from artist_pairs

)

select
    ranked_names.artist_key,
    coalesce(ranked_msd_artists.msd_artist_id, ranked_names.artist_key) as artist_id,
    ranked_msd_artists.msd_artist_id,
    ranked_names.spotify_artist_id,
    -- The artist's own object knows the name better than the tracks do.
    coalesce(spotify_artists.artist_name, ranked_names.artist_name) as artist_name,
    coalesce(spotify_artists.source_system, ranked_names.source_system) as source_system,
    coalesce(spotify_artists.terms_of_use, ranked_names.terms_of_use) as terms_of_use,
    coalesce(ranked_msd_artists.shared_track_count, 0) as shared_track_count,
    ranked_names.loaded_at,
    ranked_names.extracted_at
from ranked_names
left join ranked_msd_artists
    on
        ranked_names.artist_key = ranked_msd_artists.artist_key
        and ranked_msd_artists.rank_of_accepted = 1
left join spotify_artists
    on ranked_names.spotify_artist_id = spotify_artists.spotify_artist_id
where ranked_names.name_rank = 1
