"""Matching songs with tracks, against DuckDB's exact join of titles and names.

A made catalogue lies in the warehouse as dbt's models hold it: artists with few songs and with
thousands, titles that are everybody's, misspelt and decorated titles, live takes, remixes, covers.
Measured is what `python -m matching` does, from reading the warehouse to the loaded raw tables, in a
process of its own. The baseline joins the same tables in the same file on lower-case titles and names
without accents and punctuation, and writes what it found into a table.

- matching_seconds: for the large catalogue. Goal: at most 900 s for 1,000,000 songs against 2,000,000 tracks
  on two cores.
- matching_memory: peak of the large run's process. Goal: at most 8,000 MB.
- matching_growth: seconds per song of the large run, against those of the small one. Goal: at most 1.3.
- matching_exact_join: seconds of matching, against those of the exact join.
- matching_candidate_recall: share of the true pairs that are among the candidates. Goal: at least 0.99.
- matching_exact_recall: share of the true pairs that the exact join finds.
- matching_candidates: candidates per song.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import Measured, measure
from benchmarks.support.warehouses import scratch_settings

MOST_SECONDS, MOST_MEGABYTES, MOST_GROWTH, LEAST_RECALL = 900, 8_000, 1.3, 0.99


def main() -> None:
    """Measure and print the figures."""
    size = sizes(
        __doc__,
        songs=(1_000_000, 2_000),
        tracks=(2_000_000, 4_000),
        small_songs=(100_000, 500),
        small_tracks=(200_000, 1_000),
    )
    with tempfile.TemporaryDirectory(prefix="matching-") as scratch:
        small, large = Path(scratch, "small"), Path(scratch, "large")
        few = _matched(small, size.small_songs, size.small_tracks)
        many = _matched(large, size.songs, size.tracks)
        exact = measure(joining, large)
        report(figure("matching_seconds", many.wall_seconds, "s", at_most=MOST_SECONDS))
        report(figure("matching_memory", many.peak_bytes / 1e6, "MB", at_most=MOST_MEGABYTES))
        report(
            figure(
                "matching_growth",
                many.wall_seconds / size.songs * 1e6,
                "us/song",
                baseline=few.wall_seconds / size.small_songs * 1e6,
                at_most=MOST_GROWTH,
            )
        )
        report(figure("matching_exact_join", many.wall_seconds, "s", baseline=exact.wall_seconds))
        found = measure(finding, large).result
        report(figure("matching_candidate_recall", found["candidates"], "share", at_least=LEAST_RECALL))
        report(figure("matching_exact_recall", found["exact"], "share"))
        report(figure("matching_candidates", many.result / size.songs, "pairs/song"))


def _matched(home: Path, songs: int, tracks: int) -> Measured:
    measure(making, home, songs, tracks)
    return measure(matching, home)


def making(home: Path, songs: int, tracks: int) -> Callable[[], None]:
    """Work that writes the catalogue into a new warehouse in `home`."""
    from benchmarks.support.music import make_music

    home.mkdir()
    return lambda: make_music(scratch_settings(home).warehouse_path, songs, tracks)


def matching(home: Path) -> Callable[[], int]:
    """Work that matches what the warehouse in `home` holds, loads that, and returns the candidates."""
    from ingestion.load import load
    from matching import MATCHING
    from matching.run import match

    settings = scratch_settings(home)

    def work() -> int:
        candidates = match(settings).song_candidates
        load(settings, MATCHING)
        return candidates

    return work


def joining(home: Path) -> Callable[[], None]:
    """Work that joins songs and tracks of equal title and name."""
    import duckdb

    def plain(column: str) -> str:
        return f"regexp_replace(strip_accents(lower({column})), '[^a-z0-9]+', ' ', 'g')"

    def work() -> None:
        with duckdb.connect(str(scratch_settings(home).warehouse_path)) as connection:
            connection.execute(
                f"""
                create table exact as
                select msd_track_id, track_key
                from intermediate.int_songs_enriched as songs
                inner join intermediate.int_tracks_deduplicated as tracks
                    on {plain("songs.title")} = {plain("tracks.title")}
                    and {plain("songs.artist_name")} = {plain("tracks.artist_name")}
                """
            )

    return work


def finding(home: Path) -> Callable[[], dict[str, float]]:
    """Work that counts which share of the true pairs was found in either way."""
    import duckdb

    tables = {"candidates": "raw_matching.song_candidates", "exact": "exact"}

    def work() -> dict[str, float]:
        with duckdb.connect(str(scratch_settings(home).warehouse_path), read_only=True) as connection:
            (total,) = connection.execute("select count(*) from truth").fetchone()
            return {
                name: connection.execute(
                    f"select count(*) from truth semi join {table} using (msd_track_id, track_key)"
                ).fetchone()[0]
                / total
                for name, table in tables.items()
            }

    return work


if __name__ == "__main__":
    main()
