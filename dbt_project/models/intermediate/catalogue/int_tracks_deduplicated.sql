with playlist_tracks as (

    select * from {{ ref('int_playlist_tracks_identified') }}

),

api_tracks as (

    select * from {{ ref('int_spotify_tracks_deduplicated') }}

),

-- Millions of items say the same of a track: the window below runs over the few ways of saying it.
variants as (

    select
        track_key,
        spotify_track_id,
        spotify_artist_id,
        spotify_album_id,
        isrc,
        title,
        artist_name,
        release_name,
        source_system,
        terms_of_use,
        duration_seconds,
        release_year,
        is_explicit,
        count(*) as item_count,
        max(loaded_at) as loaded_at,
        max(extracted_at) as extracted_at
    from playlist_tracks
    where track_key is not null
    group by
        track_key,
        spotify_track_id,
        spotify_artist_id,
        spotify_album_id,
        isrc,
        title,
        artist_name,
        release_name,
        source_system,
        terms_of_use,
        duration_seconds,
        release_year,
        is_explicit

),

-- What else Spotify told of, as when it was asked for a song.
other_tracks as (

    select
        api_tracks.spotify_track_id as track_key,
        api_tracks.spotify_track_id,
        api_tracks.spotify_artist_id,
        api_tracks.spotify_album_id,
        api_tracks.isrc,
        api_tracks.title,
        api_tracks.artist_name,
        api_tracks.release_name,
        api_tracks.source_system,
        api_tracks.terms_of_use,
        api_tracks.duration_seconds,
        api_tracks.release_year,
        api_tracks.is_explicit,
        0 as item_count,
        api_tracks.loaded_at,
        api_tracks.extracted_at
    from api_tracks
    left join variants
        on api_tracks.spotify_track_id = variants.track_key
    where variants.track_key is null

),

all_variants as (

    select * from variants
    union all
    select * from other_tracks

),

-- The variant that says most represents the track, then Spotify's own, then the commonest; the
-- rest only makes the choice the same every time, which a load time would not.
ranked_variants as (

    select
        *,
        sum(item_count) over (partition by track_key) as track_item_count,
        row_number() over (
            partition by track_key
            order by
                case when title is null then 1 else 0 end,
                case when spotify_artist_id is null then 1 else 0 end,
                case when isrc is null then 1 else 0 end,
                case when duration_seconds is null then 1 else 0 end,
                case when source_system = 'spotify_api' then 0 else 1 end,
                item_count desc,
                title asc nulls last,
                artist_name asc nulls last,
                release_name asc nulls last,
                spotify_artist_id asc nulls last,
                spotify_album_id asc nulls last,
                isrc asc nulls last,
                source_system asc nulls last,
                terms_of_use asc nulls last,
                duration_seconds asc nulls last,
                release_year asc nulls last,
                is_explicit asc nulls last
        ) as variant_rank
    from all_variants

),

representatives as (

    select
        *,
        {{ normalise_text('title') }} as normalised_title,
        {{ normalise_text('artist_name') }} as normalised_artist_name
    from ranked_variants
    where variant_rank = 1

),

-- An account export names artists without their ids. Where exactly one id is known under
-- that name, the name stands for it.
artists_by_name as (

    select
        normalised_artist_name,
        max(spotify_artist_id) as spotify_artist_id
    from representatives
    where normalised_artist_name is not null
    group by normalised_artist_name
    having count(distinct spotify_artist_id) = 1

),

artists_named as (

    select
        representatives.*,
        coalesce(representatives.spotify_artist_id, artists_by_name.spotify_artist_id)
            as known_spotify_artist_id
    from representatives
    left join artists_by_name
        on representatives.normalised_artist_name = artists_by_name.normalised_artist_name

)

select
    track_key,
    case
        when known_spotify_artist_id is not null then known_spotify_artist_id
        when normalised_artist_name is not null then {{ hash_key(['normalised_artist_name']) }}
    end as artist_key,
    spotify_track_id,
    known_spotify_artist_id as spotify_artist_id,
    spotify_album_id,
    isrc,
    title,
    normalised_title,
    artist_name,
    normalised_artist_name,
    release_name,
    source_system,
    terms_of_use,
    duration_seconds,
    release_year,
    cast(track_item_count as bigint) as item_count,
    is_explicit,
    track_item_count > 0 as is_in_playlist,
    loaded_at,
    extracted_at
from artists_named
