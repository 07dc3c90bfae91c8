{{ config(materialized='view') }}

with songs as (

    select * from {{ ref('stg_msd__songs') }}

),

artist_terms as (

    select * from {{ ref('stg_msd__artist_terms') }}

),

artist_mbtags as (

    select * from {{ ref('stg_msd__artist_mbtags') }}

),

-- Every song file repeats its artist's terms and tags.
terms as (

    select
        songs.msd_artist_id,
        artist_terms.term,
        max(artist_terms.term_weight) as term_weight,
        max(artist_terms.term_frequency) as term_frequency
    from artist_terms
    inner join songs
        on artist_terms.msd_track_id = songs.msd_track_id
    where songs.msd_artist_id is not null and artist_terms.term is not null
    group by songs.msd_artist_id, artist_terms.term

),

ranked_terms as (

    select
        msd_artist_id,
        term,
        count(*) over (partition by msd_artist_id) as term_count,
        row_number() over (
            partition by msd_artist_id
            order by term_weight desc nulls last, term_frequency desc nulls last, term asc
        ) as term_rank
    from terms

),

mbtags as (

    select
        songs.msd_artist_id,
        artist_mbtags.mbtag,
        max(artist_mbtags.mbtag_count) as mbtag_count
    from artist_mbtags
    inner join songs
        on artist_mbtags.msd_track_id = songs.msd_track_id
    where songs.msd_artist_id is not null and artist_mbtags.mbtag is not null
    group by songs.msd_artist_id, artist_mbtags.mbtag

),

ranked_mbtags as (

    select
        msd_artist_id,
        mbtag,
        count(*) over (partition by msd_artist_id) as artist_mbtag_count,
        row_number() over (
            partition by msd_artist_id
            order by mbtag_count desc nulls last, mbtag asc
        ) as mbtag_rank
    from mbtags

),

top_terms as (

    select * from ranked_terms
    where term_rank = 1

),

top_mbtags as (

    select * from ranked_mbtags
    where mbtag_rank = 1

)

select
    coalesce(top_terms.msd_artist_id, top_mbtags.msd_artist_id) as msd_artist_id,
    top_terms.term as top_term,
    top_mbtags.mbtag as top_mbtag,
    coalesce(top_terms.term_count, 0) as term_count,
    coalesce(top_mbtags.artist_mbtag_count, 0) as mbtag_count
from top_terms
full outer join top_mbtags
    on top_terms.msd_artist_id = top_mbtags.msd_artist_id
