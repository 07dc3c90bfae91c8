with playlist_songs as (

    select * from {{ ref('agg_playlist_songs') }}
    where artist_id is not null

),

playlists as (

    select * from {{ ref('dim_playlists') }}

),

-- However many songs of an artist a playlist holds, its followers count once.
memberships as (

    select
        playlist_songs.artist_id,
        playlist_songs.playlist_id,
        playlist_songs.source_system,
        min(playlist_songs.first_seen_on) as first_seen_on,
        max(playlist_songs.last_seen_on) as last_seen_on,
        cast(
            sum(case when playlists.is_available then playlist_songs.item_count else 0 end) as bigint
        ) as item_count,
        max(
            case
                when playlist_songs.is_in_playlist and playlists.is_available then playlists.follower_count
            end
        ) as follower_count
    from playlist_songs
    left join playlists
        on playlist_songs.playlist_id = playlists.playlist_id
    group by
        playlist_songs.artist_id,
        playlist_songs.playlist_id,
        playlist_songs.source_system

),

song_counts as (

    select
        playlist_songs.artist_id,
        playlist_songs.source_system,
        count(distinct playlist_songs.song_id) as song_count
    from playlist_songs
    inner join playlists
        on playlist_songs.playlist_id = playlists.playlist_id
    where
        playlist_songs.is_in_playlist
        and playlists.is_available
    group by playlist_songs.artist_id, playlist_songs.source_system

),

terms as (

    {{ united_terms('playlist_songs', ['artist_id', 'source_system']) }}

),

figures as (

    select
        artist_id,
        source_system,
        count(case when item_count > 0 then 1 end) as playlist_count,
        count(*) as ever_playlist_count,
        cast(sum(item_count) as bigint) as item_count,
        count(follower_count) as follower_known_playlist_count,
        cast(sum(follower_count) as bigint) as followers_reached,
        max(follower_count) as largest_follower_count,
        min(first_seen_on) as first_seen_on,
        max(last_seen_on) as last_seen_on
    from memberships
    group by artist_id, source_system

)

select
    figures.artist_id,
    figures.source_system,
    figures.playlist_count,
    figures.ever_playlist_count,
    coalesce(song_counts.song_count, 0) as song_count,
    figures.item_count,
    figures.follower_known_playlist_count,
    figures.followers_reached,
    figures.largest_follower_count,
    terms.terms_of_use,
    {{ is_training_allowed('terms.terms_of_use') }} as is_training_allowed,
    figures.first_seen_on,
    figures.last_seen_on
from figures
left join song_counts
    on
        figures.artist_id = song_counts.artist_id
        and figures.source_system = song_counts.source_system
left join terms
    on
        figures.artist_id = terms.artist_id
        and figures.source_system = terms.source_system
