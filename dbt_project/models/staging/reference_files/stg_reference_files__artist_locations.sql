with current_rows as (

    {{ first_current_rows('reference_files', 'artist_locations', ['artist_id'], 'line_number') }}

)

select
    artist_id as msd_artist_id,
    track_id as msd_track_id,
    {{ blank_to_null('artist_name') }} as artist_name,
    source_system,
    terms_of_use,
    case
        when latitude between -90 and 90 and longitude between -180 and 180
            then latitude
    end as artist_latitude,
    case
        when latitude between -90 and 90 and longitude between -180 and 180
            then longitude
    end as artist_longitude,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
