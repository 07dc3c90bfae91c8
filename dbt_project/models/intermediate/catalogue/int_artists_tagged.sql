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

-- Two sources may have one tag.
named_tags as (

    select
        msd_artist_id,
        tag_name,
        row_number() over (
            partition by msd_artist_id
            order by
                max(tag_weight) desc nulls last,
                max(tag_count) desc nulls last,
                tag_name asc
        ) as name_rank
    from tags
    group by msd_artist_id, tag_name

),

-- Redshift takes no list that is longer than its longest text: twenty names, cut, never are.
tag_lists as (

    select
        msd_artist_id,
        {{ joined_texts('substring(tag_name, 1, 200)', ', ', 'name_rank') }} as tag_names
    from named_tags
    where name_rank <= 20
    group by msd_artist_id

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
    tag_lists.msd_artist_id,
    tag_lists.tag_names,
    top_terms.tag_name as top_term,
    top_mbtags.tag_name as top_mbtag,
    coalesce(top_terms.source_tag_count, 0) as term_count,
    coalesce(top_mbtags.source_tag_count, 0) as mbtag_count
from tag_lists
left join top_terms
    on tag_lists.msd_artist_id = top_terms.msd_artist_id
left join top_mbtags
    on tag_lists.msd_artist_id = top_mbtags.msd_artist_id
