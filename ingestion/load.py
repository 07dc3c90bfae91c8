"""The loader: the one way from the lake into the raw schemas, exactly once in effect.

One dlt pipeline per source merges the parts of units not yet loaded. A unit counts as
loaded when `_loaded_units` names it under a load that dlt closed (`_dlt_loads`, status 0):
tables commit one by one, so a killed load can have committed the name before the rows.
Exactly-once rests on that, on merging by key and on the lake; dlt's working folder holds
nothing that matters and is emptied before each load.

Of one key the row extracted last wins, in whatever order units reach the lake. A unit that was
rewritten since it was loaded takes its rows with it before its new revision is loaded. Rows of other
units that such rows had replaced do not come back by that: who rewrites units must take a key out of
all of them, as retention and purge do, or rewrite them all.
"""

import logging
import os
import shutil
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from pathlib import Path
from typing import Literal

os.environ.setdefault("RUNTIME__DLTHUB_TELEMETRY", "false")

import dlt
import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from dlt.common.libs.pyarrow import py_arrow_to_table_schema_columns
from dlt.destinations.exceptions import DatabaseUndefinedRelation
from dlt.extract.items import DataItemWithMeta
from dlt.pipeline.exceptions import PipelineStepFailed
from filelock import FileLock, Timeout

from ingestion import origin, redshift
from ingestion.config import Settings
from ingestion.errors import IngestionError, LoadError
from ingestion.lake import DoneRecord, Lake, Part, revision_name
from ingestion.memory import give_back_what_is_free
from ingestion.source import FileSource, Source
from ingestion.tables import LAKE_COLUMNS, RawTable, key_columns

log = logging.getLogger(__name__)

PACKAGE_ROWS = 1_000_000
"""Rows per load package, which bounds the loader's disk and memory. With a third as many, a first load of
1.2 M rows reached 0.36 instead of 0.53 of the speed of plain inserts, and peak memory was the same."""

ROW_GROUP_ROWS = 50_000
"""Rows that are put together at least, where units have fewer: a slice of playlists has some 66,000."""

LOADED_UNITS = RawTable("_loaded_units", pa.schema(key_columns(unit_id=pa.string())), ("unit_id",))
"""The loader's own table in every raw schema: which unit, by the name of its revision, each load brought."""

LOAD_ID = pa.field("_dlt_load_id", pa.string(), nullable=False)

dlt.config["normalize.parquet_normalizer.add_dlt_load_id"] = True
dlt.config["load.truncate_staging_dataset"] = True  # else the file keeps a second copy of the last package
dlt.config["load.raise_on_max_retries"] = 1  # what a failed job needs is decided here, not by repeating it
logging.getLogger("dlt").setLevel(logging.CRITICAL)  # what matters is raised

DUCKDB_ROW_GROUP = 122_880
"""Rows that DuckDB compresses and writes together."""

OPEN_SHARE = 0.6
"""Of a row group's bytes, what a checkpoint needs at once: 0.4 did for 22 text columns of 32 to 256 bytes."""

APPEND_MEGABYTES_PER_COLUMN = 2
"""What DuckDB may take to append, by the columns of the source's widest table: it fills what it gets, for
little speed. MSD songs (41 columns) needed between 48 and 56 MB, playlist items (22) less than 40."""

MERGE_MEGABYTES = 1_000
"""What DuckDB may take for all else. Replacing rows failed with 64 MB; the process that replaced a package of
1.2 M rows peaked at 400 MB. Where this does not do either, DuckDB gets its default, most of the memory."""

DUCKDB_CONFIG = {
    "preserve_insertion_order": False,
    "threads": 1,
    "checkpoint_threshold": "1GB",
    "allocator_flush_threshold": "1MB",
    "allocator_bulk_deallocation_flush_threshold": "1MB",
}
"""For the loader's connection. It stays open for a whole load: dlt would open one per job, and each
closing writes a checkpoint. Rows of a raw table have no order to keep. One thread each, because dlt
loads the tables side by side. Together they took a third off the CPU time of ten playlist slices.
Checkpoints are written between packages, when the rest of the loader holds little memory."""

MERGE = {"disposition": "merge", "strategy": "delete-insert"}


class Keys(Enum):
    """How the primary keys of a package's rows stand, which decides what merging them takes.

    dlt's own merge finds repeated keys by numbering all rows, and stages every row first; either
    takes as long as the rest of a load (docs/decisions/0002). What is not needed is left out.
    """

    NEW = "each comes once and raw holds none of them: appending is merging"
    KNOWN = "each comes once and raw holds some of them"
    REPEATED = "some come more than once: the row extracted last wins"


BatchesOf = Callable[[RawTable], Iterator[pa.Table]]


@dataclass
class LoadResult:
    """What one load of a source brought: units, and rows merged per raw table."""

    source: str
    units: int = 0
    rows: dict[str, int] = field(default_factory=dict)


def prepare(settings: Settings, sources: Iterable[Source]) -> None:
    """Create the raw tables that do not exist yet, empty, and the columns that tables lack, of NULLs."""
    if settings.target == "redshift" and settings.redshift is None:
        log.warning("REDSHIFT_HOST is not set: no raw tables are created in Redshift")
        return
    for source in sources:
        with _exclusive_pipeline(settings, source) as pipeline:
            _create_what_is_missing(pipeline, source)


def load(settings: Settings, source: Source) -> LoadResult:
    """Merge every finished unit of the lake that the warehouse does not hold yet.

    Raises LoadError when the warehouse is held by another process or loaded from another lake, and
    LakeError when a part is damaged; in all cases what was loaded before stays as it was.
    """
    lake = Lake(settings.lake_url)
    result = LoadResult(source.name)
    with _exclusive_pipeline(settings, source) as pipeline:
        columns = _create_what_is_missing(pipeline, source)
        loaded = _loaded_names(pipeline)
        units = [
            lake.done_record(source.name, unit_id, revision)
            for unit_id, revision in lake.current_revisions(source.name).items()
            if revision_name(unit_id, revision) not in loaded
        ]
        units.sort(key=lambda unit: (unit.extracted_at, unit.unit_id))
        if units:
            origin.claim(settings)
        _remove_other_revisions(pipeline, source, units)
        loaded_rows, all_rows = 0, sum(_row_count(source, unit) for unit in units)
        for package in _packages(source, units):
            log.info("%s: reading %s units from the lake", source.schema_name, f"{len(package):,}")
            keys = _key_states(pipeline, lake, source, package)
            with _later_rows(pipeline, source, package, keys) as later_rows:
                files = _LakeFiles(lake, package, later_rows, settings.loader_dir, columns)
                pipeline.extract(dlt_source(source, files, keys), loader_file_format="parquet")
            pipeline.normalize()
            give_back_what_is_free()
            log.info("%s: merging", source.schema_name)
            _merge_package(pipeline, source, keys, files.open_megabytes)
            loaded_rows += sum(_row_count(source, unit) for unit in package)
            log.info("%s: %s of %s rows loaded", source.schema_name, f"{loaded_rows:,}", f"{all_rows:,}")
    result.units = len(units)
    result.rows = {table.name: sum(unit.rows(table.name) for unit in units) for table in source.tables}
    return result


def dlt_source(
    source: Source,
    batches: BatchesOf,
    keys: Mapping[str, Keys] | None = None,
    new_columns: Literal["freeze", "evolve"] = "freeze",
):
    """The source for dlt: one resource per raw table, fed by `batches`, its rows merged by primary key.

    `batches` gives the Arrow tables of a raw table. `keys` can say of a table that merging it
    takes less, or more, than the rows' keys being unique among themselves. `new_columns` is what becomes of
    columns that a table in the warehouse lacks: an error, or columns there.
    """
    keys = keys or {}

    @dlt.source(name=source.name, max_table_nesting=0)
    def raw():
        for table in (*source.tables, LOADED_UNITS):
            state = keys.get(table.name, Keys.KNOWN)
            columns = py_arrow_to_table_schema_columns(table.warehouse_schema)
            if state is Keys.REPEATED:
                columns["extracted_at"]["dedup_sort"] = "desc"
            resource = dlt.resource(
                batches(table),
                name=table.name,
                columns=columns,
                primary_key=table.warehouse_key,
                write_disposition="append" if state is Keys.NEW else MERGE,
                schema_contract={"columns": new_columns, "data_type": "freeze"},
            )
            resource.apply_hints(
                additional_table_hints={"x-stage-data-deduplicated": state is not Keys.REPEATED}
            )
            yield resource

    return raw()


def quick_look(settings: Settings, source: FileSource, path: Path):
    """The source for dlt fed straight from the reader, past the lake, to run into any dlt destination.

    Meant for a few files: each raw table reads them anew.
    """
    unit = DoneRecord(source.name, "quick look", datetime.now(UTC), "", [], [])

    def batches(wanted: RawTable) -> Iterator[pa.Table]:
        if wanted is not LOADED_UNITS:
            for table, rows in source.read(path, settings.hash_user):
                if table is wanted:
                    yield _with_lake_columns(unit, rows)

    return dlt_source(source, batches)


class _LaterRows:
    """The rows in raw that were extracted after some of a package's units, and may not be replaced by them.

    Only looked for where raw holds keys of the package and rows extracted later: units that come in the
    order in which they were extracted cost nothing.
    """

    def __init__(
        self,
        pipeline: dlt.Pipeline,
        source: Source,
        units: Sequence[DoneRecord],
        keys: Mapping[str, Keys],
    ) -> None:
        self._pipeline, self._schema, self._oldest = pipeline, source.schema_name, units[0]
        kept = {table.name for table in source.tables if table.is_kept_per_unit}
        self._candidates = {name for name, state in keys.items() if state is not Keys.NEW} - kept
        self._tables: set[str] = set()

    def __enter__(self) -> "_LaterRows":
        self._client = self._pipeline.sql_client()
        self._client.open_connection()
        self._connection = self._client.native_connection
        for table in self._candidates:
            later = f"{self._later_than(table, self._oldest)} limit 1"
            if self._connection.execute(f"select 1 {later}").fetchone():
                self._tables.add(table)
        if self._tables:
            _limit_memory(self._connection, MERGE_MEGABYTES)
        return self

    def __exit__(self, *exception: object) -> None:
        self._client.close_connection()

    def leave_out(self, table: RawTable, unit: DoneRecord, rows: pa.Table) -> pa.Table:
        """The rows of a unit without those whose key raw holds from a unit extracted later."""
        if table.name not in self._tables:
            return rows
        keys = rows.select(table.primary_key).append_column("row_number", pa.array(range(rows.num_rows)))
        self._connection.register("batch_keys", keys)
        names = ", ".join(f'"{name}"' for name in table.primary_key)
        outdated = self._connection.sql(
            f"select row_number from batch_keys semi join "
            f"(select {names} {self._later_than(table.name, unit)}) using ({names})"
        ).fetchnumpy()["row_number"]
        self._connection.unregister("batch_keys")
        is_current = np.ones(rows.num_rows, bool)
        is_current[outdated] = False
        return rows.filter(pa.array(is_current))

    def _later_than(self, table: str, unit: DoneRecord) -> str:
        at = f"timestamptz '{unit.extracted_at.isoformat()}'"
        return (
            f"from {self._schema}.{table} where extracted_at >= {at} "
            f"and (extracted_at > {at} or lake_unit_id > '{unit.unit_id}')"
        )


class _LakeFiles:
    """The rows of some units, a table in one Parquet file, each with its unit's id and time.

    dlt takes the files over as they are. Batches it would write to files of its own: 130 ms CPU time for a
    slice of playlists, where this takes 70; and it would keep them in reference cycles.
    `columns` are those of the tables in the warehouse, in whose order COPY takes a file's.
    `open_megabytes` is known once the rows were read.
    """

    def __init__(
        self,
        lake: Lake,
        units: Sequence[DoneRecord],
        later_rows: _LaterRows,
        folder: Path,
        columns: Mapping[str, Sequence[str]],
    ) -> None:
        self._lake, self._units, self._later_rows, self._folder = lake, units, later_rows, folder
        self._columns = columns
        self._widths: dict[str, float] = {}

    def __call__(self, table: RawTable) -> Iterator[DataItemWithMeta]:
        load_id = dlt.current.load_package_state()["load_id"]
        columns = _in_order((*table.warehouse_schema, LOAD_ID), self._columns[table.name])
        schema = _with_dictionaries(columns)
        file = self._folder / f"{table.name}.parquet"
        count = 0
        with pq.ParquetWriter(file, schema, compression="none", write_statistics=False) as writer:
            for rows in _row_groups(self._rows(table, schema, load_id)):
                writer.write_table(rows)
                count += rows.num_rows
                del rows  # here and below: the next ones are read while the memory of these is free
        if count:
            yield dlt.mark.with_file_import(str(file), "parquet", count, columns.empty_table())
        file.unlink()

    def _rows(self, table: RawTable, schema: pa.Schema, load_id: str) -> Iterator[pa.Table]:
        for unit in self._units:
            if table is LOADED_UNITS:
                mark = LOADED_UNITS.from_rows([{"unit_id": unit.name}])
                yield _conformed(_with_lake_columns(unit, mark), schema, load_id)
            for part in unit.parts:
                if part.table == table.name:
                    for batch in self._lake.read_part(part, as_dictionaries=True):
                        if batch.num_rows:
                            width = sum(map(_decoded_bytes, batch.columns)) / batch.num_rows
                            self._widths[table.name] = max(width, self._widths.get(table.name, 0))
                        rows = self._later_rows.leave_out(table, unit, pa.Table.from_batches([batch]))
                        del batch
                        yield _conformed(_with_lake_columns(unit, rows), schema, load_id)
                        del rows

    @property
    def open_megabytes(self) -> int:
        """What a checkpoint needs for the last row group of every table, which DuckDB goes on filling."""
        return int(OPEN_SHARE * DUCKDB_ROW_GROUP * sum(self._widths.values()) / 1e6)


def _in_order(fields: Iterable[pa.Field], order: Sequence[str]) -> pa.Schema:
    """The columns as they lie in the warehouse, where one that its table got later is the last."""
    return pa.schema(sorted(fields, key=lambda field: order.index(field.name)))


def _with_dictionaries(schema: pa.Schema) -> pa.Schema:
    """What dlt takes over: each text once and then by number."""
    return pa.schema(
        column.with_type(pa.dictionary(pa.int32(), column.type))
        if pa.types.is_string(column.type)
        else column
        for column in schema
    )


def _conformed(rows: pa.Table, schema: pa.Schema, load_id: str) -> pa.Table:
    """The rows with all columns of the schema: those of a part that an earlier release wrote can be fewer.

    Raises ValueError where they have a column that the schema does not.
    """
    rows = rows.append_column(LOAD_ID, pa.repeat(load_id, rows.num_rows))
    for column in schema:
        if column.name not in rows.column_names:
            rows = rows.append_column(column, pa.nulls(rows.num_rows, column.type))
    unknown = [name for name in rows.column_names if name not in schema.names]
    return rows.select([*schema.names, *unknown]).cast(schema)


def _row_groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    """The rows of the tables, small ones put together: a unit can have few rows."""
    collected: list[pa.Table] = []
    for table in tables:
        collected.append(table)
        del table
        if sum(table.num_rows for table in collected) >= ROW_GROUP_ROWS:
            yield pa.concat_tables(collected)
            collected = []
    if collected:
        yield pa.concat_tables(collected)


def _decoded_bytes(column: pa.Array) -> int:
    """The bytes of a column's values, each text counted as often as it stands there."""
    if not pa.types.is_dictionary(column.type):
        return column.nbytes
    lengths = pc.take(pc.binary_length(column.dictionary), column.indices)
    return column.indices.nbytes + (pc.sum(lengths).as_py() or 0)


def _with_lake_columns(unit: DoneRecord, rows: pa.Table) -> pa.Table:
    for column, value in zip(LAKE_COLUMNS, (unit.unit_id, unit.extracted_at), strict=True):
        rows = rows.append_column(column, pa.repeat(pa.scalar(value, column.type), rows.num_rows))
    return rows


def _key_states(
    pipeline: dlt.Pipeline, lake: Lake, source: Source, units: Sequence[DoneRecord]
) -> dict[str, Keys]:
    """For each table that these units have rows of: how their keys stand to each other and to raw.

    Compared are 64-bit hashes, which hold a package's keys in 8 bytes a row. Two keys that share one
    make the merge do more than it had to, never less.
    """
    states = {}
    with _key_connection(pipeline) as connection:
        for table in source.tables:
            parts = [(unit, part) for unit in units for part in unit.parts if part.table == table.name]
            if not parts:
                continue
            names = ", ".join(f'"{name}"' for name in table.warehouse_key)
            hashes = np.concatenate(
                [_key_hashes(connection, lake, unit, part, names, table) for unit, part in parts]
            )
            hashes.sort()
            if (hashes[1:] == hashes[:-1]).any():
                states[table.name] = Keys.REPEATED
                continue
            if not _is_embedded(pipeline):
                states[table.name] = Keys.KNOWN if redshift.holds_rows(pipeline, table) else Keys.NEW
                continue
            connection.register("package_keys", pa.table({"key_hash": hashes}))
            known = (
                f"select 1 from {source.schema_name}.{table.name} "
                f"where hash({names}) in (select key_hash from package_keys) limit 1"
            )
            try:
                is_known = connection.sql(known).fetchone() is not None
            except duckdb.OutOfMemoryException:
                _limit_memory(connection, MERGE_MEGABYTES)
                is_known = connection.sql(known).fetchone() is not None
            connection.unregister("package_keys")
            states[table.name] = Keys.KNOWN if is_known else Keys.NEW
        _drop_cached_blocks(connection, source)
    return states


def _is_embedded(pipeline: dlt.Pipeline) -> bool:
    """Whether the warehouse is DuckDB, in this process."""
    return pipeline.destination.destination_name == "duckdb"


def _later_rows(
    pipeline: dlt.Pipeline, source: Source, units: Sequence[DoneRecord], keys: Mapping[str, Keys]
) -> _LaterRows | redshift.LaterRows:
    if _is_embedded(pipeline):
        return _LaterRows(pipeline, source, units, keys)
    replaceable = {
        table.name: table
        for table in source.tables
        if keys.get(table.name, Keys.NEW) is not Keys.NEW and not table.is_kept_per_unit
    }
    return redshift.LaterRows(pipeline, units, replaceable)


@contextmanager
def _key_connection(pipeline: dlt.Pipeline) -> Iterator[duckdb.DuckDBPyConnection]:
    """A DuckDB connection to hash keys with; where it can be, the warehouse's own."""
    if _is_embedded(pipeline):
        with pipeline.sql_client() as client:
            yield client.native_connection
    else:
        with duckdb.connect() as connection:
            yield connection


def _key_hashes(
    connection: duckdb.DuckDBPyConnection,
    lake: Lake,
    unit: DoneRecord,
    part: Part,
    names: str,
    table: RawTable,
) -> np.ndarray:
    """The hash of each row's key. Raises LakeError where the part has not the rows that its record says."""
    hashes = [np.empty(0, np.uint64)]
    for keys in lake.read_columns(part, table.primary_key):
        connection.register("part_keys", pa.Table.from_batches([keys]))
        hashed = connection.execute(
            f"select hash({names}) as key_hash from (select *, ? as lake_unit_id from part_keys)",
            (unit.unit_id,),
        )
        hashes.append(hashed.fetchnumpy()["key_hash"])
        connection.unregister("part_keys")
    found = np.concatenate(hashes)
    if len(found) != part.rows:
        raise lake.damaged(part)
    return found


def _merge_package(
    pipeline: dlt.Pipeline, source: Source, keys: Mapping[str, Keys], open_megabytes: int
) -> None:
    """Merge the normalized package into raw, and leave it in the database file and not in memory."""
    if not _is_embedded(pipeline):
        pipeline.load()
        return
    only_appends = all(state is Keys.NEW for state in keys.values())
    with pipeline.sql_client() as client:
        warehouse = client.native_connection
        if not only_appends or not _fits(pipeline):
            _limit_memory(warehouse, MERGE_MEGABYTES)
            if not _fits(pipeline):
                warehouse.execute("reset memory_limit")
                pipeline.load()
        _drop_cached_blocks(warehouse, source)
        # A checkpoint reads the open row groups again, and one that does not fit ends the connection.
        _limit_memory(warehouse, max(_append_megabytes(source), open_megabytes))
        warehouse.execute("checkpoint")
        _drop_cached_blocks(warehouse, source)


def _fits(pipeline: dlt.Pipeline) -> bool:
    """Load the pending package; whether DuckDB's memory sufficed. If not, the rest of it is still pending."""
    try:
        pipeline.load()
    except PipelineStepFailed as error:
        if not any(isinstance(cause, duckdb.OutOfMemoryException) for cause in _causes(error)):
            raise
        log.info(
            "%s: a package needs more memory than DuckDB was given: again, with more", pipeline.dataset_name
        )
        return False
    return True


def _drop_cached_blocks(warehouse: duckdb.DuckDBPyConnection, source: Source) -> None:
    _limit_memory(warehouse, 1)
    _limit_memory(warehouse, _append_megabytes(source))


def _limit_memory(warehouse: duckdb.DuckDBPyConnection, megabytes: int) -> None:
    """Give DuckDB so much; where more than that is in use, drop what can be dropped and leave the limit."""
    if not isinstance(warehouse, duckdb.DuckDBPyConnection):
        return  # Redshift minds its own
    with suppress(duckdb.OutOfMemoryException):
        warehouse.execute(f"set memory_limit = '{megabytes}MB'")


def _append_megabytes(source: Source) -> int:
    return APPEND_MEGABYTES_PER_COLUMN * max(len(table.warehouse_schema) for table in source.tables)


def _row_count(source: Source, unit: DoneRecord) -> int:
    """The rows of a unit that are loaded: not those that stay in the lake."""
    return sum(unit.rows(table.name) for table in source.tables)


def _packages(source: Source, units: Iterable[DoneRecord]) -> Iterator[list[DoneRecord]]:
    """Units in order, cut where a package reaches its bound."""
    package: list[DoneRecord] = []
    rows = 0
    for unit in units:
        package.append(unit)
        rows += _row_count(source, unit)
        if rows >= PACKAGE_ROWS:
            yield package
            package, rows = [], 0
    if package:
        yield package


@contextmanager
def _exclusive_pipeline(settings: Settings, source: Source) -> Iterator[dlt.Pipeline]:
    """The source's pipeline, with no other loader at work on the same warehouse."""
    settings.activate()
    lock = FileLock(settings.home / "loader.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        log.warning("another load is at work on %s; waiting for it to end", settings.home)
        lock.acquire()
    try:
        shutil.rmtree(settings.loader_dir, ignore_errors=True)
        if settings.target == "redshift":
            origin.require_same_lake(settings)
            with redshift.open_pipeline(settings, source) as pipeline:
                yield pipeline
        else:
            with _duckdb_pipeline(settings, source) as pipeline:
                yield pipeline
    except Exception as error:
        explained = _explained(error, settings)
        if explained is None:
            raise
        raise explained from error
    finally:
        shutil.rmtree(settings.loader_dir, ignore_errors=True)
        lock.release()


@contextmanager
def _duckdb_pipeline(settings: Settings, source: Source) -> Iterator[dlt.Pipeline]:
    with duckdb.connect(str(settings.warehouse_path), config=DUCKDB_CONFIG) as warehouse:
        warehouse.execute("checkpoint")  # what a load that was killed left, while there is memory
        _limit_memory(warehouse, _append_megabytes(source))
        yield dlt.pipeline(
            pipeline_name=source.name,
            destination=dlt.destinations.duckdb(warehouse),
            dataset_name=source.schema_name,
            pipelines_dir=str(settings.loader_dir),
        )


def _explained(error: Exception, settings: Settings) -> IngestionError | None:
    """The error as an operator should see it: dlt hides a damaged part or a locked file deep in its own."""
    for cause in _causes(error):
        if isinstance(cause, IngestionError):
            return None if cause is error else type(cause)(*cause.args)
        if error_of_redshift := redshift.explained(cause, settings):
            return error_of_redshift
        if isinstance(cause, duckdb.IOException) and "lock" in str(cause):
            return LoadError(
                f"{settings.warehouse_path} is open in another process, and DuckDB allows one writer: "
                f"close it and run again ({cause})"
            )
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what led to it, step by step."""
    while error is not None:
        yield error
        error = error.__cause__ or error.__context__


def _create_what_is_missing(pipeline: dlt.Pipeline, source: Source) -> dict[str, list[str]]:
    """Create the tables and columns that are missing in raw; returns the columns of each table, in order."""
    tables = (*source.tables, LOADED_UNITS)
    present = _columns_present(pipeline, source)
    if any(set(table.warehouse_schema.names) - set(present.get(table.name, ())) for table in tables):
        empty = dlt_source(
            source, lambda table: iter([table.warehouse_schema.empty_table()]), new_columns="evolve"
        )
        pipeline.run(empty, loader_file_format="parquet")
        present = _columns_present(pipeline, source)
    return present


def _columns_present(pipeline: dlt.Pipeline, source: Source) -> dict[str, list[str]]:
    with pipeline.sql_client() as client:
        rows = client.execute_sql(
            "select table_name, column_name from information_schema.columns where table_schema = %s "
            "order by table_name, ordinal_position",
            source.schema_name,
        )
    present: dict[str, list[str]] = {}
    for table, column in rows:
        present.setdefault(table, []).append(column)
    return present


def _loaded_names(pipeline: dlt.Pipeline) -> set[str]:
    with pipeline.sql_client() as client:
        try:
            rows = client.execute_sql(
                "select distinct unit_id from _loaded_units "
                "where _dlt_load_id in (select load_id from _dlt_loads where status = 0)"
            )
        except DatabaseUndefinedRelation:
            return set()
    return {name for (name,) in rows}


def _remove_other_revisions(pipeline: dlt.Pipeline, source: Source, units: Iterable[DoneRecord]) -> None:
    """Of the units about to be loaded, remove what raw holds of other revisions, all at once.

    At once, because a row of one that is still there would keep out a row of another.
    """
    with pipeline.sql_client() as client:
        marks = client.execute_sql("select lake_unit_id, unit_id from _loaded_units")
        names = {unit.unit_id: unit.name for unit in units}
        others = {unit.unit_id for unit in units if unit.revision}
        others |= {unit_id for unit_id, name in marks if names.get(unit_id, name) != name}
        if not others:
            return
        log.info("%s: %s units were rewritten", source.schema_name, f"{len(others):,}")
        _limit_memory(client.native_connection, MERGE_MEGABYTES)
        places = ", ".join(["%s"] * len(others))
        with client.begin_transaction():
            for table in (*source.tables, LOADED_UNITS):
                client.execute_sql(f"delete from {table.name} where lake_unit_id in ({places})", *others)
        _drop_cached_blocks(client.native_connection, source)
