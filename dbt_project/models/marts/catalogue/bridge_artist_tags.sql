with tags as (

    select * from {{ ref('int_artist_tags_unioned') }}

)

select
    msd_artist_id as artist_id,
    tag_source,
    tag_name,
    source_system,
    terms_of_use,
    tag_weight,
    tag_frequency,
    tag_count,
    {{ is_training_allowed('terms_of_use') }} as is_training_allowed,
    loaded_at
from tags
