with playlists as (

    select * from {{ ref('int_playlist_states_unioned') }}

),

playlist_observations as (

    select * from {{ ref('int_playlist_observations_unioned') }}

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
        max(observed_on) as last_observed_on,
        max(case when is_available then observed_on end) as last_available_on,
        coalesce(max(case when is_available then observed_at end) = max(observed_at), false) as is_available
    from playlist_observations
    group by playlist_id

),

-- Lists do not say whose they are. All entries of one list have its time, and a later list that
-- holds a playlist of an earlier one is taken to be of the same user; two users who follow the
-- same playlist can so be mistaken for one.
listed_playlists as (

    select
        playlist_id,
        observed_at,
        max(observed_on) over (partition by playlist_id) as last_listed_on
    from playlist_observations
    where seen_in = 'list'

),

listed_companions as (

    select
        playlist_id,
        max(last_listed_on) over (partition by observed_at) as last_list_on
    from listed_playlists

),

last_lists as (

    select
        playlist_id,
        max(last_list_on) as last_list_on
    from listed_companions
    group by playlist_id

),

-- Not every look tells the number of followers.
ranked_follower_counts as (

    select
        playlist_id,
        follower_count,
        row_number() over (
            partition by playlist_id
            order by observed_at desc nulls last, extracted_at desc, snapshot_id desc nulls last
        ) as recency_rank
    from playlist_observations
    where follower_count is not null

),

-- A state whose items were not shown does not take the place of one whose items are known. One
-- that no observation points to any more (its observation was read again and shows another state)
-- comes after all that are.
ranked_states as (

    select
        playlists.*,
        row_number() over (
            partition by playlists.playlist_id
            order by
                case when playlists.item_count is null then 1 else 0 end,
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
    ranked_states.owner_id_hash,
    ranked_states.name,
    ranked_states.description,
    ranked_states.image_url,
    ranked_states.source_system,
    ranked_states.terms_of_use,
    ranked_follower_counts.follower_count,
    ranked_states.edit_count,
    ranked_states.declared_track_count,
    ranked_states.item_count,
    ranked_states.state_count,
    ranked_states.is_public,
    ranked_states.is_collaborative,
    -- Nobody asks for what a user's list no longer has: that a later list is without it has to do.
    case
        when observed_playlists.last_observed_on < last_lists.last_list_on then false
        else coalesce(observed_playlists.is_available, true)
    end as is_available,
    observed_playlists.first_observed_on,
    observed_playlists.last_observed_on,
    observed_playlists.last_available_on,
    ranked_states.modified_at,
    ranked_states.loaded_at,
    ranked_states.extracted_at
from ranked_states
left join observed_playlists
    on ranked_states.playlist_id = observed_playlists.playlist_id
left join last_lists
    on ranked_states.playlist_id = last_lists.playlist_id
left join ranked_follower_counts
    on
        ranked_states.playlist_id = ranked_follower_counts.playlist_id
        and ranked_follower_counts.recency_rank = 1
where ranked_states.recency_rank = 1
