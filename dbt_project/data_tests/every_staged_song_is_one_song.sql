{{ config(meta={'dagster': {'ref': {'name': 'dim_songs'}}}) }}

-- The MSD's songs come into the mart without a loss and without a copy.
select
    staged.msd_track_id,
    count(songs.song_id) as song_count
from {{ ref('stg_msd__songs') }} as staged
left join {{ ref('dim_songs') }} as songs
    on staged.msd_track_id = songs.msd_track_id
group by staged.msd_track_id
having count(songs.song_id) <> 1
