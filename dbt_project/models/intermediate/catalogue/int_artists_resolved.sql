with artists as (

    select * from {{ ref('int_artists_matched') }}

),

track_artists as (

    select * from {{ ref('int_track_artists_unioned') }}

),

albums as (

    select * from {{ ref('int_spotify_albums_deduplicated') }}

),

spotify_artists as (

    select * from {{ ref('int_spotify_artists_deduplicated') }}
    where artist_name is not null

),

-- Guests on tracks, and whose albums they are on: nothing is known by which they could be matched.
credits as (

    select
        artist_key,
        spotify_artist_id,
        artist_name,
        source_system,
        terms_of_use
    from track_artists
    union all
    select
        spotify_artist_id as artist_key,
        spotify_artist_id,
        artist_name,
        source_system,
        terms_of_use
    from albums
    where spotify_artist_id is not null

),

ranked_credits as (

    select
        credits.*,
        row_number() over (
            partition by credits.artist_key
            order by
                case when credits.artist_name is null then 1 else 0 end,
                credits.artist_name asc,
                credits.source_system asc nulls last,
                credits.terms_of_use asc nulls last
        ) as credit_rank
    from credits
    left join artists
        on credits.artist_key = artists.artist_key
    where artists.artist_key is null

)

select
    artist_key,
    artist_id,
    msd_artist_id,
    spotify_artist_id,
    artist_name,
    source_system,
    terms_of_use,
    shared_track_count,
    loaded_at,
    extracted_at
from artists
union all
select
    ranked_credits.artist_key,
    ranked_credits.artist_key as artist_id,
    cast(null as varchar(32)) as msd_artist_id,
    ranked_credits.spotify_artist_id,
    coalesce(spotify_artists.artist_name, ranked_credits.artist_name) as artist_name,
    coalesce(spotify_artists.source_system, ranked_credits.source_system) as source_system,
    coalesce(spotify_artists.terms_of_use, ranked_credits.terms_of_use) as terms_of_use,
    0 as shared_track_count,
    spotify_artists.loaded_at,
    spotify_artists.extracted_at
from ranked_credits
left join spotify_artists
    on ranked_credits.artist_key = spotify_artists.spotify_artist_id
where ranked_credits.credit_rank = 1
