"""COPY from S3 against INSERT, into the stand-in for Redshift: that the loader's path works at volume.

**It says nothing of Redshift's speed.** The stand-in (`tests/redshift_standin/`) is PostgreSQL behind a
proxy that reads each statement as text, and copies through a CSV file. A ratio far above 1 is expected of
either, for reasons of their own; what is shown is that so many rows arrive by the loader's own path.

The lake holds songs (37 columns) and terms of their artists. Measured is `ingestion.load.load` into empty
tables, from reading the done-records to the merged tables: parts staged in S3 (moto's server) and read by
COPY. The baseline inserts the same rows into tables of the same columns, a thousand a statement, from the
same Parquet parts. Each run is a process of its own; importing libraries is counted for neither.

- copy_vs_insert: rows per second of the load, against the inserts'.
"""

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.load_merge import writing
from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import measure
from ingestion.config import Settings, load_settings

ROWS_PER_INSERT = 1_000
UNITS = 2
TABLES = ("raw_msd.songs", "raw_msd.artist_terms")
LOADER_COLUMNS = "lake_unit_id, extracted_at, _dlt_load_id"


def main() -> None:
    """Measure and print the figure."""
    size = sizes(__doc__, songs=(10_000, 100), terms_per_song=(5, 5))
    from tests.redshift_standin.server import RedshiftStandIn

    with (
        tempfile.TemporaryDirectory(prefix="copy_vs_insert_") as scratch,
        RedshiftStandIn(Path(scratch) / "stand_in") as stand_in,
    ):
        lake = Path(scratch) / "lake"
        os.environ |= {name: value for name, value in stand_in.environment.items() if name.startswith("AWS_")}
        rows = measure(writing, lake, UNITS, size.songs, size.terms_per_song, 0).result
        seconds = {}
        for database, work in (("copied", copying), ("inserted", inserting)):
            stand_in.add_database(database)
            settings = load_settings(
                {
                    **stand_in.environment,
                    "REDSHIFT_DATABASE": database,
                    "WAREHOUSE_DATA_DIR": str(Path(scratch) / database),
                    "WAREHOUSE_LAKE_URL": str(lake),
                }
            )
            seconds[database] = measure(work, settings).wall_seconds
            found = measure(counting, settings).result
            if found != rows:
                raise RuntimeError(f"{found:,} of {rows:,} rows were {database}")
    report(figure("copy_vs_insert", rows / seconds["copied"], "rows/s", baseline=rows / seconds["inserted"]))


def copying(settings: Settings) -> Callable[[], None]:
    """Work that loads the lake as the loader does."""
    from ingestion.load import load, prepare
    from ingestion.msd import MSD

    prepare(settings, [MSD])

    def work() -> None:
        load(settings, MSD)

    return work


def inserting(settings: Settings) -> Callable[[], None]:
    """Work that inserts the rows of the lake's parts."""
    import pyarrow.parquet as pq

    from ingestion.load import prepare
    from ingestion.msd import MSD
    from ingestion.warehouse import open_warehouse

    prepare(settings, [MSD])

    def work() -> None:
        with open_warehouse(settings) as warehouse, warehouse.transaction():
            for file in sorted((Path(settings.lake_url) / "msd").glob("*/*.parquet")):
                parquet = pq.ParquetFile(file)
                names = ", ".join(f'"{name}"' for name in parquet.schema_arrow.names)
                head = f"insert into raw_msd.{file.parent.name} ({names}, {LOADER_COLUMNS}) values "
                row = f"({'%s, ' * len(parquet.schema_arrow)}'unit', getdate(), 'load')"
                for batch in parquet.iter_batches(ROWS_PER_INSERT):
                    columns = [column.to_pylist() for column in batch.columns]
                    values = [value for values in zip(*columns, strict=True) for value in values]
                    warehouse.execute(head + ", ".join([row] * batch.num_rows), *values)

    return work


def counting(settings: Settings) -> Callable[[], int]:
    """Work that counts the rows of both tables."""
    from ingestion.warehouse import open_warehouse

    def count() -> int:
        with open_warehouse(settings) as warehouse:
            return sum(warehouse.rows(f"select count(*) from {table}")[0][0] for table in TABLES)

    return count


if __name__ == "__main__":
    main()
