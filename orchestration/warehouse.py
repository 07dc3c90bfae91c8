"""Reading the warehouse that the settings name, DuckDB or Redshift, by plain SQL that both take."""

from collections.abc import Sequence
from contextlib import AbstractContextManager, closing
from typing import Any

import duckdb

from ingestion.config import Settings


def open_to_read(settings: Settings) -> AbstractContextManager[Any]:
    """A DB-API connection. Raises LoadError where settings of Redshift are missing."""
    if settings.target == "duckdb":
        return closing(duckdb.connect(str(settings.warehouse_path), read_only=True))
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
