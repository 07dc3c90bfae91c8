{{ config(
    materialized='incremental',
    incremental_strategy='append',
    on_schema_change='append_new_columns',
    pre_hook="{{ remove_stale_sets(ref('int_playlist_tracks_compared')) }}",
) }}
{#- Pairs grow with the square of the number of blocks: 1,000 of them, turned around, took 0.12 s. -#}
{%- set most_blocks = 1000 -%}

with compared_items as (

    select * from {{ ref('int_playlist_tracks_compared') }}
    {% if is_incremental() %}
        -- States with the same items in the same order leave no row that would say that they were compared.
        where
            {{ is_to_be_built('content_key') }}
            and content_key in (
                select differing_items.content_key
                from {{ ref('int_playlist_tracks_compared') }} as differing_items
                where
                    differing_items.from_position is null
                    or differing_items.to_position is null
                    or differing_items.rank_difference <> 0
            )
    {% endif %}

),

block_counts as (

    select
        playlist_id,
        seen_on,
        max(block_number) as block_count
    from compared_items
    group by playlist_id, seen_on

),

-- A playlist sorted anew is left out here.
blocks as (

    select
        compared_items.playlist_id,
        compared_items.seen_on,
        compared_items.block_number,
        row_number() over (
            order by compared_items.playlist_id, compared_items.seen_on, compared_items.block_number
        ) as block_key,
        min(compared_items.to_position) as to_position,
        count(*) as item_count
    from compared_items
    inner join block_counts
        on
            compared_items.playlist_id = block_counts.playlist_id
            and compared_items.seen_on = block_counts.seen_on
    where compared_items.block_number is not null and block_counts.block_count between 2 and {{ most_blocks }}
    group by compared_items.playlist_id, compared_items.seen_on, compared_items.block_number

),

-- Two blocks whose order was turned around.
inversions as (

    select
        blocks.block_key,
        later_blocks.block_key as later_block_key,
        blocks.item_count,
        later_blocks.item_count as later_item_count
    from blocks
    inner join blocks as later_blocks
        on
            blocks.playlist_id = later_blocks.playlist_id
            and blocks.seen_on = later_blocks.seen_on
            and blocks.block_number < later_blocks.block_number
            and blocks.to_position > later_blocks.to_position

),

passings as (

    select
        block_key,
        item_count,
        later_item_count as passed_item_count
    from inversions
    union all
    select
        later_block_key as block_key,
        later_item_count as item_count,
        item_count as passed_item_count
    from inversions

),

passed_blocks as (

    select
        block_key,
        cast(sum(passed_item_count) as double precision) / max(item_count) as passed_per_item
    from passings
    group by block_key

),

-- Of the two, the one that passed more items for each of its own is the one to have moved; of
-- equal ones the later.
pairs as (

    select
        case
            when passed_blocks.passed_per_item > later_passed_blocks.passed_per_item
                then inversions.block_key
            else inversions.later_block_key
        end as mover_key,
        case
            when passed_blocks.passed_per_item > later_passed_blocks.passed_per_item
                then inversions.later_block_key
            else inversions.block_key
        end as stayer_key
    from inversions
    inner join passed_blocks
        on inversions.block_key = passed_blocks.block_key
    inner join passed_blocks as later_passed_blocks
        on inversions.later_block_key = later_passed_blocks.block_key

),

movers as (

    select distinct mover_key from pairs

),

-- A mover that passed a block which moves in no pair has to move, ...
needed_movers as (

    select distinct pairs.mover_key
    from pairs
    left join movers
        on pairs.stayer_key = movers.mover_key
    where movers.mover_key is null

),

-- ... one that passed movers alone has not, unless the other one is spared for the same reason.
moved_blocks as (

    select distinct
        blocks.playlist_id,
        blocks.seen_on,
        blocks.block_number
    from pairs
    inner join blocks
        on pairs.mover_key = blocks.block_key
    left join needed_movers
        on pairs.mover_key = needed_movers.mover_key
    left join needed_movers as needed_stayers
        on pairs.stayer_key = needed_stayers.mover_key
    where needed_movers.mover_key is not null or needed_stayers.mover_key is null

),

changes as (

    select
        compared_items.*,
        case
            when compared_items.to_position is null then 'left'
            when compared_items.from_position is null then 'entered'
            when moved_blocks.block_number is not null then 'moved'
            when block_counts.block_count > {{ most_blocks }} and compared_items.rank_difference <> 0
                then 'moved'
        end as change
    from compared_items
    left join block_counts
        on
            compared_items.playlist_id = block_counts.playlist_id
            and compared_items.seen_on = block_counts.seen_on
    left join moved_blocks
        on
            compared_items.playlist_id = moved_blocks.playlist_id
            and compared_items.seen_on = moved_blocks.seen_on
            and compared_items.block_number = moved_blocks.block_number

)

select
    playlist_id,
    seen_on,
    cast(row_number() over (
        partition by playlist_id, seen_on
        order by change, coalesce(to_position, from_position)
    ) as integer) as change_number,
    content_key,
    change,
    track_key,
    track_uri,
    spotify_track_id,
    added_by_hash,
    item_type,
    from_position,
    to_position,
    added_at
from changes
where change is not null
