with genres as (

    select * from {{ ref('int_artist_genres_unioned') }}

)

select
    artist_id,
    genre_name,
    'spotify' as genre_source,
    source_system,
    terms_of_use,
    {{ is_training_allowed('terms_of_use') }} as is_training_allowed,
    observed_on,
    loaded_at
from genres
