"""Sessions of the stand-in, as the client libraries open, use and lose them."""

from concurrent.futures import ThreadPoolExecutor

import psycopg2
import pytest
import redshift_connector

from tests.redshift_standin.clients import by_psycopg2, by_redshift_connector, rows_of, run, sqlstate

CLIENTS = 100
QUERIES = 5


def test_a_client_is_told_the_version_of_redshift(stand_in):
    with by_psycopg2(stand_in) as connection:
        assert connection.server_version == 80002
        assert "stand-in" in rows_of(connection, "select version()")[0][0]


@pytest.mark.parametrize("connect", [by_redshift_connector, by_psycopg2])
def test_a_wrong_password_is_refused(stand_in, connect):
    with pytest.raises((psycopg2.OperationalError, redshift_connector.Error), match="password"):
        connect(stand_in, password="wrong")


@pytest.mark.parametrize("connect", [by_redshift_connector, by_psycopg2])
def test_parameters_arrive_as_they_were_given(stand_in, connect):
    values = ("it's", "a \\ backslash", "ä中", None, 7, 2.5, True)
    with connect(stand_in) as connection:
        cursor = connection.cursor()
        cursor.execute("select %s, %s, %s, %s, %s, %s, %s", values)
        assert tuple(cursor.fetchone()) == values


@pytest.mark.parametrize("connect", [by_redshift_connector, by_psycopg2])
def test_a_transaction_that_was_rolled_back_leaves_nothing(stand_in, connect):
    with connect(stand_in) as connection:
        run(connection, "create schema rolled_back", "create table rolled_back.t (n integer)")
        connection.rollback()
        assert (
            rows_of(connection, "select 1 from svv_redshift_schemas where schema_name = 'rolled_back'") == []
        )


@pytest.mark.parametrize("connect", [by_redshift_connector, by_psycopg2])
def test_a_refusal_fails_the_transaction_that_it_comes_in(stand_in, connect):
    connection = connect(stand_in)
    run(connection, "create temporary table kept (n integer)")
    with pytest.raises((psycopg2.Error, redshift_connector.Error)):
        run(connection, "select string_agg('a', ',')")
    with pytest.raises((psycopg2.Error, redshift_connector.Error)) as failed:
        run(connection, "select 1")
    assert sqlstate(failed.value) == "25P02"
    connection.rollback()
    assert rows_of(connection, "select 1") == [(1,)]
    connection.close()


def test_several_statements_can_come_in_one_message(stand_in):
    connection = by_psycopg2(stand_in)
    run(connection, "create temp table t (n integer); insert into t select 1; insert into t select 2")
    assert rows_of(connection, "select n from t order by n") == [(1,), (2,)]
    connection.close()


def test_nothing_of_a_message_is_run_when_one_of_its_statements_is_refused(stand_in):
    connection = by_psycopg2(stand_in)
    connection.autocommit = True
    run(connection, "create temp table u (n integer)")
    with pytest.raises(psycopg2.Error):
        run(connection, "insert into u select 1; select now()")
    assert rows_of(connection, "select n from u") == []
    connection.close()


def test_a_hundred_clients_are_served_at_once(stand_in):
    connections = [by_redshift_connector(stand_in) for _ in range(CLIENTS)]

    def work(number: int) -> list[tuple]:
        return [
            rows_of(
                connections[number], f"select {number} + n, pg_backend_pid() from (select {query} as n) as q"
            )
            for query in range(QUERIES)
        ]

    with ThreadPoolExecutor(CLIENTS) as pool:
        answers = list(pool.map(work, range(CLIENTS)))
    sums = [[rows[0][0] for rows in answer] for answer in answers]
    assert sums == [[number + query for query in range(QUERIES)] for number in range(CLIENTS)]
    assert len({answer[0][0][1] for answer in answers}) == CLIENTS
    for connection in connections:
        connection.close()
