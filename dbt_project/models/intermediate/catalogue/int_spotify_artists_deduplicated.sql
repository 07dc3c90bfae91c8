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

),

-- Popularity and followers of one day: two numbers of different days say nothing together.
ranked_popularities as (

    select
        spotify_artist_id,
        spotify_popularity,
        follower_count,
        observed_on,
        row_number() over (
            partition by spotify_artist_id
            order by
                observed_on desc,
                case when is_full then 0 else 1 end
        ) as recency_rank
    from artists
    where spotify_popularity is not null or follower_count is not null

)

select
    ranked_artists.spotify_artist_id,
    ranked_artists.artist_name,
    ranked_artists.image_url,
    ranked_artists.source_system,
    ranked_artists.terms_of_use,
    ranked_popularities.spotify_popularity,
    ranked_popularities.follower_count,
    ranked_popularities.observed_on as popularity_observed_on,
    ranked_artists.loaded_at,
    ranked_artists.extracted_at
from ranked_artists
left join ranked_popularities
    on
        ranked_artists.spotify_artist_id = ranked_popularities.spotify_artist_id
        and ranked_popularities.recency_rank = 1
where ranked_artists.artist_rank = 1
