with albums as (

    select * from {{ ref('stg_spotify__albums') }}

),

file_items as (

    select * from {{ ref('stg_playlist_files__playlist_tracks') }}
    where
        spotify_album_id is not null
        and release_date is not null

),

file_playlists as (

    select * from {{ ref('stg_playlist_files__playlists') }}

),

known_dates as (

    select
        spotify_album_id,
        release_date,
        terms_of_use
    from albums
    where release_date is not null
    union
    select
        file_items.spotify_album_id,
        file_items.release_date,
        file_playlists.terms_of_use
    from file_items
    inner join file_playlists
        on
            file_items.playlist_id = file_playlists.playlist_id
            and file_items.snapshot_id = file_playlists.snapshot_id

),

-- A month or a year alone stands for all its days.
spans as (

    select
        spotify_album_id,
        terms_of_use,
        case
            when release_date similar to '[0-9]{4}' then try_cast(release_date || '-01-01' as date)
            when release_date similar to '[0-9]{4}-[0-9]{2}' then try_cast(release_date || '-01' as date)
            when release_date similar to '[0-9]{4}-[0-9]{2}-[0-9]{2}' then try_cast(release_date as date)
        end as released_from,
        case
            when release_date similar to '[0-9]{4}' then try_cast(release_date || '-12-31' as date)
            when release_date similar to '[0-9]{4}-[0-9]{2}'
                then last_day(try_cast(release_date || '-01' as date))
            when release_date similar to '[0-9]{4}-[0-9]{2}-[0-9]{2}' then try_cast(release_date as date)
        end as released_until
    from known_dates

),

ranked_spans as (

    select
        *,
        rank() over (
            partition by spotify_album_id
            order by
                released_until - released_from asc,
                released_from asc
        ) as precision_rank
    from spans
    where released_from is not null

),

chosen_spans as (

    select * from ranked_spans
    where precision_rank = 1

),

terms as (

    {{ united_terms('chosen_spans', ['spotify_album_id']) }}

)

select distinct
    chosen_spans.spotify_album_id,
    terms.terms_of_use,
    chosen_spans.released_from,
    chosen_spans.released_until
from chosen_spans
left join terms
    on chosen_spans.spotify_album_id = terms.spotify_album_id
