{{ config(meta={'dagster': {'ref': {'name': 'bridge_song_genres'}}}) }}

-- Every genre of a raw annotation, which may name a second one, and of a song that counts is in the bridge,
-- or is not for a reason that is counted for itself.
with annotations as (

    select
        genres.genre,
        genres.minority_genre,
        songs.msd_track_id,
        case when genres.genre is null then 0 else 1 end as genre_count,
        case when genres.minority_genre <> genres.genre then 1 else 0 end as second_genre_count
    from {{ ref('stg_reference_files__genres') }} as genres
    left join {{ ref('stg_msd__songs') }} as songs
        on genres.msd_track_id = songs.msd_track_id

),

fates as (

    {{ reference_row_fates('genres', ['annotation', 'track_id']) }}
    union all
    select
        'raw' as fate,
        count(minority_genre) as row_count
    from annotations
    union all
    select
        'raw' as fate,
        count(genre) as row_count
    from {{ ref('stg_msd__songs') }}
    union all
    select
        'without a genre' as fate,
        count(*) as row_count
    from annotations
    where genre is null
    union all
    select
        'no second genre' as fate,
        count(*) as row_count
    from annotations
    where minority_genre is not null and second_genre_count = 0
    union all
    select
        'of a song without a song file' as fate,
        sum(genre_count + second_genre_count) as row_count
    from annotations
    where msd_track_id is null
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('bridge_song_genres') }}

)

{{ unaccounted_rows('fates') }}
