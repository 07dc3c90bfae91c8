"""One stand-in for all tests that need one, and connections to it in a schema of the test's own."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from tests.redshift_standin.clients import by_psycopg2, by_redshift_connector, run
from tests.redshift_standin.server import RedshiftStandIn


@pytest.fixture(scope="session")
def stand_in() -> Iterator[RedshiftStandIn]:
    """A running stand-in for Redshift: starting it takes seconds.

    Not in pytest's own folder, which the user that PostgreSQL runs as for root may not enter.
    """
    with TemporaryDirectory(prefix="redshift_stand_in_") as folder, RedshiftStandIn(Path(folder)) as running:
        yield running


@pytest.fixture(params=[by_redshift_connector, by_psycopg2], ids=["redshift_connector", "psycopg2"])
def connection(request: pytest.FixtureRequest, stand_in: RedshiftStandIn) -> Iterator[Any]:
    """A connection of either library, each statement a transaction, with an empty schema `lab`."""
    connection = request.param(stand_in)
    connection.autocommit = True
    run(connection, "drop schema if exists lab cascade", "create schema lab")
    yield connection
    connection.close()
