"""A session of the warehouse as retention and purge have it: the same answers from both engines."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pyarrow as pa
import pytest

from ingestion.errors import LoadError
from ingestion.warehouse import open_warehouse

ROWS = 2_500
"""More than a cursor fetches at once."""


@pytest.fixture(params=["duckdb", "redshift"])
def settings(request, warehouse, execute):
    """Settings of either engine, with a table `lab_session.t`."""
    settings = replace(warehouse, target=request.param)
    settings.home.mkdir(parents=True)
    execute("drop schema if exists lab_session cascade")
    with open_warehouse(settings) as session, session.transaction():
        session.execute("create schema lab_session")
        session.execute("create table lab_session.t (id integer not null, name varchar(20))")
        values = [value for number in range(ROWS) for value in (number, f"name {number}")]
        session.execute(f"insert into lab_session.t values {', '.join(['(%s, %s)'] * ROWS)}", *values)
    yield settings
    execute("drop schema if exists lab_session cascade")


def test_all_rows_come_some_at_a_time_with_their_types(settings):
    query = (
        "select id, name, id > 1 as is_late, date '2026-01-02' as seen_on, "
        "cast('2026-01-02 03:04:05+00' as timestamptz) as seen_at "
        "from lab_session.t where id >= %s order by id"
    )
    with open_warehouse(settings) as session:
        rows = pa.concat_tables(session.batches(query, 0))
        none = pa.concat_tables(session.batches(query, ROWS))
    assert rows.num_rows == ROWS
    first = rows.slice(0, 1).to_pylist()[0]
    assert first.pop("seen_at").astimezone(UTC) == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert first == {"id": 0, "name": "name 0", "is_late": False, "seen_on": date(2026, 1, 2)}
    assert (none.num_rows, none.schema) == (0, rows.schema)


def test_what_was_begun_and_failed_is_not_done(settings):
    def change_and_fail() -> None:
        with open_warehouse(settings) as session, session.transaction():
            session.execute("delete from lab_session.t")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        change_and_fail()
    with open_warehouse(settings) as session:
        assert session.rows("select count(*) from lab_session.t") == [(ROWS,)]


def test_tables_and_their_columns_of_text_are_known(settings):
    with open_warehouse(settings) as session:
        assert session.has_table("lab_session", "t")
        assert not session.has_table("lab_session", "u")
        columns = [tuple(one) for one in session.text_columns() if one[0] == "lab_session"]
    assert columns == [("lab_session", "t", "name", True)]


def test_a_table_that_the_user_may_not_read_is_named(warehouse, execute):
    execute("drop schema if exists lab_session cascade; create schema lab_session")
    execute("create table lab_session.t (name varchar(20)); revoke all on lab_session.t from loader")
    with open_warehouse(warehouse) as session:
        assert session.has_table("lab_session", "t")
        assert ("lab_session", "t", "name", True) in [tuple(one) for one in session.text_columns()]
    with (
        pytest.raises(LoadError, match=r"permission denied for table t: user loader lacks a privilege"),
        open_warehouse(warehouse) as session,
    ):
        session.rows("select name from lab_session.t")
    execute("drop schema lab_session cascade")
