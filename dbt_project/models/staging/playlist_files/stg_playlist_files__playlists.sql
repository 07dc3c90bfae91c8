with source_playlists as (

    select * from {{ source('playlist_files', 'playlists') }}

),

cleaned as (

    select
        -- ids
        playlist_id,
        snapshot_id,

        -- strings
        {{ blank_to_null('name') }} as name,
        {{ blank_to_null('description') }} as description,
        source_system,
        terms_of_use,

        -- numbers
        follower_count,
        edit_count,
        declared_track_count,
        item_count,

        -- booleans
        is_collaborative,

        -- timestamps
        {{ utc_timestamp('modified_at') }} as modified_at,
        {{ load_moment('_dlt_load_id') }} as loaded_at,
        {{ utc_timestamp('extracted_at') }} as extracted_at
    from source_playlists

)

select * from cleaned
