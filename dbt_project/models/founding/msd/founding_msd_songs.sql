with songs as (

    select * from {{ ref('dim_songs') }}
    where is_in_msd

)

-- A year that only an album at Spotify tells is not the MSD's.
select
    msd_track_id as id,
    title as name,
    release_name as release,
    genre,
    artist_id,
    artist_name,
    case when release_year_source <> 'spotify_album' then release_year end as year,
    terms_of_use,
    is_training_allowed
from songs
