{{ config(materialized='view') }}

with song_plays as (

    select * from {{ ref('stg_reference_files__song_plays') }}

),

files as (

    select
        source_root,
        file_path,
        content_digest,
        first_listen_digest,
        sum(listener_count) as listen_count
    from song_plays
    group by source_root, file_path, content_digest, first_listen_digest

),

-- Who listened to what is in the Taste Profile once: of files that begin with the same listen one is
-- a copy of the other, and the longer is whole.
ranked_beginnings as (

    select
        *,
        row_number() over (
            partition by first_listen_digest
            order by listen_count desc, source_root asc, file_path asc
        ) as copy_number
    from files

),

-- A copy in another order begins otherwise.
ranked_contents as (

    select
        *,
        row_number() over (
            partition by content_digest
            order by source_root asc, file_path asc
        ) as order_number
    from ranked_beginnings
    where copy_number = 1

),

counted_files as (

    select * from ranked_contents
    where order_number = 1

)

select
    song_plays.msd_song_id,
    max(song_plays.terms_of_use) as terms_of_use,
    cast(sum(song_plays.play_count) as bigint) as play_count,
    cast(sum(song_plays.listener_count) as bigint) as listener_count
from song_plays
inner join counted_files
    on
        song_plays.source_root = counted_files.source_root
        and song_plays.file_path = counted_files.file_path
group by song_plays.msd_song_id
