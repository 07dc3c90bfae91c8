with spotify_tracks as (

    select * from {{ ref('stg_spotify__tracks') }}
    where spotify_popularity is not null

),

tracks as (

    select * from {{ ref('int_tracks_resolved') }}

),

ranked_tracks as (

    select
        *,
        row_number() over (
            partition by spotify_track_id, observed_on
            order by case when is_full then 0 else 1 end
        ) as track_rank
    from spotify_tracks

)

select
    ranked_tracks.spotify_track_id,
    ranked_tracks.observed_on,
    tracks.song_id,
    ranked_tracks.spotify_popularity,
    ranked_tracks.source_system,
    ranked_tracks.terms_of_use,
    {{ is_training_allowed('ranked_tracks.terms_of_use') }} as is_training_allowed,
    ranked_tracks.observed_at,
    ranked_tracks.extracted_at
from ranked_tracks
left join tracks
    on ranked_tracks.spotify_track_id = tracks.track_key
where ranked_tracks.track_rank = 1
