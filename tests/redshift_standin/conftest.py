"""One stand-in for all tests that need one, and connections to it in a schema of the test's own."""

import os
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from ingestion.config import Settings, load_settings
from tests.redshift_standin.clients import by_psycopg2, by_redshift_connector, rows_of, run
from tests.redshift_standin.engines import VARIABLE, Redshift, real_redshift
from tests.redshift_standin.server import ADMINISTRATOR, PASSWORD, RedshiftStandIn


@pytest.fixture(scope="session")
def stand_in() -> Iterator[RedshiftStandIn]:
    """A running stand-in for Redshift: starting it takes seconds.

    Not in pytest's own folder, which the user that PostgreSQL runs as for root may not enter.
    """
    with TemporaryDirectory(prefix="redshift_stand_in_") as folder, RedshiftStandIn(Path(folder)) as running:
        yield running


@pytest.fixture(scope="session", params=["stand_in", "real_redshift"])
def administrator(request: pytest.FixtureRequest) -> Redshift:
    """What holds for any Redshift is tested on the stand-in, and on a real one if there is one."""
    if request.param == "stand_in":
        stand_in = request.getfixturevalue("stand_in")
        return Redshift(stand_in.environment, stand_in.errors).as_user(ADMINISTRATOR, PASSWORD)
    if VARIABLE not in os.environ:
        pytest.skip(f"{VARIABLE} is not set: nothing is run on a real Redshift (docs/verify-on-aws.md)")
    return real_redshift(os.environ[VARIABLE])


@pytest.fixture(params=[by_redshift_connector, by_psycopg2], ids=["redshift_connector", "psycopg2"])
def connection(request: pytest.FixtureRequest, stand_in: RedshiftStandIn) -> Iterator[Any]:
    """A connection of either library, each statement a transaction, with an empty schema `lab`."""
    connection = request.param(stand_in)
    connection.autocommit = True
    run(connection, "drop schema if exists lab cascade", "create schema lab")
    yield connection
    connection.close()


@pytest.fixture
def warehouse(stand_in, tmp_path, monkeypatch) -> Iterator[Settings]:
    """Settings for the stand-in, with an empty lake and no raw schema."""
    for name, value in stand_in.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)
    # The administrator's: whoever loaded last owns what is left of it.
    connection = Redshift(stand_in.environment, stand_in.errors).as_user(ADMINISTRATOR, PASSWORD).connect()
    empty = [f"drop schema if exists {name} cascade" for name in ("raw_lab", "raw_lab_staging", "raw_origin")]
    run(connection, *empty)
    yield load_settings(
        {
            **stand_in.environment,
            "WAREHOUSE_DATA_DIR": str(tmp_path / "data"),
            "WAREHOUSE_LAKE_URL": str(tmp_path / "lake"),
        }
    )
    run(connection, *empty)
    connection.close()


@pytest.fixture
def query(stand_in):
    connection = by_psycopg2(stand_in)
    connection.autocommit = True
    yield lambda sql: rows_of(connection, sql)
    connection.close()


@pytest.fixture
def execute(stand_in):
    connection = by_psycopg2(stand_in)
    connection.autocommit = True
    yield lambda sql: run(connection, sql)
    connection.close()
