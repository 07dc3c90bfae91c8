"""The vocabulary of raw tables: what a table is called, holds and is keyed by.

Each source package declares its `RawTable`s; extractors write exactly those columns,
the loader derives the warehouse contract from them. No reading and no SQL here.
"""

from dataclasses import dataclass

import pyarrow as pa

UTC_TIMESTAMP = pa.timestamp("us", tz="UTC")

LAKE_COLUMNS = [
    pa.field("lake_unit_id", pa.string(), nullable=False),
    pa.field("extracted_at", UTC_TIMESTAMP, nullable=False),
]
"""Columns that the loader adds to every row: the lake unit it came from and that unit's time."""

VOLATILE_COLUMNS = frozenset(
    {"_dlt_load_id", "loaded_at", "_dlt_id", "lake_unit_id", "extracted_at", "source_root", "content_key"}
)
"""Columns that differ between two loads of the same input or between engines: never part of a row hash."""


@dataclass(frozen=True)
class RawTable:
    """One table of a raw schema.

    `schema` holds the columns the extractor writes; `primary_key` names the columns that
    the loader merges by: a row whose key is already there replaces the earlier one. Where `is_kept_per_unit`,
    it does so within its lake unit only, and staging chooses among units. In the lake, Parquet
    columns of floats named in `split_bytes` have their bytes stored plane by plane, which packs better; parts
    of a table that `is_partitioned` lie in folders `shard=N`.
    """

    name: str
    schema: pa.Schema
    primary_key: tuple[str, ...]
    split_bytes: tuple[str, ...] = ()
    is_partitioned: bool = False
    is_kept_per_unit: bool = False

    @property
    def warehouse_key(self) -> tuple[str, ...]:
        """The columns that are unique in the warehouse."""
        return (*self.primary_key, "lake_unit_id") if self.is_kept_per_unit else self.primary_key

    @property
    def warehouse_schema(self) -> pa.Schema:
        """The columns in the warehouse: the extractor's, then the loader's."""
        return pa.schema([*self.schema, *LAKE_COLUMNS])

    def from_rows(self, rows: list[dict]) -> pa.Table:
        """Rows (one mapping per row, absent keys are NULL) as an Arrow table of this schema."""
        return pa.Table.from_pylist(rows, schema=self.schema)


def columns(**types: pa.DataType) -> list[pa.Field]:
    """Nullable Arrow fields, in the order given."""
    return [pa.field(name, type_) for name, type_ in types.items()]


def key_columns(**types: pa.DataType) -> list[pa.Field]:
    """Arrow fields that are never NULL, in the order given."""
    return [pa.field(name, type_, nullable=False) for name, type_ in types.items()]


FILES = RawTable(
    "files",
    pa.schema(
        key_columns(source_root=pa.string(), file_path=pa.string())
        + columns(
            size_bytes=pa.int64(),
            modified_at=UTC_TIMESTAMP,
            file_kind=pa.string(),
            record_count=pa.int64(),
            quarantined_count=pa.int64(),
        )
    ),
    primary_key=("source_root", "file_path"),
)
"""One row per input file seen, read or not. `file_path` is relative to `source_root`."""

QUARANTINED_INPUTS = RawTable(
    "quarantined_inputs",
    pa.schema(
        key_columns(source_root=pa.string(), file_path=pa.string(), item=pa.string())
        + columns(
            size_bytes=pa.int64(),
            reason=pa.string(),
            detail=pa.string(),
        )
    ),
    primary_key=("source_root", "file_path", "item"),
)
"""One row per input that could not be taken in: a whole file (`item` is '') or a part of it."""
