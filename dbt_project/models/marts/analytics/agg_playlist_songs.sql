with playlist_tracks as (

    select * from {{ ref('fct_playlist_tracks') }}

),

track_changes as (

    select * from {{ ref('fct_playlist_track_changes') }}

),

playlist_spans as (

    select * from {{ ref('int_playlist_states_spanned') }}

),

songs as (

    select * from {{ ref('dim_songs') }}

),

current_songs as (

    select
        playlist_id,
        song_id,
        max(source_system) as source_system,
        max(terms_of_use) as terms_of_use,
        count(*) as item_count,
        min(position) as first_position,
        min(added_at) as first_added_at
    from playlist_tracks
    where song_id is not null
    group by playlist_id, song_id

),

changed_songs as (

    select
        playlist_id,
        song_id,
        max(source_system) as source_system,
        max(terms_of_use) as terms_of_use,
        cast(sum(case when change = 'entered' then 1 else 0 end) as bigint) as entered_count,
        cast(sum(case when change = 'left' then 1 else 0 end) as bigint) as left_count,
        min(case when change = 'entered' then seen_on end) as first_entered_on,
        max(case when change = 'entered' then seen_on end) as last_entered_on,
        min(case when change = 'left' then last_seen_before_on end) as first_left_after_on,
        max(case when change = 'left' then last_seen_before_on end) as last_left_after_on
    from track_changes
    where song_id is not null and change in ('entered', 'left')
    group by playlist_id, song_id

),

-- Changes are kept where the states that they are between are not.
change_spans as (

    select
        playlist_id,
        min(last_seen_before_on) as first_seen_on,
        max(seen_on) as last_seen_on
    from track_changes
    group by playlist_id

),

playlist_songs as (

    select
        coalesce(current_songs.playlist_id, changed_songs.playlist_id) as playlist_id,
        coalesce(current_songs.song_id, changed_songs.song_id) as song_id,
        coalesce(current_songs.source_system, changed_songs.source_system) as source_system,
        coalesce(current_songs.terms_of_use, changed_songs.terms_of_use) as terms_of_use,
        coalesce(current_songs.item_count, 0) as item_count,
        coalesce(changed_songs.entered_count, 0) as entered_count,
        coalesce(changed_songs.left_count, 0) as left_count,
        current_songs.first_position,
        current_songs.first_added_at,
        changed_songs.first_entered_on,
        changed_songs.last_entered_on,
        changed_songs.first_left_after_on,
        changed_songs.last_left_after_on
    from current_songs
    full outer join changed_songs
        on
            current_songs.playlist_id = changed_songs.playlist_id
            and current_songs.song_id = changed_songs.song_id

)

-- What is there now, less what entered, with what left, is what was there when somebody first looked. Of a
-- playlist without a state nobody knows what is there now: what left before it entered was there as well, and
-- what entered and was not seen to leave was there until the last change.
select
    playlist_songs.playlist_id,
    playlist_songs.song_id,
    songs.artist_id,
    playlist_songs.item_count,
    playlist_songs.first_position,
    playlist_songs.entered_count,
    playlist_songs.left_count,
    playlist_songs.item_count > 0 as is_in_playlist,
    playlist_songs.source_system,
    playlist_songs.terms_of_use,
    {{ is_training_allowed('playlist_songs.terms_of_use') }} as is_training_allowed,
    playlist_songs.first_added_at,
    case
        when
            playlist_songs.item_count - playlist_songs.entered_count + playlist_songs.left_count > 0
            or playlist_songs.first_left_after_on < playlist_songs.first_entered_on
            then
                least(
                    coalesce(playlist_spans.first_seen_on, change_spans.first_seen_on),
                    coalesce(change_spans.first_seen_on, playlist_spans.first_seen_on)
                )
        else playlist_songs.first_entered_on
    end as first_seen_on,
    case
        when playlist_songs.item_count > 0 then playlist_spans.last_seen_on
        when
            playlist_spans.playlist_id is null
            and (
                playlist_songs.entered_count > playlist_songs.left_count
                or playlist_songs.last_entered_on > playlist_songs.last_left_after_on
            )
            then change_spans.last_seen_on
        when playlist_songs.last_left_after_on >= playlist_songs.last_entered_on
            then playlist_songs.last_left_after_on
        else coalesce(playlist_songs.last_entered_on, playlist_songs.last_left_after_on)
    end as last_seen_on
from playlist_songs
left join playlist_spans
    on playlist_songs.playlist_id = playlist_spans.playlist_id
left join change_spans
    on playlist_songs.playlist_id = change_spans.playlist_id
left join songs
    on playlist_songs.song_id = songs.song_id
