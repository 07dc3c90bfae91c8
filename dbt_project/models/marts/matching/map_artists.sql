with accepted_pairs as (

    select * from {{ ref('int_artist_candidates_decided') }}
    where is_accepted

),

msd_artists as (

    select * from {{ ref('int_artists_deduplicated') }}

),

artists as (

    select * from {{ ref('int_artists_matched') }}

),

named_pairs as (

    select
        accepted_pairs.*,
        artists.spotify_artist_id,
        msd_artists.artist_name as msd_artist_name,
        artists.artist_name,
        case
            when msd_artists.source_system <> artists.source_system
                then msd_artists.source_system || ' | ' || artists.source_system
            else coalesce(msd_artists.source_system, artists.source_system)
        end as source_system,
        case
            when msd_artists.terms_of_use <> artists.terms_of_use
                then msd_artists.terms_of_use || ' | ' || artists.terms_of_use
            else coalesce(msd_artists.terms_of_use, artists.terms_of_use)
        end as terms_of_use
    from accepted_pairs
    inner join msd_artists
        on accepted_pairs.msd_artist_id = msd_artists.msd_artist_id
    inner join artists
        on accepted_pairs.artist_key = artists.artist_key

)

select
    msd_artist_id,
    artist_key,
    spotify_artist_id,
    msd_artist_name,
    artist_name,
    match_method,
    confidence_band,
    source_system,
    terms_of_use,
    name_similarity,
    match_score,
    shared_song_count,
    {{ is_training_allowed('terms_of_use') }} as is_training_allowed
from named_pairs
