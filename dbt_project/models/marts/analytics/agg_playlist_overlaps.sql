{#- Why these numbers: docs/metrics.md. -#}
{%- set rarest_songs = 80 -%}
{%- set largest_group = 100 -%}
{%- set partners = 50 -%}

with available_playlists as (

    select * from {{ ref('dim_playlists') }}
    where is_available

),

playlist_songs as (

    select agg_playlist_songs.*
    from {{ ref('agg_playlist_songs') }} as agg_playlist_songs
    inner join available_playlists
        on agg_playlist_songs.playlist_id = available_playlists.playlist_id
    where agg_playlist_songs.is_in_playlist

),

playlists as (

    select
        row_number() over (order by playlist_id asc) as playlist_number,
        playlist_id,
        max(source_system) as source_system,
        max(terms_of_use) as terms_of_use,
        count(*) as song_count
    from playlist_songs
    group by playlist_id

),

-- Numbered by how rare they are: the smaller number is the rarer song. One that is in a single playlist is
-- shared by none.
songs as (

    select
        row_number() over (order by count(*) asc, song_id asc) as song_number,
        song_id
    from playlist_songs
    group by song_id
    having count(*) > 1

),

memberships as (

    select
        playlists.playlist_number,
        songs.song_number
    from playlist_songs
    inner join playlists
        on playlist_songs.playlist_id = playlists.playlist_id
    inner join songs
        on playlist_songs.song_id = songs.song_id

),

-- Playlists meet in the rarest songs that each of them shares with anybody.
ranked_memberships as (

    select
        *,
        row_number() over (
            partition by playlist_number
            order by song_number asc
        ) as rarity_rank
    from memberships

),

rare_memberships as (

    select
        playlist_number,
        song_number,
        count(*) over (partition by song_number) as group_size
    from ranked_memberships
    where rarity_rank <= {{ rarest_songs }}

),

groups_of_playlists as (

    select * from rare_memberships
    where group_size between 2 and {{ largest_group }}

),

candidates as (

    select
        here.playlist_number as playlist_a_number,
        there.playlist_number as playlist_b_number,
        count(*) as shared_rare_song_count
    from groups_of_playlists as here
    inner join groups_of_playlists as there
        on
            here.song_number = there.song_number
            and here.playlist_number < there.playlist_number
    group by here.playlist_number, there.playlist_number
    having count(*) >= 2

),

ranked_candidates as (

    select
        *,
        row_number() over (
            partition by playlist_a_number
            order by shared_rare_song_count desc, playlist_b_number asc
        ) as rank_for_a,
        row_number() over (
            partition by playlist_b_number
            order by shared_rare_song_count desc, playlist_a_number asc
        ) as rank_for_b
    from candidates

),

-- What two playlists share is counted along the shorter one.
compared_pairs as (

    select
        ranked_candidates.playlist_a_number,
        ranked_candidates.playlist_b_number,
        case
            when playlists_a.song_count <= playlists_b.song_count then ranked_candidates.playlist_a_number
            else ranked_candidates.playlist_b_number
        end as shorter_number,
        case
            when playlists_a.song_count <= playlists_b.song_count then ranked_candidates.playlist_b_number
            else ranked_candidates.playlist_a_number
        end as longer_number
    from ranked_candidates
    inner join playlists as playlists_a
        on ranked_candidates.playlist_a_number = playlists_a.playlist_number
    inner join playlists as playlists_b
        on ranked_candidates.playlist_b_number = playlists_b.playlist_number
    where
        ranked_candidates.rank_for_a <= {{ partners }}
        or ranked_candidates.rank_for_b <= {{ partners }}

),

shared_songs as (

    select
        compared_pairs.playlist_a_number,
        compared_pairs.playlist_b_number,
        count(*) as shared_song_count
    from compared_pairs
    inner join memberships as shorter_memberships
        on compared_pairs.shorter_number = shorter_memberships.playlist_number
    inner join memberships as longer_memberships
        on
            compared_pairs.longer_number = longer_memberships.playlist_number
            and shorter_memberships.song_number = longer_memberships.song_number
    group by compared_pairs.playlist_a_number, compared_pairs.playlist_b_number
    having count(*) >= 3

),

measured_pairs as (

    select
        playlists_a.playlist_id as playlist_a_id,
        playlists_b.playlist_id as playlist_b_id,
        shared_songs.shared_song_count,
        playlists_a.song_count as song_count_a,
        playlists_b.song_count as song_count_b,
        cast(shared_songs.shared_song_count as double precision)
        / (playlists_a.song_count + playlists_b.song_count - shared_songs.shared_song_count) as jaccard,
        cast(shared_songs.shared_song_count as double precision) / playlists_a.song_count as share_of_a,
        cast(shared_songs.shared_song_count as double precision) / playlists_b.song_count as share_of_b,
        playlists_a.source_system as source_system_a,
        playlists_b.source_system as source_system_b,
        playlists_a.terms_of_use as terms_of_use_a,
        playlists_b.terms_of_use as terms_of_use_b
    from shared_songs
    inner join playlists as playlists_a
        on shared_songs.playlist_a_number = playlists_a.playlist_number
    inner join playlists as playlists_b
        on shared_songs.playlist_b_number = playlists_b.playlist_number

)

select
    playlist_a_id,
    playlist_b_id,
    shared_song_count,
    song_count_a,
    song_count_b,
    jaccard,
    share_of_a,
    share_of_b,
    greatest(share_of_a, share_of_b) as containment,
    source_system_a,
    source_system_b,
    case
        when terms_of_use_a < terms_of_use_b then terms_of_use_a || ' | ' || terms_of_use_b
        when terms_of_use_b < terms_of_use_a then terms_of_use_b || ' | ' || terms_of_use_a
        else coalesce(terms_of_use_a, terms_of_use_b)
    end as terms_of_use,
    {{ is_training_allowed('terms_of_use_a') }}
    and {{ is_training_allowed('terms_of_use_b') }} as is_training_allowed
from measured_pairs
where greatest(share_of_a, share_of_b) >= 0.2
