with songs as (

    select * from {{ ref('dim_songs') }}
    where is_in_msd

),

-- Each song is in four rows: all songs, its year, its decade, its genre.
groups_of_songs as (

    select
        'all' as grouped_by,
        'all' as group_name,
        is_in_spotify,
        is_duplicate,
        is_mismatched,
        terms_of_use
    from songs
    union all
    select
        'release_year' as grouped_by,
        coalesce(cast(release_year as varchar(16)), 'unknown') as group_name,
        is_in_spotify,
        is_duplicate,
        is_mismatched,
        terms_of_use
    from songs
    union all
    select
        'release_decade' as grouped_by,
        coalesce(cast(release_year - mod(release_year, 10) as varchar(16)), 'unknown') as group_name,
        is_in_spotify,
        is_duplicate,
        is_mismatched,
        terms_of_use
    from songs
    union all
    select
        'genre' as grouped_by,
        coalesce(genre, 'unknown') as group_name,
        is_in_spotify,
        is_duplicate,
        is_mismatched,
        terms_of_use
    from songs

),

terms as (

    {{ united_terms('groups_of_songs', ['grouped_by', 'group_name']) }}

),

figures as (

    select
        grouped_by,
        group_name,
        count(*) as song_count,
        count(case when is_in_spotify then 1 end) as matched_song_count,
        count(case when is_duplicate then 1 end) as duplicate_song_count,
        count(case when is_mismatched then 1 end) as mismatched_song_count
    from groups_of_songs
    group by grouped_by, group_name

)

select
    figures.grouped_by,
    figures.group_name,
    figures.song_count,
    figures.matched_song_count,
    cast(figures.matched_song_count as double precision) / figures.song_count as matched_share,
    figures.duplicate_song_count,
    figures.mismatched_song_count,
    terms.terms_of_use,
    {{ is_training_allowed('terms.terms_of_use') }} as is_training_allowed
from figures
left join terms
    on
        figures.grouped_by = terms.grouped_by
        and figures.group_name = terms.group_name
