"""The warehouse's side of a purge: what names the user in its tables, whichever schema they are in."""

from collections.abc import Mapping

import duckdb
import pyarrow as pa

from ingestion.lake import BATCH_ROWS
from ingestion.purge.user import User, is_playlist_id, naming


class TextTable:
    """A table of the warehouse and its columns of text, each with whether it can be NULL."""

    def __init__(
        self, warehouse: duckdb.DuckDBPyConnection, schema: str, name: str, columns: Mapping[str, bool]
    ) -> None:
        self._warehouse, self.schema, self.columns = warehouse, schema, columns
        self.name = f'"{schema}"."{name}"'

    def count(self, user: User) -> int:
        """Rows that name the user or are of a playlist of theirs."""
        reader = self._warehouse.execute(f"select {self._quoted()} from {self.name}").to_arrow_reader(
            BATCH_ROWS
        )
        return sum(int(naming(user, pa.Table.from_batches([batch])).sum()) for batch in reader)

    def purge(self, user: User) -> None:
        """Rows of the user's playlists go; elsewhere hashes become NULL, and texts are without the user.

        A hash that may not be NULL takes its row with it.
        """
        for column, is_nullable in self.columns.items():
            values = self._naming(column, user)
            if is_playlist_id(column) or (column.endswith("_hash") and not is_nullable):
                if values:
                    self._warehouse.execute(
                        f'delete from {self.name} where "{column}" in (select unnest(?))', (values,)
                    )
                continue
            for value in values:
                left = None if column.endswith("_hash") else user.taken_out(value)
                self._warehouse.execute(
                    f'update {self.name} set "{column}" = ? where "{column}" = ?', (left, value)
                )

    def _naming(self, column: str, user: User) -> list[str]:
        """The values of a column that name the user, or are ids of their playlists."""
        values = self._warehouse.execute(
            f'select distinct "{column}" from {self.name} where "{column}" is not null'
        ).to_arrow_table()
        return values.filter(pa.array(naming(user, values)))[column].to_pylist()

    def _quoted(self) -> str:
        return ", ".join(f'"{column}"' for column in self.columns)


def text_tables(warehouse: duckdb.DuckDBPyConnection) -> list[TextTable]:
    """The tables of all schemas that hold text. Views hold nothing of their own."""
    columns: dict[tuple[str, str], dict[str, bool]] = {}
    for schema, table, column, is_nullable in warehouse.execute(
        """
        select columns.table_schema, columns.table_name, columns.column_name, columns.is_nullable
        from information_schema.columns as columns
        inner join information_schema.tables as tables
            on columns.table_schema = tables.table_schema and columns.table_name = tables.table_name
        where tables.table_type = 'BASE TABLE' and columns.data_type = 'VARCHAR'
        order by columns.table_schema, columns.table_name, columns.ordinal_position
        """
    ).fetchall():
        columns.setdefault((schema, table), {})[column] = is_nullable == "YES"
    return [TextTable(warehouse, schema, table, texts) for (schema, table), texts in columns.items()]


def purge_warehouse(warehouse: duckdb.DuckDBPyConnection, user: User) -> None:
    """Remove the user from every table, all or none."""
    warehouse.execute("begin")
    for table in text_tables(warehouse):
        table.purge(user)
    warehouse.execute("commit")
