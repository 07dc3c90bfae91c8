with similar_artists as (

    select * from {{ ref('int_similar_artists_unioned') }}

),

artists as (

    select * from {{ ref('dim_artists') }}

)

select
    similar_artists.msd_artist_id as artist_id,
    similar_artists.similar_msd_artist_id as similar_artist_id,
    similar_artists.source_system,
    similar_artists.terms_of_use,
    cast(similar_artists.similarity_rank as bigint) as similarity_rank,
    artists.artist_id is not null as is_in_dim_artists,
    {{ is_training_allowed('similar_artists.terms_of_use') }} as is_training_allowed,
    similar_artists.loaded_at
from similar_artists
left join artists
    on similar_artists.similar_msd_artist_id = artists.artist_id
