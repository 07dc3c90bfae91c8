"""Merging new parts into raw, against DuckDB's own `insert ... select` from the same Parquet files.

The lake holds songs (37 columns) and terms of their artists in a few units. Measured is
`ingestion.load.load` into a fresh warehouse, from reading the done-records to the closed database
file; then the same units extracted again with changed values, which replace every row of the full
tables. The baseline inserts the same parts into empty tables of the same columns in a new
file, committed, checkpointed and closed. Each run is a process of its own, baseline and
loads take turns, importing libraries is counted for neither. Rows are those of all tables.

- load_merge_ratio: rows per second of the first load. Goal: at least 0.35 of the baseline.
- load_merge_again_ratio: rows per second of the load over full tables, against the same baseline.
- load_merge_cpu: CPU seconds of the first load, all threads, against the baseline's.
- load_merge_memory: peak memory of the first load's process, against the baseline's.
"""

import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import Measured, measure
from benchmarks.support.warehouses import counting, scratch_settings

GOAL = 0.35
TABLES = ["raw_msd.songs", "raw_msd.artist_terms"]


def main() -> None:
    """Measure and print the figures."""
    size = sizes(
        __doc__,
        songs=(200_000, 400),
        terms_per_song=(5, 5),
        units=(4, 2),
        repetitions=(5, 1),
    )
    with tempfile.TemporaryDirectory(prefix="load-merge-") as scratch:
        folder = Path(scratch)
        lakes = [folder / "lake-0", folder / "lake-1"]
        for edition, lake in enumerate(lakes):
            rows = measure(writing, lake, size.units, size.songs, size.terms_per_song, edition).result
        inserts, first_loads, later_loads = [], [], []
        for repetition in range(size.repetitions):
            home = folder / f"warehouse-{repetition}"
            inserts.append(measure(inserting, lakes[0], folder / f"baseline-{repetition}.duckdb"))
            first_loads.append(measure(loading, lakes[0], home))
            later_loads.append(measure(loading, lakes[1], home))
            committed = measure(counting, home, TABLES).result
            if not rows == inserts[-1].result == committed:
                raise RuntimeError(f"{committed:,} of {rows:,} rows are in the warehouse")
    _report_rates("load_merge_ratio", rows, first_loads, inserts, at_least=GOAL)
    _report_rates("load_merge_again_ratio", rows, later_loads, inserts)
    cpu, baseline = (median(run.cpu_seconds for run in runs) for runs in (first_loads, inserts))
    report(figure("load_merge_cpu", cpu, "CPU s", baseline=baseline))
    peak, baseline = (median(run.peak_bytes for run in runs) / 1e6 for runs in (first_loads, inserts))
    report(figure("load_merge_memory", peak, "MB", baseline=baseline))


def _report_rates(name: str, rows: int, loads: list[Measured], inserts: list[Measured], **goal) -> None:
    """The median rate of the loads, and the median of the ratios that each had to its own baseline."""
    value = median(rows / run.wall_seconds for run in loads)
    baseline = median(rows / run.wall_seconds for run in inserts)
    ratio = median(
        insert.wall_seconds / load.wall_seconds for load, insert in zip(loads, inserts, strict=True)
    )
    report(figure(name, value, "rows/s", baseline=baseline, ratio=ratio, **goal))


def writing(lake: Path, units: int, songs: int, terms_per_song: int, edition: int) -> Callable[[], int]:
    """Work that writes the lake and returns its rows."""
    from benchmarks.support.songs import song_batches
    from ingestion.lake import Lake, unit_id

    def write() -> int:
        rows = 0
        for unit in range(units):
            inputs = [{"unit": unit, "edition": edition}]
            with Lake(str(lake)).write_unit("msd", unit_id("msd", 1, inputs), "benchmark", inputs) as writer:
                for table, batch in song_batches(unit, songs // units, terms_per_song, edition):
                    writer.write(table, batch)
                    rows += batch.num_rows
        return rows

    return write


def loading(lake: Path, home: Path) -> Callable[[], None]:
    """Work that loads the lake into the warehouse in `home`, where rows replace those of other units."""
    from ingestion.load import load
    from ingestion.msd import MSD

    settings = scratch_settings(home, lake)
    source = replace(MSD, tables=tuple(replace(table, is_kept_per_unit=False) for table in MSD.tables))

    def work() -> None:
        load(settings, source)

    return work


def inserting(lake: Path, database: Path) -> Callable[[], int]:
    """Work that inserts the lake's parts with DuckDB alone and returns the rows inserted."""
    import duckdb

    loader_columns = "'unit' as lake_unit_id, now() as extracted_at, 'load' as _dlt_load_id"
    selects = {
        folder.name: f"select *, {loader_columns} from read_parquet({[str(p) for p in folder.iterdir()]})"
        for folder in (lake / "msd").iterdir()
        if folder.name != "done"
    }

    def insert() -> int:
        rows = 0
        with duckdb.connect(str(database)) as connection:
            for table, select in selects.items():
                connection.execute(f"create table {table} as {select} limit 0")
                rows += connection.execute(f"insert into {table} {select}").fetchone()[0]
            connection.execute("checkpoint")
        return rows

    return insert


if __name__ == "__main__":
    main()
