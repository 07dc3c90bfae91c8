with songs as (

    select * from {{ ref('dim_songs') }}

),

track_artists as (

    select * from {{ ref('int_track_artists_unioned') }}

),

artists as (

    select * from {{ ref('int_artists_resolved') }}

),

credits as (

    select
        song_id,
        artist_id,
        -1 as position,
        'main' as artist_role,
        source_system,
        terms_of_use,
        loaded_at
    from songs
    where artist_id is not null
    union all
    select
        songs.song_id,
        artists.artist_id,
        track_artists.position,
        case
            when
                track_artists.is_featured
                or {{ is_named_as_guest('songs.artist_name', 'track_artists.artist_name') }}
                then 'featured'
            else 'credited'
        end as artist_role,
        track_artists.source_system,
        track_artists.terms_of_use,
        track_artists.loaded_at
    from songs
    inner join track_artists
        on songs.spotify_track_id = track_artists.spotify_track_id
    inner join artists
        on track_artists.artist_key = artists.artist_key

),

-- The song's artist is among those of its track as a rule, and two of Spotify's may be one of the MSD's.
ranked_credits as (

    select
        *,
        row_number() over (
            partition by song_id, artist_id
            order by position asc
        ) as credit_rank
    from credits

)

select
    song_id,
    artist_id,
    artist_role,
    row_number() over (
        partition by song_id
        order by position asc
    ) as artist_position,
    source_system,
    terms_of_use,
    {{ is_training_allowed('terms_of_use') }} as is_training_allowed,
    loaded_at
from ranked_credits
where credit_rank = 1
