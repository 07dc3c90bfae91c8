with spotify_artists as (

    select * from {{ ref('stg_spotify__artists') }}
    where spotify_popularity is not null or follower_count is not null

),

artists as (

    select * from {{ ref('int_artists_matched') }}

),

ranked_artists as (

    select
        *,
        row_number() over (
            partition by spotify_artist_id, observed_on
            order by case when is_full then 0 else 1 end
        ) as artist_rank
    from spotify_artists

)

select
    ranked_artists.spotify_artist_id,
    ranked_artists.observed_on,
    artists.artist_id,
    ranked_artists.spotify_popularity,
    ranked_artists.follower_count,
    ranked_artists.source_system,
    ranked_artists.terms_of_use,
    {{ is_training_allowed('ranked_artists.terms_of_use') }} as is_training_allowed,
    ranked_artists.observed_at,
    ranked_artists.loaded_at,
    ranked_artists.extracted_at
from ranked_artists
left join artists
    on ranked_artists.spotify_artist_id = artists.artist_key
where ranked_artists.artist_rank = 1
