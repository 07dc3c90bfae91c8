{#- Of each track id the song to go by, and the one of a summary file: what files hold now, whichever was read
    first. The newest file counts, then the first by its path. -#}
{% macro current_msd_songs() -%}
select *
from (
    select
        songs.*,
        row_number() over (
            partition by songs.track_id, songs.is_summary
            order by
                files.modified_at desc nulls last,
                songs.file_path asc,
                files.source_root asc,
                songs.lake_unit_id asc
        ) as file_rank
    from {{ source('msd', 'songs') }} as songs
    inner join {{ source('msd', 'files') }} as files
        on
            songs.lake_unit_id = files.lake_unit_id
            and songs.file_path = files.file_path
) as ranked_files
where file_rank = 1
{%- endmacro %}
