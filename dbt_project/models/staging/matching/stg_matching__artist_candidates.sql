with source_artist_candidates as (

    select * from {{ source('matching', 'artist_candidates') }}

)

select
    msd_artist_id,
    artist_key,
    name_similarity,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_artist_candidates
