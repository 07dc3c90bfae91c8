{{ config(meta={'dagster': {'ref': {'name': 'dim_songs'}}}) }}

-- A duplicate in the MSD has no track of its own: it is as popular as the song that its track is.
with tracks as (

    select * from {{ ref('dim_tracks') }}

),

popularities as (

    select
        song_id,
        max(spotify_popularity) as highest_popularity
    from tracks
    group by song_id

)

select
    songs.song_id,
    songs.spotify_popularity,
    popularities.highest_popularity
from {{ ref('dim_songs') }} as songs
left join tracks
    on songs.spotify_track_id = tracks.spotify_track_id
left join popularities
    on tracks.song_id = popularities.song_id
where coalesce(songs.spotify_popularity, -1) <> coalesce(popularities.highest_popularity, -1)
