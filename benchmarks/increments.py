"""An increment of the facts that grow, against a full refresh of them.

Raw holds playlists of 65 items, looked at on three days, on each of which one in ten had changed. Then, day
after day, one in a hundred has: dbt builds the facts of playlists and popularity, and all that they are made
of, first in an increment and then in a full refresh of the same raw rows. Each run is a process of its own;
importing dbt and reading the project are not counted. Models are built one by one.

- increment_ratio: seconds of the incremental models, and of the fingerprints that tell them what has changed,
  against those of the same models in the full refresh, which needs no fingerprints. Goal: at most 0.5.
- increment_whole_run_ratio: the whole run, with what is built anew each time (songs, artists, matches).
- increment_cpu: CPU seconds of the whole run, all threads, against the full refresh's.
- increment_memory: peak memory of the increment's process, against the full refresh's.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import measure
from benchmarks.support.warehouses import counting, scratch_settings

GOAL = 0.5

ROOT = Path(__file__).resolve().parents[1]

FIRST_DAYS, FIRST_CHANGES, CHANGES = 3, 100, 10
"""Days before the first build; playlists of a thousand that change on each of them, and on later days."""

GROWING = {
    "int_playlist_tracks_compared": "intermediate",
    "int_playlist_tracks_changed": "intermediate",
    "fct_playlist_tracks": "marts",
    "fct_playlist_track_changes": "marts",
    "fct_playlist_followers": "marts",
    "fct_song_popularity": "marts",
}
"""The incremental models and their schemas."""


def main() -> None:
    """Measure and print the figures."""
    size = sizes(__doc__, playlists=(20_000, 50), items=(65, 5), repetitions=(3, 1))
    tables = [f"{schema}.{name}" for name, schema in GROWING.items()]
    increments, refreshes = [], []
    with tempfile.TemporaryDirectory(prefix="increments-") as scratch:
        home = Path(scratch)
        for day in range(FIRST_DAYS):
            measure(looking, home, day, size.playlists, size.items, FIRST_CHANGES)
        measure(building, home)
        for day in range(FIRST_DAYS, FIRST_DAYS + size.repetitions):
            measure(looking, home, day, size.playlists, size.items, CHANGES)
            increments.append(measure(building, home))
            rows = measure(counting, home, tables).result
            refreshes.append(measure(building, home, "--full-refresh"))
            if rows != measure(counting, home, tables).result:
                raise RuntimeError(f"the increment left {rows:,} rows, and the full refresh others")
    pairs = list(zip(increments, refreshes, strict=True))
    seconds = [(_growing(one.result, True), _growing(other.result, False)) for one, other in pairs]
    _report("increment_ratio", "s", seconds, at_most=GOAL)
    _report("increment_whole_run_ratio", "s", [(a.wall_seconds, b.wall_seconds) for a, b in pairs])
    _report("increment_cpu", "CPU s", [(a.cpu_seconds, b.cpu_seconds) for a, b in pairs])
    _report("increment_memory", "MB", [(a.peak_bytes / 1e6, b.peak_bytes / 1e6) for a, b in pairs])


def _report(name: str, unit: str, pairs: list[tuple[float, float]], **goal) -> None:
    """The medians of the increments and of the refreshes, and of the ratios of each to its own."""
    value, baseline = (median(column) for column in zip(*pairs, strict=True))
    report(figure(name, value, unit, baseline=baseline, ratio=median(a / b for a, b in pairs), **goal))


def _growing(seconds: dict[str, float], with_fingerprints: bool) -> float:
    return sum(
        each
        for name, each in seconds.items()
        if name in GROWING or (with_fingerprints and name.endswith("_fingerprinted"))
    )


def looking(home: Path, day: int, playlists: int, items: int, changed_of_thousand: int) -> Callable[[], None]:
    """Work that adds a day's rows to the raw tables."""
    import duckdb

    from benchmarks.support.playlist_history import add_day
    from ingestion.load import prepare
    from ingestion.sources import SOURCES

    settings = scratch_settings(home)
    if day == 0:
        prepare(settings, SOURCES)

    def work() -> None:
        with closing(duckdb.connect(str(settings.warehouse_path))) as connection:
            add_day(connection, day, playlists, items, changed_of_thousand)

    return work


def building(home: Path, *flags: str) -> Callable[[], dict[str, float]]:
    """Work that has dbt build the facts and all that they are made of; returns the seconds of each model."""
    from dbt.cli.main import dbtRunner

    os.environ["WAREHOUSE_DATA_DIR"] = str(home)
    (home / "profiles.yml").write_text((ROOT / "profiles.example.yml").read_text())
    folders = ["--target-path", str(home / "target"), "--log-path", str(home / "logs")]
    options = ["--project-dir", str(ROOT), "--profiles-dir", str(home), *folders]
    manifest = dbtRunner().invoke(["--quiet", "parse", *options]).result
    selection = [f"+{name}" for name, schema in GROWING.items() if schema == "marts"]

    def work() -> dict[str, float]:
        chosen = ["--exclude-resource-type", "test", "unit_test", "--select", *selection]
        arguments = ["--quiet", "build", "--target", "duckdb", "--threads", "1", *chosen]
        run = dbtRunner(manifest=manifest).invoke([*arguments, *flags, *options])
        if not run.success:
            raise RuntimeError(f"dbt failed: {run.exception or [each.message for each in run.result]}")
        return {each.node.name: each.execution_time for each in run.result}

    return work


if __name__ == "__main__":
    main()
