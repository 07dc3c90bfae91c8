with artists as (

    select * from {{ ref('int_artists_deduplicated') }}

),

similar_artists as (

    select * from {{ ref('stg_msd__similar_artists') }}

),

database_similar_artists as (

    select * from {{ ref('stg_reference_files__similar_artists') }}

),

-- All song files of an artist have the same list: one of them is read.
listed as (

    select
        artists.msd_artist_id,
        similar_artists.similar_msd_artist_id,
        artists.source_system,
        artists.terms_of_use,
        1 as list_number,
        similar_artists.position as list_position,
        similar_artists.loaded_at
    from similar_artists
    inner join artists
        on similar_artists.msd_track_id = artists.msd_track_id
    where similar_artists.similar_msd_artist_id is not null
    union all
    select
        artists.msd_artist_id,
        database_similar_artists.similar_msd_artist_id,
        artists.source_system,
        artists.terms_of_use,
        2 as list_number,
        database_similar_artists.row_id as list_position,
        database_similar_artists.loaded_at
    from database_similar_artists
    inner join artists
        on database_similar_artists.msd_artist_id = artists.msd_artist_id

),

ranked as (

    select
        *,
        row_number() over (
            partition by msd_artist_id, similar_msd_artist_id
            order by list_number asc, list_position asc
        ) as mention_number
    from listed

)

select
    msd_artist_id,
    similar_msd_artist_id,
    source_system,
    terms_of_use,
    row_number() over (
        partition by msd_artist_id
        order by list_number asc, list_position asc
    ) as similarity_rank,
    loaded_at
from ranked
where mention_number = 1
