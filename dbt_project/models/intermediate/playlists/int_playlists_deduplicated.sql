with playlists as (

    select * from {{ ref('stg_playlist_files__playlists') }}

),

playlist_observations as (

    select * from {{ ref('stg_playlist_files__playlist_observations') }}

),

observed_states as (

    select
        playlist_id,
        snapshot_id,
        max(observed_at) as last_observed_at,
        max(extracted_at) as last_extracted_at
    from playlist_observations
    group by playlist_id, snapshot_id

),

observed_playlists as (

    select
        playlist_id,
        min(observed_on) as first_observed_on,
        max(observed_on) as last_observed_on
    from playlist_observations
    group by playlist_id

),

-- A state that no observation points to any more (its observation was read again and shows
-- another state) comes after all that are.
ranked_states as (

    select
        playlists.*,
        row_number() over (
            partition by playlists.playlist_id
            order by
                observed_states.last_observed_at desc nulls last,
                observed_states.last_extracted_at desc nulls last,
                playlists.snapshot_id desc
        ) as recency_rank,
        count(*) over (partition by playlists.playlist_id) as state_count
    from playlists
    left join observed_states
        on
            playlists.playlist_id = observed_states.playlist_id
            and playlists.snapshot_id = observed_states.snapshot_id

)

select
    ranked_states.playlist_id,
    ranked_states.snapshot_id,
    ranked_states.name,
    ranked_states.description,
    ranked_states.source_system,
    ranked_states.terms_of_use,
    ranked_states.follower_count,
    ranked_states.edit_count,
    ranked_states.declared_track_count,
    ranked_states.item_count,
    ranked_states.state_count,
    ranked_states.is_collaborative,
    observed_playlists.first_observed_on,
    observed_playlists.last_observed_on,
    ranked_states.modified_at,
    ranked_states.extracted_at
from ranked_states
left join observed_playlists
    on ranked_states.playlist_id = observed_playlists.playlist_id
where ranked_states.recency_rank = 1
