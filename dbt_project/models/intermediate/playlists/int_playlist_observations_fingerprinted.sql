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
            'case when ' ~ is_training_allowed('terms_of_use') ~ ' then 1 else 0 end',
            'follower_count',
            'case when is_available then 1 else 0 end',
            'observed_at',
            'extracted_at',
        ]),
    ]) }} as content_key
from playlist_observations
group by observed_on
