with quarantined_inputs as (

    {{ quarantined_inputs('msd') }}

),

source_files as (

    select * from {{ source('msd', 'files') }}

),

current_songs as (

    {{ current_msd_songs() }}

),

songs_by_file as (

    select
        lake_unit_id,
        file_path,
        count(*) as song_count
    from current_songs
    group by lake_unit_id, file_path

),

-- Of one track id one song counts. A file that gave more songs than count of it has lost the others to files
-- with the same track ids.
counted_files as (

    select
        source_files.*,
        coalesce(songs_by_file.song_count, 0) as song_count,
        max(coalesce(songs_by_file.song_count, 0)) over (
            partition by source_files.source_root
        ) as most_songs_of_root
    from source_files
    left join songs_by_file
        on
            source_files.lake_unit_id = songs_by_file.lake_unit_id
            and source_files.file_path = songs_by_file.file_path
    where source_files.file_kind = 'msd_hdf5'

),

-- A place of which no song counts any more has been replaced as a whole, by the same dataset in an archive
-- or another folder: its files are no duplicates.
duplicates as (

    select
        file_path,
        case
            when song_count = 0 and quarantined_count = 0 then ''
            else 'songs that other files hold too'
        end as item,
        'duplicate_track_id' as reason,
        cast(record_count - song_count as varchar) || ' of its ' || cast(record_count as varchar)
        || ' songs are taken from other files with the same track id' as detail,
        source_root,
        size_bytes,
        song_count = 0 and quarantined_count = 0 as is_whole_file,
        {{ load_moment('_dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('extracted_at') }} as extracted_at
    from counted_files
    where record_count > song_count and most_songs_of_root > 0

)

select * from quarantined_inputs
union all
select * from duplicates
