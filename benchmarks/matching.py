"""Matching songs with tracks, against DuckDB's exact join of titles and names: its cost and how right it is.

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

How right the decision is (`--accuracy` measures nothing else) is found on worlds of the sandbox, of seeds
9001 and on, which no test uses. The songs and all tracks of a world take the whole way: lake,
raw tables, dbt, matching, dbt. What is accepted is compared with the truth, over the pairs of all worlds.

- matching_precision: share of the accepted pairs of song and track that are true. Goal: at least 0.99.
- matching_recall: share of the true pairs that are accepted. Goal: at least 0.95.
- exact_precision, exact_recall: the same of the pairs with equal normalised title and artist.
- artist_precision, artist_recall: of pairs of artists.
- accepted_<noise>: share of the true pairs with such a difference that are accepted.
- accepted_<relation>: share of the pairs that are no match that are accepted; `unrelated`: how many
  accepted pairs are of different works.
- precision_<band>: share of the accepted pairs of a confidence band that are true.
"""

import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import Measured, measure
from benchmarks.support.warehouses import scratch_settings

MOST_SECONDS, MOST_MEGABYTES, MOST_GROWTH, LEAST_RECALL = 900, 8_000, 1.3, 0.99
LEAST_PRECISION, LEAST_RECALL_OF_ALL = 0.99, 0.95


def main() -> None:
    """Measure and print the figures."""
    size = sizes(
        __doc__,
        songs=(1_000_000, 2_000),
        tracks=(2_000_000, 4_000),
        small_songs=(100_000, 500),
        small_tracks=(200_000, 1_000),
        worlds=(5, 1),
        first_seed=(9001, 1),
        flags={"accuracy": "measure how right matching is, and not what it costs"},
    )
    if not size.accuracy:
        _measure_cost(size)
    _measure_accuracy(range(size.first_seed, size.first_seed + size.worlds))


def _measure_cost(size: Namespace) -> None:
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


def _measure_accuracy(seeds: Sequence[int]) -> None:
    from benchmarks.support.matching_accuracy import measure_accuracy

    with tempfile.TemporaryDirectory(prefix="matching-") as scratch:
        found = measure_accuracy(seeds, Path(scratch))
    report(figure("matching_precision", found.matching.precision, "share", at_least=LEAST_PRECISION))
    report(figure("matching_recall", found.matching.recall, "share", at_least=LEAST_RECALL_OF_ALL))
    report(figure("exact_precision", found.exact.precision, "share"))
    report(figure("exact_recall", found.exact.recall, "share"))
    report(figure("artist_precision", found.artists.precision, "share"))
    report(figure("artist_recall", found.artists.recall, "share"))
    for name, hits in sorted(found.noises.items()) + sorted(found.relations.items()):
        report(figure(f"accepted_{name}", hits.accepted / hits.pairs, f"of {hits.pairs:,} pairs"))
    report(figure("accepted_unrelated", float(found.unrelated), "pairs"))
    for name, hits in sorted(found.bands.items()):
        report(figure(f"precision_{name}", hits.precision, f"of {hits.accepted:,} pairs"))


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
    from ingestion.computed import MATCHING
    from ingestion.load import load
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
