{{ config(meta={'dagster': {'ref': {'name': 'dim_playlists'}}}) }}

-- Every raw state is the one of its playlist that counts, or one of the others that it is known by.
with raw_states as (

    select
        (select count(*) from {{ source('playlist_files', 'playlists') }})
        + (select count(*) from {{ source('spotify', 'playlists') }}) as raw_count

),

mart_states as (

    select
        count(*) as mart_count,
        coalesce(sum(state_count - 1), 0) as other_state_count
    from {{ ref('dim_playlists') }}

)

select
    raw_states.raw_count,
    mart_states.mart_count,
    mart_states.other_state_count
from raw_states
cross join mart_states
where
    raw_states.raw_count
    <> mart_states.mart_count
    + mart_states.other_state_count
