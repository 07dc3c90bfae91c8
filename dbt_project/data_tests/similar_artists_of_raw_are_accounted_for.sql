{{ config(meta={'dagster': {'ref': {'name': 'bridge_similar_artists'}}}) }}

-- Every raw pair of artists is in the bridge, or is not for a reason that is counted for itself.
with current_songs as (

    {{ current_msd_songs() }}

),

pairs as (

    select
        artists.msd_artist_id,
        similar_artists.similar_msd_artist_id,
        case
            when artists.msd_artist_id is null then 'in another song file of the artist'
            when similar_artists.similar_msd_artist_id is null then 'without an id'
        end as reason
    from {{ ref('stg_msd__similar_artists') }} as similar_artists
    left join {{ ref('int_artists_deduplicated') }} as artists
        on similar_artists.msd_track_id = artists.msd_track_id
    union all
    select
        artists.msd_artist_id,
        similar_artists.similar_msd_artist_id,
        case when artists.msd_artist_id is null then 'of no known artist' end as reason
    from {{ ref('stg_reference_files__similar_artists') }} as similar_artists
    left join {{ ref('int_artists_deduplicated') }} as artists
        on similar_artists.msd_artist_id = artists.msd_artist_id

),

fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('msd', 'similar_artists') }}
    union all
    {{ superseded_rows(
        source('msd', 'similar_artists'), '(select * from current_songs where not is_summary)', ['track_id']
    ) }}
    union all
    {{ reference_row_fates('similar_artists', ['artist_id', 'similar_artist_id']) }}
    union all
    select
        reason as fate,
        count(*) as row_count
    from pairs
    where reason is not null
    group by reason
    union all
    select
        'told again' as fate,
        sum(pair_count - 1) as row_count
    from (
        select count(*) as pair_count
        from pairs
        where reason is null
        group by msd_artist_id, similar_msd_artist_id
    ) as rows_by_pair
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('bridge_similar_artists') }}

)

{{ unaccounted_rows('fates') }}
