with artists as (

    select * from {{ ref('dim_artists') }}
    where is_in_msd

)

select
    msd_artist_id as id,
    name,
    location,
    longitude,
    latitude,
    tag_names as tags,
    terms_of_use,
    is_training_allowed
from artists
