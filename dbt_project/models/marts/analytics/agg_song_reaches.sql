with playlist_songs as (

    select * from {{ ref('agg_playlist_songs') }}

),

playlists as (

    select * from {{ ref('dim_playlists') }}

),

-- A playlist that is gone reaches nobody, whatever was last seen in it.
memberships as (

    select
        playlist_songs.song_id,
        playlist_songs.source_system,
        playlist_songs.terms_of_use,
        playlist_songs.first_seen_on,
        playlist_songs.last_seen_on,
        coalesce(playlist_songs.is_in_playlist and playlists.is_available, false) as is_in_playlist_now,
        playlists.follower_count
    from playlist_songs
    left join playlists
        on playlist_songs.playlist_id = playlists.playlist_id

),

terms as (

    {{ united_terms('memberships', ['song_id', 'source_system']) }}

),

figures as (

    select
        song_id,
        source_system,
        count(case when is_in_playlist_now then 1 end) as playlist_count,
        count(*) as ever_playlist_count,
        count(case when is_in_playlist_now then follower_count end) as follower_known_playlist_count,
        cast(sum(case when is_in_playlist_now then follower_count end) as bigint) as followers_reached,
        max(case when is_in_playlist_now then follower_count end) as largest_follower_count,
        min(first_seen_on) as first_seen_on,
        max(last_seen_on) as last_seen_on
    from memberships
    group by song_id, source_system

)

select
    figures.song_id,
    figures.source_system,
    figures.playlist_count,
    figures.ever_playlist_count,
    figures.follower_known_playlist_count,
    figures.followers_reached,
    figures.largest_follower_count,
    terms.terms_of_use,
    {{ is_training_allowed('terms.terms_of_use') }} as is_training_allowed,
    figures.first_seen_on,
    figures.last_seen_on
from figures
left join terms
    on
        figures.song_id = terms.song_id
        and figures.source_system = terms.source_system
