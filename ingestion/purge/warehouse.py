"""The warehouse's side of a purge: what names the user in its tables, whichever schema they are in.

The warehouse looks for texts that may name the user, and hands over those alone; the rules say which do.
"""

from collections.abc import Iterator, Sequence
from itertools import groupby, islice

import pyarrow as pa

from ingestion.purge.user import User, is_playlist_id, naming
from ingestion.warehouse import Warehouse

VALUES_AT_ONCE = 1_000
"""Values that one statement names: some 25 KB of playlists' ids, where Redshift takes 16 MB."""


class TextTable:
    """A table of the warehouse and its columns of text, each with whether it can be NULL."""

    def __init__(self, warehouse: Warehouse, schema: str, name: str, columns: dict[str, bool]) -> None:
        self._warehouse, self.schema, self.columns = warehouse, schema, columns
        self.name = f'"{schema}"."{name}"'

    def count(self, user: User) -> int:
        """Rows that name the user or are of a playlist of theirs."""
        candidates = [_may_name(column, user) for column in self.columns]
        query = f"select {self._quoted()} from {self.name} where " + " or ".join(sql for sql, _ in candidates)
        values = [value for _, values in candidates for value in values]
        return sum(int(naming(user, rows).sum()) for rows in self._warehouse.batches(query, *values))

    def purge(self, user: User) -> None:
        """Rows of the user's playlists go; elsewhere hashes become NULL, and texts are without the user.

        A hash that may not be NULL takes its row with it.
        """
        for column, is_nullable in self.columns.items():
            found = self._naming(column, user)
            if is_playlist_id(column) or (column.endswith("_hash") and not is_nullable):
                for values in _some_at_a_time(found):
                    self._warehouse.execute(
                        f'delete from {self.name} where "{column}" in ({_places(values)})', *values
                    )
                continue
            for value in found:
                left = None if column.endswith("_hash") else user.taken_out(value)
                self._warehouse.execute(
                    f'update {self.name} set "{column}" = %s where "{column}" = %s', left, value
                )

    def _naming(self, column: str, user: User) -> list[str]:
        """The values of a column that name the user, or are ids of their playlists."""
        condition, values = _may_name(column, user)
        found: list[str] = []
        for rows in self._warehouse.batches(
            f'select distinct "{column}" from {self.name} where {condition}', *values
        ):
            found += rows.filter(pa.array(naming(user, rows)))[column].to_pylist()
        return found

    def _quoted(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)


def _may_name(column: str, user: User) -> tuple[str, list[str]]:
    """A condition, and its values, that holds for all values of a column that name the user, and others."""
    parts = [user.label]
    if is_playlist_id(column):
        owned = sorted(user.owned)
    else:
        owned = []
        parts += [*user.spellings, *(["playlist"] if user.owned else [])]
    conditions = [f'strpos("{column}", %s) > 0'] * len(parts)
    if owned:
        conditions.append(f'"{column}" in ({_places(owned)})')
    return f"({' or '.join(conditions)})", [*parts, *owned]


def _places(values: Sequence[str]) -> str:
    return ", ".join(["%s"] * len(values))


def _some_at_a_time(values: Sequence[str]) -> Iterator[list[str]]:
    left = iter(values)
    while batch := list(islice(left, VALUES_AT_ONCE)):
        yield batch


def text_tables(warehouse: Warehouse) -> list[TextTable]:
    """The tables of all schemas that hold text."""
    return [
        TextTable(warehouse, schema, name, {column: is_nullable for *_, column, is_nullable in columns})
        for (schema, name), columns in groupby(warehouse.text_columns(), key=lambda one: one[:2])
    ]


def purge_warehouse(warehouse: Warehouse, user: User) -> None:
    """Remove the user from every table, all or none."""
    with warehouse.transaction():
        for table in text_tables(warehouse):
            table.purge(user)
