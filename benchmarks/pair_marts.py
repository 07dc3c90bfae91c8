"""The marts of pairs, on made playlists: that their cost grows with the playlists, not with their square.

Playlists of 65 songs, drawn by a Zipf-Mandelbrot law from a catalogue that grows with them (two songs per
playlist; the commonest song is in about one playlist in ten); every fifth playlist is another one's copy
of which a part, anything from a fifth to all, was kept. The SQL is what dbt compiles of the models, run by
DuckDB over the tables that they read in a file; each run is a process of its own. Counted is CPU time, user
and system, of all threads, which waiting for a busy machine does not lengthen. The baseline is the same on a
quarter of the playlists: a ratio of 4 is linear growth, 16 would be quadratic.

- <mart>_cpu: CPU seconds on all playlists, against a quarter of them. Goal: at most 5 times.
- <mart>_memory: peak memory of the process, all of DuckDB's tables and the interpreter included.
- <mart>_rows: pairs found.
- overlaps_found: of the pairs above the mart's thresholds that a sample of the playlists is in, found by
  comparing each with all others, the share that the mart has. Goal: at least 0.95.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import measure
from dbt_project.lint.compiling import compile_offline

PROJECT = Path(__file__).resolve().parents[1]
MARTS = ("agg_playlist_overlaps", "agg_song_cooccurrences", "agg_artist_cooccurrences")
SONGS_PER_PLAYLIST, SONGS_PER_ARTIST = 65, 8
GROWTH, GROWTH_GOAL, FOUND_GOAL = 4, 5, 0.95


def main() -> None:
    """Measure and print the figures."""
    size = sizes(__doc__, playlists=(80_000, 400), repetitions=(2, 1), sample=(100, 50))
    with tempfile.TemporaryDirectory(prefix="pair-marts-") as scratch:
        folder = Path(scratch)
        queries = compiled(folder / "compiled")
        quarter, whole = folder / "quarter.duckdb", folder / "whole.duckdb"
        measure(making, quarter, size.playlists // GROWTH)
        measure(making, whole, size.playlists)
        for mart, query in queries.items():
            few, many = [], []
            for _ in range(size.repetitions):
                few.append(measure(building, quarter, query))
                many.append(measure(building, whole, query))
            name = mart.removeprefix("agg_")
            cost, baseline = (median(run.cpu_seconds for run in runs) for runs in (many, few))
            report(figure(f"{name}_cpu", cost, "CPU s", baseline=baseline, at_most=GROWTH_GOAL))
            memory, baseline = (median(run.peak_bytes for run in runs) / 1e6 for runs in (many, few))
            report(figure(f"{name}_memory", memory, "MB", baseline=baseline))
            report(figure(f"{name}_rows", float(many[0].result), "pairs", baseline=float(few[0].result)))
        found = measure(finding, quarter, queries["agg_playlist_overlaps"], size.sample).result
        report(figure("overlaps_found", found, "of all", at_least=FOUND_GOAL))


def compiled(folder: Path) -> dict[str, str]:
    """The SQL of each mart, as dbt compiles it for DuckDB; its tables are in the database `warehouse`."""
    files = {path.stem: path for path in compile_offline(PROJECT, folder, "duckdb")}
    return {mart: files[mart].read_text() for mart in MARTS}


def making(path: Path, playlists: int) -> Callable[[], None]:
    """Work that writes the tables that the marts read, of so many playlists."""
    import numpy as np
    import pyarrow as pa

    def make() -> None:
        random = np.random.default_rng(1)
        weights = 1 / (np.arange(2 * playlists) + 100)
        shares = np.cumsum(weights) / weights.sum()
        songs = np.searchsorted(shares, random.random((playlists, SONGS_PER_PLAYLIST)))
        for copy in range(4, playlists, 5):
            kept = random.permutation(SONGS_PER_PLAYLIST)[: random.integers(13, SONGS_PER_PLAYLIST + 1)]
            songs[copy, : len(kept)] = songs[random.integers(playlists), kept]
        items = pa.table(
            {
                "playlist": np.repeat(np.arange(playlists), SONGS_PER_PLAYLIST),
                "song": songs.ravel(),
            }
        )
        with connected(path) as connection:
            connection.register("items", items)
            # Ids as long as Spotify's, in no order.
            connection.execute("create schema warehouse.marts")
            connection.execute(
                "create table warehouse.marts.agg_playlist_songs as select distinct "
                "left(md5('p' || playlist), 22) as playlist_id, left(md5('s' || song), 22) as song_id, "
                f"left(md5('a' || song // {SONGS_PER_ARTIST}), 22) as artist_id, true as is_in_playlist, "
                "'mpd' as source_system, 'mpd_research' as terms_of_use from items"
            )
            connection.execute(
                "create table warehouse.marts.dim_playlists as select distinct playlist_id, "
                "true as is_available from warehouse.marts.agg_playlist_songs"
            )

    return make


def building(path: Path, query: str) -> Callable[[], int]:
    """Work that builds a mart and returns its rows."""

    def build() -> int:
        with connected(path) as connection:
            connection.execute(f"create or replace table warehouse.marts.pairs as {query}")
            return connection.execute("select count(*) from warehouse.marts.pairs").fetchone()[0]

    return build


def finding(path: Path, query: str, sample: int) -> Callable[[], float]:
    """Work that builds the overlaps and returns what share of those of some playlists it has."""
    build = building(path, query)

    def find() -> float:
        build()
        with connected(path) as connection:
            expected, found = connection.execute(
                "with songs as (select playlist_id, song_id from warehouse.marts.agg_playlist_songs), "
                "playlists as (select playlist_id, count(*) as size from songs group by playlist_id), "
                f"sampled as (select * from playlists order by playlist_id limit {sample}), "
                "shared as (select least(here.playlist_id, there.playlist_id) as a, "
                "greatest(here.playlist_id, there.playlist_id) as b, "
                "count(distinct here.song_id) as songs, min(least(sampled.size, playlists.size)) as shorter "
                "from sampled inner join songs as here using (playlist_id) "
                "inner join songs as there on here.song_id = there.song_id "
                "and here.playlist_id <> there.playlist_id "
                "inner join playlists on there.playlist_id = playlists.playlist_id group by a, b) "
                "select count(*), count(pairs.playlist_a_id) from shared "
                "left join warehouse.marts.pairs as pairs on a = playlist_a_id and b = playlist_b_id "
                "where songs >= 3 and songs >= 0.2 * shorter"
            ).fetchone()
        return found / expected

    return find


def connected(path: Path):
    """A connection to a file whose database is called as in what dbt compiles."""
    import duckdb

    connection = duckdb.connect()
    connection.execute(f"attach '{path}' as warehouse")
    return connection


if __name__ == "__main__":
    main()
