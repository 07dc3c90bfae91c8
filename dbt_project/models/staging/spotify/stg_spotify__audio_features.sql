with source_audio_features as (

    select * from {{ source('spotify', 'audio_features') }}

)

select
    track_id as spotify_track_id,
    source_system,
    terms_of_use,
    acousticness,
    danceability,
    energy,
    instrumentalness,
    liveness,
    loudness as loudness_db,
    speechiness,
    nullif(tempo, 0) as tempo_bpm,
    valence,
    nullif(key, -1) as key,
    mode,
    nullif(time_signature, 0) as time_signature,
    cast(nullif(duration_ms, 0) as double precision) / 1000 as duration_seconds,
    {{ utc_timestamp('observed_at') }} as observed_at,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from source_audio_features
