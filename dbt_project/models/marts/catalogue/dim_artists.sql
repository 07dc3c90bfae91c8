with msd_artists as (

    select * from {{ ref('int_artists_deduplicated') }}

),

tags as (

    select * from {{ ref('int_artists_tagged') }}

),

track_artists as (

    select * from {{ ref('int_artists_resolved') }}

),

spotify_artists as (

    select * from {{ ref('int_spotify_artists_deduplicated') }}

),

songs as (

    select
        artist_id,
        count(*) as song_count,
        count(msd_track_id) as msd_song_count
    from {{ ref('dim_songs') }}
    group by artist_id

),

ranked_genres as (

    select
        artist_id,
        genre_name,
        row_number() over (
            partition by artist_id
            order by genre_name asc
        ) as genre_rank
    from {{ ref('int_artist_genres_unioned') }}

),

-- Redshift takes no list that is longer than its longest text: twenty names, cut, never are.
genres as (

    select
        artist_id,
        count(*) as genre_count,
        {{ joined_texts(
            'case when genre_rank <= 20 then substring(genre_name, 1, 200) end', ', ', 'genre_rank'
        ) }} as genre_names
    from ranked_genres
    group by artist_id

),

-- Of several Spotify artists that are one MSD artist, the one with most tracks in common.
ranked_track_artists as (

    select
        *,
        row_number() over (
            partition by artist_id
            order by
                case when spotify_artist_id is null then 1 else 0 end,
                shared_track_count desc,
                artist_key asc
        ) as artist_rank
    from track_artists

),

representatives as (

    select * from ranked_track_artists
    where artist_rank = 1

),

artists as (

    select
        coalesce(msd_artists.msd_artist_id, representatives.artist_id) as artist_id,
        msd_artists.msd_artist_id,
        representatives.spotify_artist_id,
        msd_artists.artist_mbid as mbid,
        msd_artists.artist_7digital_id,
        msd_artists.artist_playme_id,
        coalesce(msd_artists.artist_name, representatives.artist_name) as name,
        representatives.artist_name as spotify_name,
        msd_artists.artist_location as location,
        msd_artists.artist_latitude as latitude,
        msd_artists.artist_longitude as longitude,
        msd_artists.artist_familiarity as familiarity,
        msd_artists.artist_hotttnesss as hotttnesss,
        coalesce(msd_artists.source_system, representatives.source_system) as source_system,
        {{ terms_of_both('msd_artists.terms_of_use', 'representatives.terms_of_use') }} as terms_of_use,
        coalesce(msd_artists.loaded_at, representatives.loaded_at) as loaded_at,
        coalesce(msd_artists.extracted_at, representatives.extracted_at) as extracted_at
    from msd_artists
    full outer join representatives
        on msd_artists.msd_artist_id = representatives.artist_id

)

select
    artists.artist_id,
    artists.msd_artist_id,
    artists.spotify_artist_id,
    artists.mbid,
    artists.artist_7digital_id,
    artists.artist_playme_id,
    artists.name,
    artists.spotify_name,
    artists.location,
    {{ spotify_url('artist', 'artists.spotify_artist_id') }} as spotify_url,
    spotify_artists.image_url,
    artists.latitude,
    artists.longitude,
    artists.familiarity,
    artists.hotttnesss,
    tags.top_term,
    tags.top_mbtag,
    tags.tag_names,
    genres.genre_names,
    coalesce(tags.term_count, 0) as term_count,
    coalesce(tags.mbtag_count, 0) as mbtag_count,
    coalesce(genres.genre_count, 0) as genre_count,
    spotify_artists.spotify_popularity,
    spotify_artists.follower_count,
    coalesce(songs.song_count, 0) as song_count,
    coalesce(songs.msd_song_count, 0) as msd_song_count,
    coalesce(songs.song_count - songs.msd_song_count, 0) as spotify_only_song_count,
    artists.msd_artist_id is not null as is_in_msd,
    artists.spotify_artist_id is not null as is_in_spotify,
    artists.source_system,
    artists.terms_of_use,
    {{ is_training_allowed('artists.terms_of_use') }} as is_training_allowed,
    spotify_artists.popularity_observed_on,
    artists.loaded_at,
    artists.extracted_at
from artists
left join tags
    on artists.msd_artist_id = tags.msd_artist_id
left join spotify_artists
    on artists.spotify_artist_id = spotify_artists.spotify_artist_id
left join songs
    on artists.artist_id = songs.artist_id
left join genres
    on artists.artist_id = genres.artist_id
