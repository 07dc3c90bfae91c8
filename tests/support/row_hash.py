"""The row hash: what "equals" means wherever tests compare tables.

Two tables are equal when they hold the same rows, in any order and as often, over all columns
but the volatile ones. Floating-point values are not hashed: they are compared between rows whose
other columns are equal, to a relative tolerance. Rows may come from any DB-API connection, so an
image taken from DuckDB can be compared with one taken from PostgreSQL.
"""

import hashlib
import json
import math
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from ingestion.tables import VOLATILE_COLUMNS

RELATIVE_TOLERANCE = 1e-9
"""Between floating-point values taken for equal: engines sum in different orders."""

Floats = tuple[float | None, ...]


@dataclass
class TableImage:
    """What one table holds: its rows' digests and, by digest, their floating-point values.

    `columns` are the compared ones, sorted; a column is floating-point where any of its values is.
    """

    name: str
    columns: tuple[str, ...]
    float_columns: tuple[str, ...]
    floats_of: dict[bytes, list[Floats]]
    column_digests: dict[str, int] = field(repr=False)

    @classmethod
    def of_rows(
        cls,
        name: str,
        column_names: Sequence[str],
        rows: Iterable[Sequence[Any]],
        volatile: Collection[str] = VOLATILE_COLUMNS,
    ) -> "TableImage":
        """The image of rows whose values stand in the order of `column_names`."""
        places = sorted((name, place) for place, name in enumerate(column_names) if name not in volatile)
        rows = [tuple(row[place] for _, place in places) for row in rows]
        columns = tuple(column for column, _ in places)
        values_of = dict(zip(columns, zip(*rows, strict=True), strict=True)) if rows else {}
        is_float = {
            column: any(isinstance(value, float) for value in values) for column, values in values_of.items()
        }
        float_columns = tuple(column for column in columns if is_float.get(column))
        image = cls(name, columns, float_columns, {}, dict.fromkeys(columns, 0))
        for row in rows:
            # A NULL adds nothing: whether a column of NULLs is floating-point cannot be told, nor need it.
            cells = [
                (column, _canonical(value))
                for column, value in zip(columns, row, strict=True)
                if value is not None and not is_float[column]
            ]
            floats = tuple(
                None if value is None else float(value)
                for column, value in zip(columns, row, strict=True)
                if is_float[column]
            )
            for column, text in cells:
                image.column_digests[column] += int.from_bytes(_digest(text))
            image.floats_of.setdefault(_digest(cells), []).append(floats)
        return image

    @property
    def row_count(self) -> int:
        """Number of rows."""
        return sum(len(floats) for floats in self.floats_of.values())

    @property
    def row_hash(self) -> str:
        """The hash of the rows without their floating-point values: 32 hex digits, the same in any order."""
        total = sum(int.from_bytes(digest) * len(rows) for digest, rows in self.floats_of.items())
        return f"{total % 2**128:032x}"

    def differences(self, other: "TableImage", tolerance: float = RELATIVE_TOLERANCE) -> list[str]:
        """What sets the two apart, a line each for people; empty when they are equal."""
        if self.columns != other.columns:
            return _column_differences(self, other)
        lines = []
        if self.row_count != other.row_count:
            lines.append(f"{self.row_count:,} rows here, {other.row_count:,} there")
        here, there = self._digest_counts(), other._digest_counts()
        if here != there:
            differing = [
                name for name in self.columns if self.column_digests[name] != other.column_digests[name]
            ]
            lines.append(
                f"{(here - there).total():,} rows only here, {(there - here).total():,} only there; "
                f"differing columns: {', '.join(differing) or 'each alone is equal, the combinations differ'}"
            )
        if set(self.float_columns) != set(other.float_columns):
            changed = sorted(set(self.float_columns) ^ set(other.float_columns))
            lines.append(f"floating-point values on one side only: {', '.join(changed)}")
        else:
            lines += self._float_differences(other, tolerance)
        return lines

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TableImage) and not self.differences(other)

    __hash__ = None

    def _digest_counts(self) -> Counter[bytes]:
        return Counter({digest: len(rows) for digest, rows in self.floats_of.items()})

    def _float_differences(self, other: "TableImage", tolerance: float) -> list[str]:
        differing: Counter[str] = Counter()
        examples: dict[str, str] = {}
        for digest, rows in self.floats_of.items():
            unmatched = sorted(other.floats_of.get(digest, []), key=_sort_key)
            if len(unmatched) != len(rows):  # reported by its digest
                continue
            unlike = []
            for row in sorted(rows, key=_sort_key):
                match = next((i for i, its in enumerate(unmatched) if _are_close(row, its, tolerance)), None)
                if match is None:
                    unlike.append(row)
                else:
                    del unmatched[match]
            for row, its in zip(unlike, unmatched, strict=True):
                for column, one, two in zip(self.float_columns, row, its, strict=True):
                    if not _is_close(one, two, tolerance):
                        differing[column] += 1
                        examples.setdefault(column, f"{one!r} here, {two!r} there")
        return [
            f"column {column}: {count:,} floating-point values differ, such as {examples[column]}"
            for column, count in differing.items()
        ]


def image_of(connection: Any, table: str, volatile: Collection[str] = VOLATILE_COLUMNS) -> TableImage:
    """The image of a table (`schema.table`) or view, read through any DB-API connection."""
    cursor = connection.cursor()
    try:
        cursor.execute(f"select * from {table}")
        names = [column[0] for column in cursor.description]
        return TableImage.of_rows(table, names, cursor.fetchall(), volatile)
    finally:
        cursor.close()


def images_of_schema(
    connection: Any, schema: str, volatile: Collection[str] = VOLATILE_COLUMNS
) -> dict[str, TableImage]:
    """The image of every table of a schema by name; tables named `_...`, the loader's own, are left out."""
    cursor = connection.cursor()
    try:
        cursor.execute(
            f"select table_name from information_schema.tables where table_schema = '{schema}' order by 1"
        )
        tables = [table for (table,) in cursor.fetchall() if not table.startswith("_")]
    finally:
        cursor.close()
    return {table: image_of(connection, f"{schema}.{table}", volatile) for table in tables}


def differences(here: Mapping[str, TableImage], there: Mapping[str, TableImage]) -> list[str]:
    """What sets two schemas apart, table by table; empty when all tables are equal."""
    lines = [f"{table}: only here" for table in here if table not in there]
    lines += [f"{table}: only there" for table in there if table not in here]
    for table in here:
        if table in there:
            lines += [f"{table}: {line}" for line in here[table].differences(there[table])]
    return lines


def assert_same_tables(here: Mapping[str, TableImage], there: Mapping[str, TableImage]) -> None:
    """Fail, naming tables, counts and columns, unless the two schemas are equal."""
    lines = differences(here, there)
    assert not lines, "\n".join(["the tables differ:", *lines])


def _column_differences(here: TableImage, there: TableImage) -> list[str]:
    return [
        f"columns only {side}: {', '.join(sorted(names))}"
        for side, names in (
            ("here", set(here.columns) - set(there.columns)),
            ("there", set(there.columns) - set(here.columns)),
        )
        if names
    ]


def _digest(content: Any) -> bytes:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def _canonical(value: Any) -> str | list:
    """A value as text with its kind, the same whichever engine it came from."""
    match value:
        case bool():
            return f"bool {value}"
        case int():
            return f"number {value}"
        case Decimal():
            return f"number {value.normalize():f}" if value else "number 0"
        case float():
            return f"number {value!r}"  # only inside lists and structs: columns of floats are not hashed
        case str():
            return f"text {value}"
        case datetime():  # before date, which it is one of
            utc = value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
            return f"timestamp {utc.isoformat()}"
        case date():
            return f"date {value.isoformat()}"
        case time():
            return f"time {value.isoformat()}"
        case timedelta():
            return f"interval {value.total_seconds()}"
        case UUID():
            return f"text {value}"
        case bytes() | bytearray() | memoryview():
            return f"bytes {bytes(value).hex()}"
        case list() | tuple():
            return ["list", *map(_canonical, value)]
        case dict():
            return ["struct", *([str(key), _canonical(value[key])] for key in sorted(value))]
        case None:  # inside a list or a struct
            return "null"
    raise TypeError(f"no canonical form for a value of type {type(value)}")


def _sort_key(row: Floats) -> list[tuple[int, float]]:
    """NULL, then numbers, then NaN, so that equal rows of both sides mostly meet at the first try."""
    return [(0, 0.0) if v is None else (2, 0.0) if math.isnan(v) else (1, v) for v in row]


def _are_close(row: Floats, other: Floats, tolerance: float) -> bool:
    return all(_is_close(one, two, tolerance) for one, two in zip(row, other, strict=True))


def _is_close(one: float | None, two: float | None, tolerance: float) -> bool:
    if one is None or two is None:
        return one is two
    if math.isnan(one) or math.isnan(two):
        return math.isnan(one) and math.isnan(two)
    return math.isclose(one, two, rel_tol=tolerance)
