with current_rows as (

    {{ first_current_rows('reference_files', 'song_plays', ['source_root', 'file_path', 'song_id']) }}

)

select
    file_path,
    song_id as msd_song_id,
    source_root,
    source_system,
    terms_of_use,
    content_digest,
    first_listen_digest,
    play_count,
    listener_count,
    {{ load_moment('_dlt_load_id') }} as loaded_at,
    {{ utc_timestamp('extracted_at') }} as extracted_at
from current_rows
