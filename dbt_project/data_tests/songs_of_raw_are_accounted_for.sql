{{ config(meta={'dagster': {'ref': {'name': 'dim_songs'}}}) }}

-- Every raw song is in the dimension, or is not for a reason that is counted for itself.
with raw_songs as (

    select count(*) as raw_count from {{ source('msd', 'songs') }}

),

-- Of a file that was renewed the earlier rows are left in raw.
songs_of_earlier_files as (

    select count(*) as earlier_file_count
    from {{ source('msd', 'songs') }} as songs
    left join {{ source('msd', 'files') }} as files
        on
            songs.lake_unit_id = files.lake_unit_id
            and songs.file_path = files.file_path
    where files.file_path is null

),

-- What several files hold at once: one of them counts, and a summary counts where there is nothing else.
songs_of_current_files as (

    select
        coalesce(sum(file_count - kind_count), 0) as other_file_count,
        coalesce(sum(kind_count - 1), 0) as summary_count
    from (
        select
            songs.track_id,
            count(*) as file_count,
            count(distinct songs.is_summary) as kind_count
        from {{ source('msd', 'songs') }} as songs
        inner join {{ source('msd', 'files') }} as files
            on
                songs.lake_unit_id = files.lake_unit_id
                and songs.file_path = files.file_path
        group by songs.track_id
    ) as tracks

),

mart_songs as (

    select count(*) as mart_count
    from {{ ref('dim_songs') }}
    where is_in_msd

)

select
    raw_songs.raw_count,
    songs_of_earlier_files.earlier_file_count,
    songs_of_current_files.other_file_count,
    songs_of_current_files.summary_count,
    mart_songs.mart_count
from raw_songs
cross join songs_of_earlier_files
cross join songs_of_current_files
cross join mart_songs
where
    raw_songs.raw_count
    <> songs_of_earlier_files.earlier_file_count
    + songs_of_current_files.other_file_count
    + songs_of_current_files.summary_count
    + mart_songs.mart_count
