{{ config(meta={'dagster': {'ref': {'name': 'bridge_song_tags'}}}) }}

-- Every raw tag is in the bridge, or is not for a reason that is counted for itself.
with fates as (

    {{ reference_row_fates('track_tags', ['track_id', 'tag_name']) }}
    union all
    select
        'of a song without a song file' as fate,
        count(*) as row_count
    from {{ ref('stg_reference_files__track_tags') }} as tags
    left join {{ ref('stg_msd__songs') }} as songs
        on tags.msd_track_id = songs.msd_track_id
    where songs.msd_track_id is null
    union all
    select
        'in the mart' as fate,
        count(*) as row_count
    from {{ ref('bridge_song_tags') }}

)

{{ unaccounted_rows('fates') }}
