{{ config(meta={'dagster': {'ref': {'name': 'bridge_artist_tags'}}}) }}

-- Every raw term and tag is in the bridge, or is not for a reason that is counted for itself.
with current_songs as (

    {{ current_msd_songs() }}

),

tags as (

    select
        songs.msd_artist_id,
        'echonest' as tag_source,
        terms.term as tag_name
    from {{ ref('stg_msd__artist_terms') }} as terms
    left join {{ ref('stg_msd__songs') }} as songs
        on terms.msd_track_id = songs.msd_track_id
    union all
    select
        songs.msd_artist_id,
        'musicbrainz' as tag_source,
        mbtags.mbtag as tag_name
    from {{ ref('stg_msd__artist_mbtags') }} as mbtags
    left join {{ ref('stg_msd__songs') }} as songs
        on mbtags.msd_track_id = songs.msd_track_id
    union all
    select
        msd_artist_id,
        'echonest' as tag_source,
        {{ blank_to_null('term') }} as tag_name
    from {{ ref('stg_reference_files__artist_terms') }}
    union all
    select
        msd_artist_id,
        'musicbrainz' as tag_source,
        {{ blank_to_null('mbtag') }} as tag_name
    from {{ ref('stg_reference_files__artist_mbtags') }}

),

artist_tags as (

    select
        case
            when tags.tag_name is null then 'without a name'
            when artists.msd_artist_id is null then 'of no known artist'
        end as reason,
        count(*) as tag_count
    from tags
    left join {{ ref('int_artists_deduplicated') }} as artists
        on tags.msd_artist_id = artists.msd_artist_id
    group by tags.msd_artist_id, tags.tag_source, tags.tag_name, artists.msd_artist_id

),

fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('msd', 'artist_terms') }}
    union all
    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('msd', 'artist_mbtags') }}
    union all
    {{ superseded_rows(
        source('msd', 'artist_terms'), '(select * from current_songs where not is_summary)', ['track_id']
    ) }}
    union all
    {{ superseded_rows(
        source('msd', 'artist_mbtags'), '(select * from current_songs where not is_summary)', ['track_id']
    ) }}
    union all
    {{ reference_row_fates('artist_terms', ['artist_id', 'term']) }}
    union all
    {{ reference_row_fates('artist_mbtags', ['artist_id', 'mbtag']) }}
    union all
    select
        reason as fate,
        sum(tag_count) as row_count
    from artist_tags
    where reason is not null
    group by reason
    union all
    select
        'told again' as fate,
        sum(tag_count - 1) as row_count
    from artist_tags
    where reason is null
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('bridge_artist_tags') }}

)

{{ unaccounted_rows('fates') }}
