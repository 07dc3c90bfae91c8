with playlist_observations as (

    select * from {{ ref('int_playlist_observations_unioned') }}

)

-- When a row was extracted decides between looks of one moment.
select
    observed_on,
    {{ hash_key([
        'observed_on',
        fingerprint_of_rows([
            'playlist_id',
            'snapshot_id',
            'seen_in',
            'source_system',
            'terms_of_use',
            is_training_allowed('terms_of_use'),
            'follower_count',
            'is_available',
            'observed_at',
            'extracted_at',
        ]),
    ]) }} as content_key
from playlist_observations
group by observed_on
