with playlist_states as (

    select * from {{ ref('int_playlist_states_ordered') }}

)

select
    playlist_id,
    min(seen_on) as first_seen_on,
    max(seen_on) as last_seen_on,
    count(*) as seen_day_count
from playlist_states
group by playlist_id
