"""The kinds of SQLite side file: which tables each has, and their rows as batches of the raw tables.

Databases are only read, and never locked. What a column holds in a foreign type (SQLite does not
care) is read as the type it should have.
"""

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.inputs import UnreadableInputError
from ingestion.reference_files import tables
from ingestion.reference_files.formats import ARTIST_ID, TRACK_ID
from ingestion.tables import RawTable

SQLITE_MAGIC = b"SQLite format 3\0"

BATCH_ROWS = 65_536
"""Rows fetched at a time, as Python tuples: twice as many took 140 MB more of memory for 14 columns."""

HEADER = struct.Struct(">16xH6xII60xI")
"""Of SQLite's file format: bytes of a page (1 is 65,536), change counter, number of pages, and the change
counter for which that number is right: SQLite before 3.7 did not keep it."""


@dataclass(frozen=True)
class DatabaseTable:
    """A table of a database and the raw table that it becomes.

    `columns` gives each raw column's name in the database; those not in `required` may be missing.
    `ids` are the patterns that columns of ids must match.
    """

    name: str
    table: RawTable
    columns: dict[str, str]
    required: tuple[str, ...]
    ids: dict[str, str]


@dataclass(frozen=True)
class DatabaseFormat:
    """A kind of database: the tables it is told by come first, others may be missing."""

    kind: str
    tables: tuple[DatabaseTable, ...]
    source_system: str = "msd"
    terms_of_use: str = "msd_research"


def _own_names(table: RawTable) -> dict[str, str]:
    passed_over = (tables.ROW, "source_system", "terms_of_use")
    return {name: name for name in table.schema.names if name not in passed_over}


TRACK_METADATA = DatabaseFormat(
    "track_metadata",
    (
        DatabaseTable(
            "songs",
            tables.SONGS,
            _own_names(tables.SONGS),
            ("track_id", "song_id", "title", "artist_id"),
            {"track_id": TRACK_ID},
        ),
    ),
)
ARTIST_TERM = DatabaseFormat(
    "artist_term",
    (
        DatabaseTable(
            "artist_term",
            tables.ARTIST_TERMS,
            _own_names(tables.ARTIST_TERMS),
            ("artist_id", "term"),
            {"artist_id": ARTIST_ID},
        ),
        DatabaseTable(
            "artist_mbtag",
            tables.ARTIST_MBTAGS,
            _own_names(tables.ARTIST_MBTAGS),
            ("artist_id", "mbtag"),
            {"artist_id": ARTIST_ID},
        ),
    ),
)
ARTIST_SIMILARITY = DatabaseFormat(
    "artist_similarity",
    (
        DatabaseTable(
            "similarity",
            tables.SIMILAR_ARTISTS,
            {"artist_id": "target", "similar_artist_id": "similar"},
            ("target", "similar"),
            {"artist_id": ARTIST_ID, "similar_artist_id": ARTIST_ID},
        ),
    ),
)
LASTFM_TAGS = DatabaseFormat(
    "lastfm_tags",
    (
        DatabaseTable(
            "tid_tag",
            tables.TRACK_TAGS,
            {"track_id": "tid", "tag_name": "tag", "value": "val"},
            ("tid", "tag", "val"),
            {"track_id": TRACK_ID},
        ),
    ),
    "lastfm",
    "lastfm_research",
)
"""tid and tag are row numbers of the tables in LOOKED_UP."""

LOOKED_UP = {"track_id": ("tids", "tid"), "tag_name": ("tags", "tag")}

FORMATS = (TRACK_METADATA, ARTIST_TERM, ARTIST_SIMILARITY, LASTFM_TAGS)

Batch = tuple[RawTable, pa.Table, list[tuple[str, str, str]], int]
"""Rows of a raw table; and of the rows left out the item, reason and detail of the first, and the number."""


@contextmanager
def open_database(path: Path) -> Iterator[sqlite3.Connection]:
    """A connection for reading, also on a disk that cannot be written to.

    Raises UnreadableInputError `truncated_file`; sqlite3.DatabaseError comes from what is damaged.
    """
    with path.open("rb") as file:
        header = file.read(HEADER.size)
    if len(header) < HEADER.size:
        raise UnreadableInputError("truncated_file", "its header is not whole")
    page_bytes, changes, pages, changes_at_count = HEADER.unpack(header)
    page_bytes = 65_536 if page_bytes == 1 else page_bytes
    if changes == changes_at_count and path.stat().st_size < page_bytes * pages:
        raise UnreadableInputError("truncated_file", f"less than the {pages:,} pages that its header names")
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    connection.text_factory = lambda text: text.decode("utf-8", "replace")
    try:
        yield connection
    finally:
        connection.close()


def recognise(connection: sqlite3.Connection) -> DatabaseFormat | None:
    """The kind whose tables a database has; None where it has none's."""
    for format_ in FORMATS:
        first = format_.tables[0]
        if set(first.required) <= _columns_of(connection, first.name):
            return format_
    return None


def _columns_of(connection: sqlite3.Connection, table: str) -> set[str]:
    return {name for (name,) in connection.execute("select name from pragma_table_info(?)", [table])}


def read_database(connection: sqlite3.Connection, format_: DatabaseFormat) -> Iterator[Batch]:
    """All rows of the tables that a kind of database has.

    Raises sqlite3.DatabaseError where the file is damaged, and UnreadableInputError where tables that
    refer to each other are not as they should be.
    """
    for table in format_.tables:
        found = _columns_of(connection, table.name)
        if set(table.required) <= found:
            lookups = _lookups(connection) if format_ is LASTFM_TAGS else {}
            yield from _read_table(connection, format_, table, found, lookups)


def _read_table(
    connection: sqlite3.Connection,
    format_: DatabaseFormat,
    table: DatabaseTable,
    found: set[str],
    lookups: dict[str, pa.Table],
) -> Iterator[Batch]:
    schema = table.table.schema
    types = {name: pa.int64() if name in lookups else schema.field(name).type for name in table.columns}
    wanted = [
        _as_type(column, types[name]) if column in found else "null" for name, column in table.columns.items()
    ]
    cursor = connection.execute(f"select rowid, {', '.join(wanted)} from {table.name} order by rowid")
    while fetched := cursor.fetchmany(BATCH_ROWS):
        values = zip(*fetched, strict=True)
        columns = {tables.ROW: pa.array(next(values), pa.int64())}
        columns |= {
            name: pa.array(column, type_) for (name, type_), column in zip(types.items(), values, strict=True)
        }
        for name, lookup in lookups.items():
            columns[name] = _looked_up(columns[name], lookup)
        yield _checked(table, format_, pa.table(columns))


def _as_type(column: str, type_: pa.DataType) -> str:
    """SQL for a column's values in one type; NULL for a number that is none."""
    if pa.types.is_string(type_):
        return f'cast("{column}" as text)'
    name = "integer" if pa.types.is_integer(type_) else "real"
    return f"case when typeof(\"{column}\") in ('integer', 'real') then cast(\"{column}\" as {name}) end"


def _lookups(connection: sqlite3.Connection) -> dict[str, pa.Table]:
    """The track ids and tags of lastfm_tags.db by row number: half a million each, and eight million
    rows refer to them, so they are looked up in memory and not by SQLite."""
    lookups = {}
    for name, (table, column) in LOOKED_UP.items():
        if column not in _columns_of(connection, table):
            raise UnreadableInputError("missing_table", f"there is no table {table} with a column {column}")
        numbers, values = [], []
        cursor = connection.execute(f'select rowid, cast("{column}" as text) from {table} order by rowid')
        while fetched := cursor.fetchmany(BATCH_ROWS):
            number, value = zip(*fetched, strict=True)
            numbers.append(pa.array(number, pa.int64()))
            values.append(pa.array(value, pa.string()))
        lookups[name] = pa.table(
            {
                "number": pa.concat_arrays(numbers or [pa.array([], pa.int64())]),
                "value": pa.concat_arrays(values or [pa.array([], pa.string())]),
            }
        ).combine_chunks()
    return lookups


def _looked_up(numbers: pa.Array, lookup: pa.Table) -> pa.Array:
    """The value at each row number; NULL where there is no such row."""
    known = lookup["number"].to_numpy()
    wanted = numbers.fill_null(-1).to_numpy()
    places = np.searchsorted(known, wanted)
    is_known = places < len(known)
    is_known[is_known] = known[places[is_known]] == wanted[is_known]
    return lookup["value"].combine_chunks().take(pa.array(places, mask=~is_known))


def _checked(table: DatabaseTable, format_: DatabaseFormat, rows: pa.Table) -> Batch:
    """The rows whose keys are what they should be, with their provenance; and the others."""
    schema = table.table.schema
    is_good = pa.chunked_array([pa.repeat(True, rows.num_rows)])
    for name in table.columns:
        if name in table.ids:
            matches = pc.match_substring_regex(rows[name], f"^{table.ids[name]}$")
        elif not schema.field(name).nullable:
            matches = rows[name].is_valid()
        else:
            continue
        is_good = pc.and_(is_good, matches.fill_null(False))
    bad = rows.filter(pc.invert(is_good))
    good = rows.filter(is_good)
    for name in ("source_system", "terms_of_use"):
        good = good.append_column(name, pa.repeat(pa.scalar(getattr(format_, name)), good.num_rows))
    keys = [name for name in table.columns if not schema.field(name).nullable]
    rejected = [
        (
            f"{table.name} row {row[tables.ROW]}",
            "malformed_row",
            ", ".join(f"{table.columns[name]} is {row[name]!r}" for name in keys),
        )
        for row in bad.select([tables.ROW, *keys]).slice(length=100).to_pylist()
    ]
    return table.table, good.select(schema.names).cast(schema), rejected, bad.num_rows
