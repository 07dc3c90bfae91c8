"""A source of two small tables, to try the loader with; run as a module it loads what its lake holds."""

import logging

import pyarrow as pa

from ingestion.config import Settings, load_settings
from ingestion.lake import Lake
from ingestion.load import load
from ingestion.source import FileSource
from ingestion.tables import UTC_TIMESTAMP, RawTable, columns, key_columns

SONGS = RawTable(
    "songs",
    pa.schema(
        key_columns(song_id=pa.string(), is_summary=pa.bool_())
        + columns(title=pa.string(), year=pa.int32(), tempo=pa.float64(), seen_at=UTC_TIMESTAMP)
    ),
    ("song_id", "is_summary"),
)
TERMS = RawTable(
    "terms",
    pa.schema(key_columns(song_id=pa.string(), position=pa.int32()) + columns(term=pa.string())),
    ("song_id", "position"),
)
LAB = FileSource(
    name="lab",
    tables=(SONGS, TERMS),
    suffixes=(".lab",),
    reader_version=1,
    files_per_unit=1,
    counted_as="files",
    read_unit=lambda *_: iter(()),
)


def write_unit(where: Settings, unit_id: str, **rows: list[dict]) -> None:
    """A unit of the lake; rows by the name of their raw table."""
    with Lake(where.lake_url).write_unit("lab", unit_id, "1", []) as unit:
        _write(unit, rows)


def rewrite_unit(where: Settings, unit_id: str, **rows: list[dict]) -> None:
    """The next revision of a unit."""
    lake = Lake(where.lake_url)
    with lake.rewrite_unit(lake.done_record("lab", unit_id)) as unit:
        _write(unit, rows)


def _write(unit, rows) -> None:
    for table in LAB.tables:
        if table.name in rows:
            unit.write(table, table.from_rows(rows[table.name]))


def song(song_id: str, title: str | None) -> dict:
    return {"song_id": song_id, "is_summary": False, "title": title}


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    load(load_settings(), LAB)
