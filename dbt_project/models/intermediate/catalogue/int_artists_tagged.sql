{{ config(materialized='view') }}

with tags as (

    select * from {{ ref('int_artist_tags_unioned') }}

),

-- A source weighs its tags or counts them, never both.
ranked_tags as (

    select
        msd_artist_id,
        tag_source,
        tag_name,
        count(*) over (partition by msd_artist_id, tag_source) as source_tag_count,
        row_number() over (
            partition by msd_artist_id, tag_source
            order by
                tag_weight desc nulls last,
                tag_frequency desc nulls last,
                tag_count desc nulls last,
                tag_name asc
        ) as tag_rank
    from tags

),

top_terms as (

    select * from ranked_tags
    where tag_source = 'echonest' and tag_rank = 1

),

top_mbtags as (

    select * from ranked_tags
    where tag_source = 'musicbrainz' and tag_rank = 1

)

select
    coalesce(top_terms.msd_artist_id, top_mbtags.msd_artist_id) as msd_artist_id,
    top_terms.tag_name as top_term,
    top_mbtags.tag_name as top_mbtag,
    coalesce(top_terms.source_tag_count, 0) as term_count,
    coalesce(top_mbtags.source_tag_count, 0) as mbtag_count
from top_terms
full outer join top_mbtags
    on top_terms.msd_artist_id = top_mbtags.msd_artist_id
