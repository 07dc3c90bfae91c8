{{ config(materialized='view') }}

with files as (

    select * from {{ ref('stg_reference_files__files') }}

),

song_plays as (

    select * from {{ ref('stg_reference_files__song_plays') }}

),

-- Two files with the same number of listens are copies of one (packed and unpacked, say).
ranked_files as (

    select
        file_path,
        row_number() over (
            partition by record_count
            order by file_path asc, source_root asc
        ) as copy_number
    from files
    where file_kind = 'train_triplets'

),

counted_files as (

    select * from ranked_files
    where copy_number = 1

)

select
    song_plays.msd_song_id,
    max(song_plays.terms_of_use) as terms_of_use,
    cast(sum(song_plays.play_count) as bigint) as play_count,
    cast(sum(song_plays.listener_count) as bigint) as listener_count
from song_plays
inner join counted_files
    on song_plays.file_path = counted_files.file_path
group by song_plays.msd_song_id
