{{ config(meta={'dagster': {'ref': {'name': 'dim_tracks'}}}) }}

-- What dim_tracks calls a track's popularity is the newest row of its history.
with ranked_days as (

    select
        spotify_track_id,
        observed_on,
        spotify_popularity,
        row_number() over (
            partition by spotify_track_id
            order by observed_on desc
        ) as recency_rank
    from {{ ref('fct_song_popularity') }}

),

last_days as (

    select * from ranked_days
    where recency_rank = 1

)

select
    tracks.spotify_track_id,
    tracks.spotify_popularity,
    tracks.popularity_observed_on,
    last_days.spotify_popularity as told_popularity,
    last_days.observed_on
from {{ ref('dim_tracks') }} as tracks
full outer join last_days
    on tracks.spotify_track_id = last_days.spotify_track_id
where
    coalesce(tracks.spotify_popularity, -1) <> coalesce(last_days.spotify_popularity, -1)
    or tracks.popularity_observed_on <> last_days.observed_on
