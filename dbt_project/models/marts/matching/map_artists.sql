with pairs as (

    select * from {{ ref('int_artist_candidates_decided') }}
    where is_accepted

),

msd_artists as (

    select * from {{ ref('int_artists_deduplicated') }}

),

artists as (

    select * from {{ ref('int_artists_matched') }}

)

select
    pairs.msd_artist_id,
    pairs.artist_key,
    artists.spotify_artist_id,
    msd_artists.artist_name as msd_artist_name,
    artists.artist_name,
    pairs.match_method,
    pairs.confidence_band,
    case
        when msd_artists.source_system <> artists.source_system
            then msd_artists.source_system || ' | ' || artists.source_system
        else coalesce(msd_artists.source_system, artists.source_system)
    end as source_system,
    case
        when msd_artists.terms_of_use <> artists.terms_of_use
            then msd_artists.terms_of_use || ' | ' || artists.terms_of_use
        else coalesce(msd_artists.terms_of_use, artists.terms_of_use)
    end as terms_of_use,
    pairs.name_similarity,
    pairs.match_score,
    pairs.shared_song_count,
    {{ is_training_allowed("coalesce(msd_artists.terms_of_use, '') || ' ' || coalesce(artists.terms_of_use, '')") }}
        as is_training_allowed
from pairs
inner join msd_artists
    on pairs.msd_artist_id = msd_artists.msd_artist_id
inner join artists
    on pairs.artist_key = artists.artist_key
