with track_tags as (

    select * from {{ ref('stg_reference_files__track_tags') }}

),

songs as (

    select * from {{ ref('int_songs_enriched') }}

)

select
    songs.msd_track_id as song_id,
    'lastfm' as tag_source,
    track_tags.tag_name,
    track_tags.source_system,
    track_tags.terms_of_use,
    track_tags.tag_weight,
    {{ is_training_allowed('track_tags.terms_of_use') }} as is_training_allowed,
    track_tags.loaded_at
from track_tags
inner join songs
    on track_tags.msd_track_id = songs.msd_track_id
