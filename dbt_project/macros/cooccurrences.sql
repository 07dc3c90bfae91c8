{#-
    How often two songs, or two artists, are in one playlist: the query of both marts, by the column that
    tells them apart. Why these numbers: docs/metrics.md.
-#}
{% macro cooccurrences(entity) -%}
{%- set key = entity ~ '_id' -%}
{%- set basket_size = 30 -%}
{%- set fewest_playlists = 3 -%}
with available_playlists as (

    select * from {{ ref('dim_playlists') }}
    where is_available

),

playlist_songs as (

    select agg_playlist_songs.*
    from {{ ref('agg_playlist_songs') }} as agg_playlist_songs
    inner join available_playlists
        on agg_playlist_songs.playlist_id = available_playlists.playlist_id
    where agg_playlist_songs.is_in_playlist

),

-- Once per playlist, in an order that has nothing to do with who they are.
memberships as (

    select
        playlist_id,
        {{ key }},
        max(source_system) as source_system,
        max(terms_of_use) as terms_of_use,
        row_number() over (
            partition by playlist_id
            order by {{ hash_key(['playlist_id', key]) }} asc
        ) as draw
    from playlist_songs
    where {{ key }} is not null
    group by playlist_id, {{ key }}

),

baskets as (

    select * from memberships
    where draw <= {{ basket_size }}

),

sources as (

    select
        source_system,
        count(distinct playlist_id) as source_playlist_count
    from baskets
    group by source_system

),

source_terms as (

    {{ united_terms('baskets', ['source_system']) }}

),

-- What is in too few playlists is in no pair that is in enough of them. Numbers are compared faster than keys.
frequent as (

    select
        row_number() over (order by source_system asc, {{ key }} asc) as number,
        source_system,
        {{ key }},
        count(*) as playlist_count
    from baskets
    group by source_system, {{ key }}
    having count(*) >= {{ fewest_playlists }}

),

numbered_baskets as (

    select
        baskets.playlist_id,
        frequent.number
    from baskets
    inner join frequent
        on
            baskets.source_system = frequent.source_system
            and baskets.{{ key }} = frequent.{{ key }}

),

pairs as (

    select
        here.number as number_a,
        there.number as number_b,
        count(*) as playlist_count
    from numbered_baskets as here
    inner join numbered_baskets as there
        on
            here.playlist_id = there.playlist_id
            and here.number < there.number
    group by here.number, there.number
    having count(*) >= {{ fewest_playlists }}

)

select
    here.source_system,
    here.{{ key }} as {{ entity }}_a_id,
    there.{{ key }} as {{ entity }}_b_id,
    pairs.playlist_count,
    here.playlist_count as playlist_count_a,
    there.playlist_count as playlist_count_b,
    sources.source_playlist_count,
    cast(pairs.playlist_count as double precision) / sources.source_playlist_count as support,
    cast(pairs.playlist_count as double precision) / here.playlist_count as confidence_a_to_b,
    cast(pairs.playlist_count as double precision) / there.playlist_count as confidence_b_to_a,
    cast(pairs.playlist_count as double precision) * sources.source_playlist_count
    / (cast(here.playlist_count as double precision) * there.playlist_count) as lift,
    source_terms.terms_of_use,
    {{ is_training_allowed('source_terms.terms_of_use') }} as is_training_allowed
from pairs
inner join frequent as here
    on pairs.number_a = here.number
inner join frequent as there
    on pairs.number_b = there.number
inner join sources
    on here.source_system = sources.source_system
left join source_terms
    on here.source_system = source_terms.source_system
{%- endmacro %}
