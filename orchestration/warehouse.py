"""The warehouse that the settings name: one run at a time works on it, and plain SQL reads either engine."""

import fcntl
import logging
import os
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager
from datetime import UTC, datetime
from typing import Any

from ingestion.config import Settings
from ingestion.errors import LoadError
from ingestion.warehouse_file import open_file

log = logging.getLogger(__name__)


@contextmanager
def sole_run(settings: Settings, waits: bool = False) -> Iterator[None]:
    """Be the one run that works on the warehouse; `waits` for another's end, or raises LoadError.

    DuckDB has one writer, but a run opens and closes the file again and again: another would get in between.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    with (settings.home / "run.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            busy = f"{settings.warehouse_name} is being built by {lock.read().strip() or 'another run'}"
            if not waits:
                raise LoadError(f"{busy}: wait until it is through, or stop it, and try again") from None
            log.info("%s: this run waits for it", busy)
            fcntl.flock(lock, fcntl.LOCK_EX)
        lock.truncate(0)
        print(f"process {os.getpid()} since {datetime.now(UTC):%H:%M} UTC", file=lock, flush=True)
        yield


def open_to_read(settings: Settings) -> AbstractContextManager[Any]:
    """A DB-API connection. Raises LoadError where another process holds the file, or settings are missing."""
    if settings.target == "duckdb":
        return open_file(settings, read_only=True)
    import redshift_connector  # this and dlt, which comes with the next, take seconds to import

    from ingestion.redshift import login, redshift_settings

    redshift = redshift_settings(settings)
    user, password = login(redshift)
    return closing(
        redshift_connector.connect(
            host=redshift.host,
            port=redshift.port,
            database=redshift.database,
            user=user,
            password=password,
            ssl=redshift.sslmode != "disable",
        )
    )


def read(warehouse: Any, query: str) -> list[Sequence[Any]]:
    """All rows of a query."""
    with closing(warehouse.cursor()) as cursor:
        cursor.execute(query)
        return cursor.fetchall()
