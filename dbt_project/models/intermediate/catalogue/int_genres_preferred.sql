{{ config(materialized='view') }}

with genres as (

    select * from {{ ref('stg_reference_files__genres') }}

),

-- cd2c holds what two sources agree on, cd1 what most of three say, cd2 what either of two says.
ranked_genres as (

    select
        *,
        row_number() over (
            partition by msd_track_id
            order by
                case annotation when 'cd2c' then 1 when 'cd1' then 2 when 'cd2' then 3 else 4 end,
                annotation asc
        ) as annotation_rank
    from genres
    where genre is not null

)

select
    msd_track_id,
    genre,
    minority_genre,
    case annotation when '' then 'tagtraum' else 'tagtraum_' || annotation end as genre_source,
    terms_of_use
from ranked_genres
where annotation_rank = 1
