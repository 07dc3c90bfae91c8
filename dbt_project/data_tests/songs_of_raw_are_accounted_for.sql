{{ config(meta={'dagster': {'ref': {'name': 'dim_songs'}}}) }}

-- Every raw song is in the dimension, or is not for a reason that is counted for itself.
with songs_of_current_files as (

    select
        count(*) as file_count,
        count(distinct songs.is_summary) as kind_count
    from {{ source('msd', 'songs') }} as songs
    inner join {{ source('msd', 'files') }} as files
        on
            songs.lake_unit_id = files.lake_unit_id
            and songs.file_path = files.file_path
    group by songs.track_id

),

fates as (

    select
        'raw' as fate,
        count(*) as row_count
    from {{ source('msd', 'songs') }}
    union all
    {{ superseded_rows(source('msd', 'songs'), source('msd', 'files'), ['file_path']) }}
    union all
    select
        'in another file too' as fate,
        sum(file_count - kind_count) as row_count
    from songs_of_current_files
    union all
    -- It counts where there is nothing else.
    select
        'in a summary too' as fate,
        sum(kind_count - 1) as row_count
    from songs_of_current_files
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('dim_songs') }}
    where is_in_msd

)

{{ unaccounted_rows('fates') }}
