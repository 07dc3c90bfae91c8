with tracks as (

    select * from {{ ref('int_tracks_deduplicated') }}
    where spotify_track_id is not null

),

api_tracks as (

    select * from {{ ref('int_spotify_tracks_deduplicated') }}

),

api_track_artists as (

    select * from {{ ref('stg_spotify__track_artists') }}

),

artists as (

    select * from {{ ref('int_spotify_artists_deduplicated') }}

),

file_items as (

    select * from {{ ref('stg_playlist_files__playlist_tracks') }}
    where all_artist_uris is not null and spotify_track_id is not null

),

-- A track has two artists or three: fifty are more than any list that was seen, and bound the split.
positions as (

    {% for position in range(50) %}
        select {{ position }} as position
        {% if not loop.last %}union all{% endif %}
    {% endfor %}

),

-- Exports name all artists in one text. A name is read only where there are as many as URIs.
file_lists as (

    select
        file_items.spotify_track_id,
        {{ regexp_replace_all('file_items.all_artist_uris', ' *[,;] *', ';') }} as artist_uris,
        {{ regexp_replace_all('file_items.all_artist_names', ' *[,;] *', ';') }} as artist_names
    from file_items
    left join api_tracks
        on file_items.spotify_track_id = api_tracks.spotify_track_id
    where api_tracks.spotify_track_id is null

),

ranked_lists as (

    select
        *,
        length(artist_uris) - length(replace(artist_uris, ';', '')) + 1 as artist_count,
        length(artist_names) - length(replace(artist_names, ';', '')) + 1 as name_count,
        row_number() over (
            partition by spotify_track_id
            order by
                artist_uris asc,
                artist_names asc nulls last
        ) as list_rank
    from file_lists

),

file_track_artists as (

    select
        ranked_lists.spotify_track_id,
        positions.position,
        split_part(ranked_lists.artist_uris, ';', positions.position + 1) as artist_uri,
        case
            when ranked_lists.name_count = ranked_lists.artist_count
                then split_part(ranked_lists.artist_names, ';', positions.position + 1)
        end as artist_name
    from ranked_lists
    inner join positions
        on ranked_lists.artist_count > positions.position
    where ranked_lists.list_rank = 1

),

-- What a track's own object says comes first, then an export's list, then the one artist that is known.
credits as (

    select
        api_track_artists.spotify_track_id,
        api_track_artists.position,
        api_track_artists.spotify_artist_id,
        api_track_artists.artist_name,
        api_tracks.title,
        api_tracks.source_system,
        api_tracks.terms_of_use,
        api_track_artists.loaded_at
    from api_track_artists
    inner join api_tracks
        on
            api_track_artists.spotify_track_id = api_tracks.spotify_track_id
            and api_track_artists.observed_on = api_tracks.observed_on
            and api_track_artists.is_full = api_tracks.is_full
    where api_track_artists.spotify_artist_id is not null
    union all
    select
        file_track_artists.spotify_track_id,
        file_track_artists.position,
        {{ spotify_id('file_track_artists.artist_uri', 'artist') }} as spotify_artist_id,
        {{ blank_to_null('file_track_artists.artist_name') }} as artist_name,
        tracks.title,
        tracks.source_system,
        tracks.terms_of_use,
        tracks.loaded_at
    from file_track_artists
    inner join tracks
        on file_track_artists.spotify_track_id = tracks.spotify_track_id
    where {{ spotify_id('file_track_artists.artist_uri', 'artist') }} is not null

),

all_credits as (

    select
        spotify_track_id,
        position,
        spotify_artist_id as artist_key,
        spotify_artist_id,
        artist_name,
        title,
        source_system,
        terms_of_use,
        loaded_at
    from credits
    union all
    select
        tracks.spotify_track_id,
        0 as position,
        tracks.artist_key,
        tracks.spotify_artist_id,
        tracks.artist_name,
        tracks.title,
        tracks.source_system,
        tracks.terms_of_use,
        tracks.loaded_at
    from tracks
    left join credits
        on tracks.spotify_track_id = credits.spotify_track_id
    where credits.spotify_track_id is null and tracks.artist_key is not null

),

named as (

    select
        all_credits.spotify_track_id,
        all_credits.position,
        all_credits.artist_key,
        all_credits.spotify_artist_id,
        all_credits.title,
        all_credits.source_system,
        all_credits.terms_of_use,
        all_credits.loaded_at,
        coalesce(artists.artist_name, all_credits.artist_name) as artist_name
    from all_credits
    left join artists
        on all_credits.spotify_artist_id = artists.spotify_artist_id

)

-- Spotify lists artists without saying what they did; that one is a guest its titles say.
select
    spotify_track_id,
    position,
    artist_key,
    spotify_artist_id,
    artist_name,
    source_system,
    terms_of_use,
    case when position = 0 then false else {{ is_named_as_guest('title', 'artist_name') }} end as is_featured,
    loaded_at
from named
