{%- set eras = [
    ('before_1960', 1, 1959),
    ('1960s', 1960, 1969),
    ('1970s', 1970, 1979),
    ('1980s', 1980, 1989),
    ('1990s', 1990, 1999),
    ('2000s', 2000, 2009),
    ('2010s', 2010, 2019),
    ('from_2020', 2020, 9999),
] -%}

with playlists as (

    select * from {{ ref('dim_playlists') }}

),

playlist_spans as (

    select * from {{ ref('int_playlist_states_spanned') }}

),

playlist_tracks as (

    select * from {{ ref('fct_playlist_tracks') }}

),

track_changes as (

    select * from {{ ref('fct_playlist_track_changes') }}

),

songs as (

    select * from {{ ref('dim_songs') }}

),

albums as (

    select * from {{ ref('int_spotify_albums_dated') }}

),

audio_features as (

    select * from {{ ref('stg_spotify__audio_features') }}

),

-- A row per place that holds a song. Of the year and the album's date the earlier one counts: a reissue
-- does not make a song new.
items as (

    select
        playlist_tracks.playlist_id,
        playlist_tracks.artist_id,
        songs.terms_of_use,
        audio_features.terms_of_use as audio_terms_of_use,
        case
            when extract(year from albums.released_from) <= coalesce(songs.release_year, 9999)
                then albums.terms_of_use
        end as album_terms_of_use,
        songs.release_year,
        coalesce(songs.tempo_bpm, audio_features.tempo_bpm) as tempo_bpm,
        coalesce(songs.loudness_db, audio_features.loudness_db) as loudness_db,
        coalesce(songs.key, audio_features.key) as key,
        coalesce(songs.mode, audio_features.mode) as mode,
        coalesce(songs.energy, audio_features.energy) as energy,
        coalesce(songs.danceability, audio_features.danceability) as danceability,
        audio_features.valence,
        songs.is_explicit,
        coalesce(cast(playlist_tracks.added_at as date), playlists.last_available_on) as chosen_on,
        case
            when extract(year from albums.released_from) <= coalesce(songs.release_year, 9999)
                then albums.released_from
            else try_cast(lpad(cast(songs.release_year as varchar(4)), 4, '0') || '-01-01' as date)
        end as released_from,
        case
            when extract(year from albums.released_from) <= coalesce(songs.release_year, 9999)
                then albums.released_until
            else try_cast(lpad(cast(songs.release_year as varchar(4)), 4, '0') || '-12-31' as date)
        end as released_until
    from playlist_tracks
    inner join playlists
        on playlist_tracks.playlist_id = playlists.playlist_id
    inner join songs
        on playlist_tracks.song_id = songs.song_id
    left join albums
        on songs.spotify_album_id = albums.spotify_album_id
    left join audio_features
        on playlist_tracks.spotify_track_id = audio_features.spotify_track_id

),

-- Undecided (NULL) where 18 months before lie within the month or year that is known, and where the known
-- release is later than the choice: it is another one.
dated_items as (

    select
        *,
        case
            when released_from > chosen_on then null
            when released_from >= {{ months_later('chosen_on', -18) }} then 1
            when released_until < {{ months_later('chosen_on', -18) }} then 0
        end as current_weight
    from items

),

song_figures as (

    select
        playlist_id,
        count(tempo_bpm) as tempo_known_count,
        avg(tempo_bpm) as mean_tempo_bpm,
        count(loudness_db) as loudness_known_count,
        avg(loudness_db) as mean_loudness_db,
        count(key) as key_known_count,
        count(mode) as mode_known_count,
        avg(cast(mode as double precision)) as major_share,
        count(energy) as energy_known_count,
        avg(energy) as mean_energy,
        count(danceability) as danceability_known_count,
        avg(danceability) as mean_danceability,
        count(valence) as valence_known_count,
        avg(valence) as mean_valence,
        count(release_year) as release_year_known_count,
        avg(cast(release_year as double precision)) as mean_release_year,
        {%- for era, first_year, last_year in eras %}
            avg(
                case
                    when release_year between {{ first_year }} and {{ last_year }}
                        then cast(1 as double precision)
                    when release_year is not null then 0
                end
            ) as era_{{ era }}_share,
        {%- endfor %}
        count(current_weight) as current_known_count,
        avg(cast(current_weight as double precision)) as current_share,
        count(is_explicit) as explicit_known_count,
        avg(
            case
                when is_explicit then cast(1 as double precision)
                when not is_explicit then 0
            end
        ) as explicit_share
    from dated_items
    group by playlist_id

),

-- Redshift sorts for one median at a time.
median_tempos as (

    select
        playlist_id,
        percentile_cont(0.5) within group (order by tempo_bpm) as median_tempo_bpm
    from items
    group by playlist_id

),

median_years as (

    select
        playlist_id,
        percentile_cont(0.5) within group (order by release_year) as median_release_year
    from items
    group by playlist_id

),

artist_counts as (

    select
        playlist_id,
        artist_id,
        count(*) as item_count,
        row_number() over (
            partition by playlist_id
            order by count(*) desc, artist_id asc
        ) as artist_rank
    from items
    where artist_id is not null
    group by playlist_id, artist_id

),

artist_figures as (

    select
        playlist_id,
        cast(sum(item_count) as bigint) as artist_known_count,
        count(*) as distinct_artist_count,
        max(case when artist_rank = 1 then artist_id end) as top_artist_id,
        cast(max(item_count) as double precision) / sum(item_count) as top_artist_share,
        sum(cast(item_count as double precision) * item_count)
        / (sum(cast(item_count as double precision)) * sum(item_count)) as artist_concentration
    from artist_counts
    group by playlist_id

),

key_counts as (

    select
        playlist_id,
        key,
        count(*) as item_count,
        row_number() over (
            partition by playlist_id
            order by count(*) desc, key asc
        ) as key_rank
    from items
    where key is not null
    group by playlist_id, key

),

key_figures as (

    select
        playlist_id,
        max(case when key_rank = 1 then key end) as top_key,
        cast(max(item_count) as double precision) / sum(item_count) as top_key_share
    from key_counts
    group by playlist_id

),

kind_counts as (

    select
        playlist_id,
        count(case when item_type = 'local' then 1 end) as local_file_count,
        count(case when item_type = 'episode' then 1 end) as episode_count,
        count(case when item_type = 'unavailable' then 1 end) as unavailable_count
    from playlist_tracks
    group by playlist_id

),

change_figures as (

    select
        playlist_id,
        count(case when change = 'entered' then 1 end) as entered_count,
        count(case when change = 'left' then 1 end) as left_count,
        min(last_seen_before_on) as first_seen_on
    from track_changes
    group by playlist_id

),

-- Changes are kept where the states that they are between are not, of files longer than the first look.
churn_figures as (

    select
        playlists.playlist_id,
        playlist_spans.seen_day_count,
        coalesce(change_figures.entered_count, 0) as entered_count,
        coalesce(change_figures.left_count, 0) as left_count,
        case
            when change_figures.first_seen_on < playlist_spans.first_seen_on then change_figures.first_seen_on
            else playlist_spans.first_seen_on
        end as first_seen_on,
        playlist_spans.last_seen_on,
        playlists.item_count
        - (coalesce(change_figures.entered_count, 0) - coalesce(change_figures.left_count, 0)) / 2.0
            as mean_item_count
    from playlists
    inner join playlist_spans
        on playlists.playlist_id = playlist_spans.playlist_id
    left join change_figures
        on playlists.playlist_id = change_figures.playlist_id
    where playlists.item_count is not null

),

rates as (

    select
        *,
        cast(nullif(last_seen_on - first_seen_on, 0) as double precision) / 7 as observed_weeks
    from churn_figures

),

source_terms as (

    select
        playlist_id,
        terms_of_use
    from playlists
    union all
    select
        playlist_id,
        terms_of_use
    from items
    union all
    select
        playlist_id,
        audio_terms_of_use as terms_of_use
    from items
    union all
    select
        playlist_id,
        album_terms_of_use as terms_of_use
    from items

),

terms as (

    {{ united_terms('source_terms', ['playlist_id']) }}

)

select
    playlists.playlist_id,
    playlists.item_count,
    playlists.track_count,
    playlists.distinct_song_count,
    {%- for kind in ('local_file', 'episode', 'unavailable') %}
        case
            when playlists.item_count is not null then coalesce(kind_counts.{{ kind }}_count, 0)
        end as {{ kind }}_count,
    {%- endfor %}
    case
        when playlists.item_count is not null then coalesce(artist_figures.artist_known_count, 0)
    end as artist_known_count,
    case
        when playlists.item_count is not null then coalesce(artist_figures.distinct_artist_count, 0)
    end as distinct_artist_count,
    artist_figures.top_artist_id,
    artist_figures.top_artist_share,
    artist_figures.artist_concentration,
    1 / artist_figures.artist_concentration as effective_artist_count,
    {%- for figure in ('tempo', 'loudness', 'key', 'mode', 'energy', 'danceability', 'valence') %}
        case
            when playlists.item_count is not null then coalesce(song_figures.{{ figure }}_known_count, 0)
        end as {{ figure }}_known_count,
    {%- endfor %}
    song_figures.mean_tempo_bpm,
    cast(median_tempos.median_tempo_bpm as double precision) as median_tempo_bpm,
    song_figures.mean_loudness_db,
    key_figures.top_key,
    key_figures.top_key_share,
    song_figures.major_share,
    song_figures.mean_energy,
    song_figures.mean_danceability,
    song_figures.mean_valence,
    {%- for figure in ('release_year', 'current', 'explicit') %}
        case
            when playlists.item_count is not null then coalesce(song_figures.{{ figure }}_known_count, 0)
        end as {{ figure }}_known_count,
    {%- endfor %}
    song_figures.mean_release_year,
    cast(median_years.median_release_year as double precision) as median_release_year,
    {%- for era, _, _ in eras %}
        song_figures.era_{{ era }}_share,
    {%- endfor %}
    song_figures.current_share,
    song_figures.explicit_share,
    rates.seen_day_count,
    rates.observed_weeks,
    case when rates.observed_weeks is not null then rates.entered_count end as entered_count,
    case when rates.observed_weeks is not null then rates.left_count end as left_count,
    (rates.entered_count + rates.left_count) / rates.observed_weeks as churn_per_week,
    (rates.entered_count + rates.left_count) / rates.observed_weeks
    / nullif(cast(rates.mean_item_count as double precision), 0) as churn_share_per_week,
    playlists.source_system,
    terms.terms_of_use,
    {{ is_training_allowed('terms.terms_of_use') }} as is_training_allowed,
    rates.first_seen_on,
    rates.last_seen_on
from playlists
left join song_figures
    on playlists.playlist_id = song_figures.playlist_id
left join median_tempos
    on playlists.playlist_id = median_tempos.playlist_id
left join median_years
    on playlists.playlist_id = median_years.playlist_id
left join artist_figures
    on playlists.playlist_id = artist_figures.playlist_id
left join key_figures
    on playlists.playlist_id = key_figures.playlist_id
left join kind_counts
    on playlists.playlist_id = kind_counts.playlist_id
left join rates
    on playlists.playlist_id = rates.playlist_id
left join terms
    on playlists.playlist_id = terms.playlist_id
