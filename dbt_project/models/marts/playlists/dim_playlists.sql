with playlists as (

    select * from {{ ref('int_playlists_deduplicated') }}

),

playlist_tracks as (

    select * from {{ ref('fct_playlist_tracks') }}

),

item_counts as (

    select
        playlist_id,
        count(*) as item_count,
        count(song_id) as track_count,
        count(distinct song_id) as distinct_song_count,
        count(distinct artist_id) as distinct_artist_count,
        sum(duration_seconds) as total_duration_seconds,
        min(added_at) as first_added_at,
        max(added_at) as last_added_at
    from playlist_tracks
    group by playlist_id

)

-- A playlist whose items were not shown has unknown counts; one that was read and is empty has 0.
select
    playlists.playlist_id,
    playlists.snapshot_id,
    playlists.owner_id_hash,
    playlists.name,
    playlists.description,
    case
        when playlists.source_system = 'spotify_api'
            then {{ spotify_url('playlist', 'playlists.playlist_id') }}
    end as spotify_url,
    playlists.image_url,
    playlists.follower_count,
    playlists.edit_count,
    playlists.declared_track_count,
    case when playlists.item_count is not null then coalesce(item_counts.item_count, 0) end as item_count,
    case when playlists.item_count is not null then coalesce(item_counts.track_count, 0) end as track_count,
    case
        when playlists.item_count is not null then coalesce(item_counts.distinct_song_count, 0)
    end as distinct_song_count,
    case
        when playlists.item_count is not null then coalesce(item_counts.distinct_artist_count, 0)
    end as distinct_artist_count,
    item_counts.total_duration_seconds,
    playlists.state_count,
    playlists.is_public,
    playlists.is_collaborative,
    playlists.is_available,
    playlists.source_system,
    playlists.terms_of_use,
    {{ is_training_allowed('playlists.terms_of_use') }} as is_training_allowed,
    playlists.first_observed_on,
    playlists.last_observed_on,
    playlists.last_available_on,
    item_counts.first_added_at,
    item_counts.last_added_at,
    playlists.modified_at,
    playlists.loaded_at,
    playlists.extracted_at
from playlists
left join item_counts
    on playlists.playlist_id = item_counts.playlist_id
