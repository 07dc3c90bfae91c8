"""The warehouse as retention, purge and search see it: SQL that both engines take, in a session of either.

A statement holds `%s` for each of its values, and no other per cent sign. What only one engine has
is in `warehouse_file.py` (DuckDB) and `redshift.py`.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, Protocol

import duckdb
import pyarrow as pa

from ingestion import redshift
from ingestion.config import Settings
from ingestion.lake import BATCH_ROWS
from ingestion.warehouse_file import open_file


class Warehouse(Protocol):
    """A session of the warehouse."""

    def execute(self, sql: str, *values: Any) -> None:
        """Run a statement."""

    def rows(self, sql: str, *values: Any) -> list[tuple]:
        """The few rows that a query answers."""

    def batches(self, sql: str, *values: Any) -> Iterator[pa.Table]:
        """The rows that a query answers, as many as there may be, some at a time; one table at least."""

    def transaction(self) -> AbstractContextManager[None]:
        """What is changed within it is changed altogether, or not at all."""

    def has_table(self, schema: str, name: str) -> bool:
        """Whether there is such a table, whoever may read it."""

    def text_columns(self) -> list[tuple[str, str, str, bool]]:
        """The columns of text of all tables: schema, table, column, and whether it can be NULL; in order."""


class DuckDBWarehouse:
    """A session of the embedded warehouse."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection

    def execute(self, sql: str, *values: Any) -> None:
        """Run a statement."""
        self._connection.execute(sql.replace("%s", "?"), values)

    def rows(self, sql: str, *values: Any) -> list[tuple]:
        """The rows that a query answers."""
        return self._connection.execute(sql.replace("%s", "?"), values).fetchall()

    def batches(self, sql: str, *values: Any) -> Iterator[pa.Table]:
        """The rows that a query answers, some at a time."""
        reader = self._connection.execute(sql.replace("%s", "?"), values).to_arrow_reader(BATCH_ROWS)
        yield reader.schema.empty_table()
        for batch in reader:
            yield pa.Table.from_batches([batch])

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Changes that are made altogether."""
        self._connection.begin()
        yield
        self._connection.commit()

    def has_table(self, schema: str, name: str) -> bool:
        """Whether there is such a table."""
        return bool(
            self.rows(
                "select 1 from information_schema.tables where table_schema = %s and table_name = %s",
                schema,
                name,
            )
        )

    def text_columns(self) -> list[tuple[str, str, str, bool]]:
        """The columns of text of all tables. Views hold nothing of their own."""
        return self.rows(
            """
            select
                columns.table_schema, columns.table_name, columns.column_name,
                columns.is_nullable = 'YES'
            from information_schema.columns as columns
            inner join information_schema.tables as tables
                on columns.table_schema = tables.table_schema and columns.table_name = tables.table_name
            where tables.table_type = 'BASE TABLE' and columns.data_type = 'VARCHAR'
            order by columns.table_schema, columns.table_name, columns.ordinal_position
            """
        )


@contextmanager
def open_warehouse(settings: Settings, read_only: bool = False) -> Iterator[Warehouse]:
    """A session of the warehouse that the settings name; if `read_only`, beside others that are.

    Raises LoadError where another process holds the file, where Redshift cannot be reached, or where it
    does not let this user do what is asked for.
    """
    if settings.target == "redshift":
        with redshift.open_session(settings) as session:
            yield session
    else:
        with open_file(settings, read_only) as connection:
            yield DuckDBWarehouse(connection)
