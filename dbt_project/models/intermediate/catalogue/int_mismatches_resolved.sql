{{ config(materialized='view') }}

with mismatches as (

    select * from {{ ref('stg_reference_files__mismatches') }}

),

accepted_matches as (

    select * from {{ ref('stg_reference_files__accepted_matches') }}

)

select
    mismatches.msd_track_id,
    mismatches.msd_song_id,
    mismatches.song_description,
    mismatches.track_description
from mismatches
left join accepted_matches
    on
        mismatches.msd_song_id = accepted_matches.msd_song_id
        and mismatches.msd_track_id = accepted_matches.msd_track_id
where accepted_matches.msd_track_id is null
