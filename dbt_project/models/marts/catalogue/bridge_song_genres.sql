with songs as (

    select * from {{ ref('int_songs_enriched') }}

),

genres as (

    select * from {{ ref('stg_reference_files__genres') }}

),

labels as (

    select
        msd_track_id,
        case annotation when '' then 'tagtraum' else 'tagtraum_' || annotation end as genre_source,
        genre as genre_name,
        false as is_minority,
        source_system,
        terms_of_use,
        loaded_at
    from genres
    where genre is not null
    union all
    select
        msd_track_id,
        case annotation when '' then 'tagtraum' else 'tagtraum_' || annotation end as genre_source,
        minority_genre as genre_name,
        true as is_minority,
        source_system,
        terms_of_use,
        loaded_at
    from genres
    where minority_genre is not null and minority_genre <> genre

)

select
    songs.msd_track_id as song_id,
    labels.genre_name,
    labels.genre_source,
    labels.is_minority,
    labels.source_system,
    labels.terms_of_use,
    {{ is_training_allowed('labels.terms_of_use') }} as is_training_allowed,
    labels.loaded_at
from songs
inner join labels
    on songs.msd_track_id = labels.msd_track_id
union all
select
    msd_track_id as song_id,
    genre as genre_name,
    genre_source,
    false as is_minority,
    source_system,
    terms_of_use,
    {{ is_training_allowed('terms_of_use') }} as is_training_allowed,
    loaded_at
from songs
where genre_source = 'msd'
