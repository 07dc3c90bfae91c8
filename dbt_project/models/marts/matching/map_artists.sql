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
        greatest(msd_artists.loaded_at, artists.loaded_at) as loaded_at,
        {{ terms_of_both('msd_artists.source_system', 'artists.source_system') }} as source_system,
        {{ terms_of_both('msd_artists.terms_of_use', 'artists.terms_of_use') }} as terms_of_use
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
    {{ is_training_allowed('terms_of_use') }} as is_training_allowed,
    loaded_at
from named_pairs
