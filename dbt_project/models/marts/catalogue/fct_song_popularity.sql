{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook="{{ remove_stale_sets(ref('int_track_popularities_fingerprinted')) }}",
) }}

with told_tracks as (

    select * from {{ ref('int_track_popularities_fingerprinted') }}
    {% if is_incremental() %}
        where {{ is_to_be_built('content_key') }}
    {% endif %}

),

spotify_tracks as (

    select * from {{ ref('stg_spotify__tracks') }}
    where spotify_popularity is not null

),

tracks as (

    select * from {{ ref('int_tracks_resolved') }}

),

ranked_tracks as (

    select
        spotify_tracks.*,
        told_tracks.content_key,
        row_number() over (
            partition by spotify_tracks.spotify_track_id, spotify_tracks.observed_on
            order by case when spotify_tracks.is_full then 0 else 1 end
        ) as track_rank
    from spotify_tracks
    inner join told_tracks
        on spotify_tracks.spotify_track_id = told_tracks.spotify_track_id

)

select
    ranked_tracks.spotify_track_id,
    ranked_tracks.observed_on,
    ranked_tracks.content_key,
    tracks.song_id,
    ranked_tracks.spotify_popularity,
    ranked_tracks.source_system,
    ranked_tracks.terms_of_use,
    {{ is_training_allowed('ranked_tracks.terms_of_use') }} as is_training_allowed,
    ranked_tracks.observed_at,
    ranked_tracks.loaded_at,
    ranked_tracks.extracted_at
from ranked_tracks
left join tracks
    on ranked_tracks.spotify_track_id = tracks.track_key
where ranked_tracks.track_rank = 1
