{{ config(materialized='view') }}

with songs as (

    select * from {{ ref('stg_msd__songs') }}

),

artist_locations as (

    select * from {{ ref('stg_reference_files__artist_locations') }}

),

names as (

    select
        msd_artist_id,
        artist_name,
        count(*) as song_count
    from songs
    where msd_artist_id is not null
    group by msd_artist_id, artist_name

),

-- The MSD writes guests into an artist's name ("X feat. Y"): the commonest name is the artist's
-- own, and the shorter of two equally common ones.
ranked_names as (

    select
        msd_artist_id,
        artist_name,
        sum(song_count) over (partition by msd_artist_id) as song_count,
        row_number() over (
            partition by msd_artist_id
            order by
                case when artist_name is null then 1 else 0 end,
                song_count desc,
                length(artist_name),
                artist_name asc
        ) as name_rank
    from names

),

-- The other attributes come from one song, the one that says most, so that a latitude never
-- stands beside another song's location.
ranked_songs as (

    select
        *,
        row_number() over (
            partition by msd_artist_id
            order by
                case when artist_latitude is null then 0 else 1 end
                + case when artist_location is null then 0 else 1 end
                + case when artist_mbid is null then 0 else 1 end
                + case when artist_familiarity is null then 0 else 1 end
                + case when artist_hotttnesss is null then 0 else 1 end desc,
                msd_track_id
        ) as attribute_rank
    from songs
    where msd_artist_id is not null

)

select
    ranked_songs.msd_artist_id,
    ranked_songs.msd_track_id,
    ranked_songs.artist_mbid,
    ranked_songs.artist_7digital_id,
    ranked_songs.artist_playme_id,
    ranked_names.artist_name,
    ranked_songs.artist_location,
    ranked_songs.source_system,
    ranked_songs.terms_of_use,
    cast(ranked_names.song_count as bigint) as song_count,
    -- Both from one place, or a latitude would stand beside another place's longitude.
    case
        when ranked_songs.artist_latitude is null and ranked_songs.artist_longitude is null
            then artist_locations.artist_latitude
        else ranked_songs.artist_latitude
    end as artist_latitude,
    case
        when ranked_songs.artist_latitude is null and ranked_songs.artist_longitude is null
            then artist_locations.artist_longitude
        else ranked_songs.artist_longitude
    end as artist_longitude,
    ranked_songs.artist_familiarity,
    ranked_songs.artist_hotttnesss,
    ranked_songs.loaded_at,
    ranked_songs.extracted_at
from ranked_songs
inner join ranked_names
    on ranked_songs.msd_artist_id = ranked_names.msd_artist_id
left join artist_locations
    on ranked_songs.msd_artist_id = artist_locations.msd_artist_id
where ranked_songs.attribute_rank = 1 and ranked_names.name_rank = 1
