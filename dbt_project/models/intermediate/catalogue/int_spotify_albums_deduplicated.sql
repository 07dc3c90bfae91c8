with albums as (

    select * from {{ ref('stg_spotify__albums') }}

),

ranked_albums as (

    select
        *,
        row_number() over (
            partition by spotify_album_id
            order by
                case when release_name is null then 1 else 0 end,
                case when is_full then 0 else 1 end,
                observed_on desc
        ) as album_rank
    from albums

)

select
    spotify_album_id,
    release_name,
    release_year,
    extracted_at
from ranked_albums
where album_rank = 1
