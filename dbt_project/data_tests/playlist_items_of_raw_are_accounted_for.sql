{{ config(meta={'dagster': {'ref': {'name': 'fct_playlist_tracks'}}}) }}

-- Every raw item is in the fact, or is not for a reason that is counted for itself.
with raw_items as (

    select
        (select count(*) from {{ source('playlist_files', 'playlist_tracks') }})
        + (select count(*) from {{ source('spotify', 'playlist_tracks') }}) as raw_count

),

-- An answer that holds fewer items than an earlier one of the same state leaves the others in raw.
items_of_earlier_answers as (

    select count(*) as earlier_answer_count
    from {{ source('spotify', 'playlist_tracks') }} as items
    left join {{ source('spotify', 'playlists') }} as states
        on
            items.playlist_id = states.playlist_id
            and items.snapshot_id = states.snapshot_id
            and items.lake_unit_id = states.lake_unit_id
    where states.playlist_id is null

),

items_of_other_states as (

    select count(*) as other_state_count
    from {{ ref('int_playlist_tracks_identified') }}
    where not is_in_current_state

),

mart_items as (

    select count(*) as mart_count from {{ ref('fct_playlist_tracks') }}

)

select
    raw_items.raw_count,
    items_of_earlier_answers.earlier_answer_count,
    items_of_other_states.other_state_count,
    mart_items.mart_count
from raw_items
cross join items_of_earlier_answers
cross join items_of_other_states
cross join mart_items
where
    raw_items.raw_count
    <> items_of_earlier_answers.earlier_answer_count
    + items_of_other_states.other_state_count
    + mart_items.mart_count
