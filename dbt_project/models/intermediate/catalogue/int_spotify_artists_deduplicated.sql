with artists as (

    select * from {{ ref('stg_spotify__artists') }}

),

ranked_artists as (

    select
        *,
        row_number() over (
            partition by spotify_artist_id
            order by
                case when artist_name is null then 1 else 0 end,
                case when is_full then 0 else 1 end,
                observed_on desc
        ) as artist_rank
    from artists

)

select
    spotify_artist_id,
    artist_name,
    source_system,
    terms_of_use,
    extracted_at
from ranked_artists
where artist_rank = 1
