{{ config(meta={'dagster': {'ref': {'name': 'dim_artists'}}}) }}

-- dim_artists counts songs before they are put together, dim_songs holds them: the two must agree.
with songs_by_artist as (

    select
        artist_id,
        count(*) as song_count
    from {{ ref('dim_songs') }}
    where artist_id is not null
    group by artist_id

)

select
    artists.artist_id,
    artists.song_count,
    songs_by_artist.song_count as counted
from {{ ref('dim_artists') }} as artists
left join songs_by_artist
    on artists.artist_id = songs_by_artist.artist_id
where artists.song_count <> coalesce(songs_by_artist.song_count, 0)
