"""The file of the embedded warehouse: opening it, and giving back what removed rows have left in it."""

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path

import duckdb
from filelock import FileLock

from ingestion.config import Settings
from ingestion.errors import LoadError

log = logging.getLogger(__name__)

WORTHWHILE = 0.25
"""Share of the file that is free: a daily retention then copies the file every few days, not every day."""


def open_file(
    settings: Settings, read_only: bool = False
) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """A connection to the warehouse; several processes can have one that is `read_only`.

    Raises LoadError where another process holds it.
    """
    try:
        return closing(duckdb.connect(str(settings.warehouse_path), read_only=read_only))
    except duckdb.IOException as error:
        raise _held(settings, error) from error


@contextmanager
def open_beside(settings: Settings) -> Iterator[duckdb.DuckDBPyConnection]:
    """A connection that reads the warehouse, and can attach other files to write them.

    Raises LoadError where another process writes to it.
    """
    with closing(duckdb.connect()) as connection:
        connection.execute("set TimeZone = 'UTC'")
        try:
            connection.execute(f"attach {_literal(settings.warehouse_path)} as warehouse (read_only)")
        except duckdb.IOException as error:
            raise _held(settings, error) from error
        connection.execute("use warehouse")
        yield connection


def compact(settings: Settings) -> None:
    """Copy the warehouse into a new file: DuckDB only marks the space of removed rows as free.

    Raises LoadError where another process holds it.
    """
    warehouse = settings.warehouse_path
    fresh = warehouse.with_suffix(".compacted")
    with FileLock(settings.home / "loader.lock"), closing(duckdb.connect()) as connection:
        fresh.unlink(missing_ok=True)
        try:
            connection.execute(f"attach {_literal(warehouse)} as warehouse")
        except duckdb.IOException as error:
            raise _held(settings, error) from error
        connection.execute("checkpoint warehouse")
        connection.execute(f"attach {_literal(fresh)} as fresh")
        connection.execute("copy from database warehouse to fresh")
        connection.execute("detach fresh")
        fresh.replace(warehouse)


def compact_where_worthwhile(settings: Settings) -> None:
    """Compact the warehouse if a good part of its file is free. Raises LoadError as `compact` does."""
    with open_file(settings) as warehouse:
        warehouse.execute("checkpoint")
        ((total, free),) = warehouse.execute(
            "select total_blocks, free_blocks from pragma_database_size()"
        ).fetchall()
    if free > WORTHWHILE * total:
        log.info("%s is compacted: %.0f %% of it are free", settings.warehouse_path, 100 * free / total)
        compact(settings)


def _held(settings: Settings, error: duckdb.IOException) -> LoadError:
    return LoadError(
        f"{settings.warehouse_path} is open in another process: close it and try again ({error})"
    )


def _literal(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"
