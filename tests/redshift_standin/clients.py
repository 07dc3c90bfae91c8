"""Connections to the stand-in through the unmodified client libraries."""

from typing import Any

import psycopg2
import redshift_connector

from tests.redshift_standin.server import DATABASE, PASSWORD, USER, RedshiftStandIn


def by_redshift_connector(
    stand_in: RedshiftStandIn, password: str = PASSWORD, database: str = DATABASE
) -> Any:
    """As dbt-redshift connects: the extended protocol."""
    return redshift_connector.connect(
        host="127.0.0.1", port=stand_in.port, database=database, user=USER, password=password, ssl=False
    )


def by_psycopg2(stand_in: RedshiftStandIn, password: str = PASSWORD) -> Any:
    """As dlt connects: simple queries."""
    return psycopg2.connect(
        host="127.0.0.1", port=stand_in.port, dbname=DATABASE, user=USER, password=password
    )


def rows_of(connection: Any, sql: str) -> list[tuple]:
    """What a query answers."""
    cursor = connection.cursor()
    cursor.execute(sql)
    return [tuple(row) for row in cursor.fetchall()]


def run(connection: Any, *statements: str) -> None:
    """Run statements, each alone."""
    for statement in statements:
        connection.cursor().execute(statement)


def sqlstate(error: Exception) -> str | None:
    """The SQLSTATE of an error, whichever library raised it."""
    if isinstance(error, psycopg2.Error):
        return error.pgcode
    return error.args[0]["C"]
