"""Three questions that researchers ask of the warehouse, with charts: `marimo edit docs/notebook.py`.

It reads the warehouse in use, the made-up world's or your own, and changes nothing in it.
"""

import marimo

__generated_with = "0.25.2"
app = marimo.App(width="medium", app_title="Music Warehouse")


@app.cell
def _():
    from contextlib import closing

    import altair as alt
    import marimo as mo
    import pyarrow as pa

    from ingestion.config import load_settings
    from orchestration.warehouse import open_to_read

    return alt, closing, load_settings, mo, open_to_read, pa


@app.cell
def _(closing, load_settings, open_to_read, pa):
    settings = load_settings()

    def ask(query: str) -> pa.Table:
        """The rows that a query answers. The warehouse is closed again at once: others may write to it."""
        with open_to_read(settings) as warehouse, closing(warehouse.cursor()) as cursor:
            cursor.execute(query)
            names = [column[0] for column in cursor.description]
            rows = cursor.fetchall()
        return pa.table({name: [row[place] for row in rows] for place, name in enumerate(names)})

    return ask, settings


@app.cell
def _(mo, settings):
    mo.md(f"""
    # Three questions to the Music Warehouse

    Asked of `{settings.warehouse_name}`.
    {"This is the made-up world: its numbers mean nothing." if settings.is_sandbox else ""}
    What the tables and columns mean: `docs/data-dictionary.md`.
    """)
    return


@app.cell
def _(mo):
    mo.md("""
    ## How did tempo and loudness change?

    Means over the songs of the Million Song Dataset, by year of release; years with fewer than five songs are
    left out. Loudness is that of the recording as it was analysed: of an old song often a remaster.
    """)
    return


@app.cell
def _(ask):
    songs_by_year = ask("""
        select
            release_year,
            count(*) as song_count,
            avg(tempo_bpm) as mean_tempo_bpm,
            avg(loudness_db) as mean_loudness_db
        from marts.dim_songs
        where is_in_msd and release_year is not null
        group by release_year
        having count(*) >= 5
        order by release_year
    """)
    return (songs_by_year,)


@app.cell
def _(alt, songs_by_year):
    def by_year(column: str, title: str) -> alt.Chart:
        return (
            alt.Chart(songs_by_year, width=320, height=240)
            .mark_line(point=True)
            .encode(
                alt.X("release_year:Q", title="year of release", axis=alt.Axis(format="d")),
                alt.Y(f"{column}:Q", title=title, scale=alt.Scale(zero=False)),
                tooltip=["release_year:Q", f"{column}:Q", "song_count:Q"],
            )
        )

    tempo_and_loudness = by_year("mean_tempo_bpm", "mean tempo (bpm)") | by_year(
        "mean_loudness_db", "mean loudness (dB)"
    )
    tempo_and_loudness
    return


@app.cell
def _(mo):
    mo.md("""
    ## Which artists of the Million Song Dataset live on in playlists?

    The number of playlists that now hold a song of theirs. One source is asked, as a playlist can be in two;
    those of the Million Playlist Dataset were made until 2017 and are left out.
    """)
    return


@app.cell
def _(ask, mo):
    sources = ask("""
        select source_system
        from marts.dim_playlists
        where source_system <> 'mpd'
        group by source_system
        order by case when source_system = 'spotify_api' then 0 else 1 end, source_system
    """)["source_system"].to_pylist()
    source = mo.ui.dropdown(sources, value=next(iter(sources), None), label="source")
    source
    return (source,)


@app.cell
def _(ask, mo, source):
    mo.stop(source.value is None, "The warehouse has no playlists of today.")
    living_artists = ask(f"""
        select
            artists.name,
            reaches.playlist_count,
            reaches.item_count as place_count
        from marts.agg_artist_reaches as reaches
        inner join marts.dim_artists as artists on reaches.artist_id = artists.artist_id
        where artists.is_in_msd and reaches.source_system = '{source.value}' and reaches.playlist_count > 0
        order by reaches.playlist_count desc, reaches.item_count desc, artists.name
        limit 20
    """)
    return (living_artists,)


@app.cell
def _(alt, living_artists):
    artists_in_playlists = (
        alt.Chart(living_artists, width=500)
        .mark_bar()
        .encode(
            alt.X("playlist_count:Q", title="playlists"),
            alt.Y("name:N", sort="-x", title=None),
            tooltip=["name:N", "playlist_count:Q", "place_count:Q"],
        )
    )
    artists_in_playlists
    return


@app.cell
def _(mo):
    mo.md("""
    ## Which playlists are most like this one?

    Shared songs against all songs of the two (Jaccard): 1 where both hold the same songs. Each song counts
    once in a playlist. Compared are playlists of the same source that are still there; which pairs may be
    missing: `docs/metrics.md`.
    """)
    return


@app.cell
def _(ask, mo):
    longest_playlists = ask("""
        select playlist_id, name
        from marts.dim_playlists
        where is_available
        order by distinct_song_count desc nulls last, playlist_id
        limit 100
    """).to_pylist()
    names = {f"{one['name']} ({one['playlist_id']})": one["playlist_id"] for one in longest_playlists}
    playlist = mo.ui.dropdown(names, value=next(iter(names), None), label="playlist")
    playlist
    return (playlist,)


@app.cell
def _(ask, mo, playlist):
    mo.stop(playlist.value is None, "The warehouse has no playlists.")
    chosen = playlist.value.replace("'", "''")
    similar_playlists = ask(f"""
        with partners as (
            select playlist_b_id as playlist_id, shared_song_count, jaccard
            from marts.agg_playlist_overlaps
            where playlist_a_id = '{chosen}' and source_system_a = source_system_b
            union all
            select playlist_a_id as playlist_id, shared_song_count, jaccard
            from marts.agg_playlist_overlaps
            where playlist_b_id = '{chosen}' and source_system_a = source_system_b
        )
        select
            case
                when playlists.name is not null and count(*) over (partition by playlists.name) = 1
                    then playlists.name
                else coalesce(playlists.name, '') || ' (' || playlists.playlist_id || ')'
            end as playlist,
            partners.shared_song_count,
            partners.jaccard
        from partners
        inner join marts.dim_playlists as playlists on partners.playlist_id = playlists.playlist_id
        order by partners.jaccard desc, partners.playlist_id
        limit 15
    """)
    return (similar_playlists,)


@app.cell
def _(alt, similar_playlists):
    most_alike = (
        alt.Chart(similar_playlists, width=500)
        .mark_bar()
        .encode(
            alt.X("jaccard:Q", title="similarity"),
            alt.Y("playlist:N", sort="-x", title=None),
            tooltip=["playlist:N", "shared_song_count:Q", "jaccard:Q"],
        )
    )
    most_alike
    return


if __name__ == "__main__":
    app.run()
