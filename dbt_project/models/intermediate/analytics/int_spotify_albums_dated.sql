with albums as (

    select * from {{ ref('stg_spotify__albums') }}

),

file_items as (

    select * from {{ ref('stg_playlist_files__playlist_tracks') }}

),

known_dates as (

    select
        spotify_album_id,
        release_date
    from albums
    where release_date is not null
    union
    select
        spotify_album_id,
        release_date
    from file_items
    where
        spotify_album_id is not null
        and release_date is not null

),

-- A month or a year alone stands for all its days.
spans as (

    select
        spotify_album_id,
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
        row_number() over (
            partition by spotify_album_id
            order by
                released_until - released_from asc,
                released_from asc
        ) as precision_rank
    from spans
    where released_from is not null

)

select
    spotify_album_id,
    released_from,
    released_until
from ranked_spans
where precision_rank = 1
