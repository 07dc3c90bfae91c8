with songs as (

    select * from {{ ref('stg_msd__songs') }}

),

artist_terms as (

    select * from {{ ref('stg_msd__artist_terms') }}

),

artist_mbtags as (

    select * from {{ ref('stg_msd__artist_mbtags') }}

),

database_terms as (

    select * from {{ ref('stg_reference_files__artist_terms') }}

),

database_mbtags as (

    select * from {{ ref('stg_reference_files__artist_mbtags') }}

),

artists as (

    select
        msd_artist_id,
        max(source_system) as source_system,
        max(terms_of_use) as terms_of_use
    from songs
    where msd_artist_id is not null
    group by msd_artist_id

),

-- Every song file repeats its artist's terms and tags; the databases have them without weights.
tags as (

    select
        songs.msd_artist_id,
        'echonest' as tag_source,
        artist_terms.term as tag_name,
        artist_terms.term_weight as tag_weight,
        artist_terms.term_frequency as tag_frequency,
        cast(null as integer) as tag_count,
        artist_terms.loaded_at
    from artist_terms
    inner join songs
        on artist_terms.msd_track_id = songs.msd_track_id
    where artist_terms.term is not null
    union all
    select
        songs.msd_artist_id,
        'musicbrainz' as tag_source,
        artist_mbtags.mbtag as tag_name,
        cast(null as double precision) as tag_weight,
        cast(null as double precision) as tag_frequency,
        artist_mbtags.mbtag_count as tag_count,
        artist_mbtags.loaded_at
    from artist_mbtags
    inner join songs
        on artist_mbtags.msd_track_id = songs.msd_track_id
    where artist_mbtags.mbtag is not null
    union all
    select
        msd_artist_id,
        'echonest' as tag_source,
        term as tag_name,
        cast(null as double precision) as tag_weight,
        cast(null as double precision) as tag_frequency,
        cast(null as integer) as tag_count,
        loaded_at
    from database_terms
    where trim(term) <> ''
    union all
    select
        msd_artist_id,
        'musicbrainz' as tag_source,
        mbtag as tag_name,
        cast(null as double precision) as tag_weight,
        cast(null as double precision) as tag_frequency,
        cast(null as integer) as tag_count,
        loaded_at
    from database_mbtags
    where trim(mbtag) <> ''

)

select
    tags.msd_artist_id,
    tags.tag_source,
    tags.tag_name,
    max(artists.source_system) as source_system,
    max(artists.terms_of_use) as terms_of_use,
    max(tags.tag_weight) as tag_weight,
    max(tags.tag_frequency) as tag_frequency,
    max(tags.tag_count) as tag_count,
    max(tags.loaded_at) as loaded_at
from tags
inner join artists
    on tags.msd_artist_id = artists.msd_artist_id
group by tags.msd_artist_id, tags.tag_source, tags.tag_name
