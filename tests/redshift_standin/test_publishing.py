"""Versions in Redshift: schemas of tables, and views of the current one that readers see."""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime

import psycopg2
import pytest

from ingestion.config import Settings, load_settings
from publishing import (
    AuditError,
    Served,
    open_published,
    publish,
    published_versions,
    read_served,
    resume,
    rollback,
)
from publishing.store import PublishError
from tests.redshift_standin.clients import rows_of, run
from tests.redshift_standin.engines import Redshift
from tests.redshift_standin.server import ADMINISTRATOR, DATABASE, PASSWORD
from tests.support.built_marts import MARTS, BuiltMarts
from tests.support.readers import reading

READERS, PUBLICATIONS = 20, 50
ANALYST = "evening_analyst"


def drop_all(administrator) -> None:
    schemas = rows_of(
        administrator,
        "select schema_name from svv_redshift_schemas where database_name = current_database()",
    )
    own = ("raw_lab", "marts", "msd", "operations", "published")
    for (schema,) in schemas:
        if schema.startswith(own):
            run(administrator, f"drop schema if exists {schema} cascade")


@pytest.fixture(scope="module")
def administrator_session(stand_in):
    redshift = Redshift(stand_in.environment, stand_in.errors).as_user(ADMINISTRATOR, PASSWORD)
    with closing(redshift.connect()) as connection:
        run(connection, f"create user {ANALYST} password '{PASSWORD}'", "create role evening")
        run(connection, f"grant role evening to {ANALYST}")
        yield connection


@pytest.fixture
def settings(stand_in, administrator_session, tmp_path) -> Iterator[Settings]:
    drop_all(administrator_session)
    yield load_settings(
        {
            **stand_in.environment,
            "WAREHOUSE_DATA_DIR": str(tmp_path / "data"),
            "WAREHOUSE_LAKE_URL": str(tmp_path / "lake"),
            "REDSHIFT_PUBLISHED_READERS": "role:evening",
            "WAREHOUSE_KEEP_VERSIONS": "3",
        }
    )
    drop_all(administrator_session)


@pytest.fixture
def warehouse(settings: Settings) -> BuiltMarts:
    return BuiltMarts(settings, database=DATABASE)


def as_analyst(stand_in):
    connection = psycopg2.connect(
        host="127.0.0.1", port=stand_in.port, dbname=DATABASE, user=ANALYST, password=PASSWORD
    )
    connection.autocommit = True
    return connection


TOGETHER = """
select min(least(songs.generation, tracks.generation, named.generation)),
    max(greatest(songs.generation, tracks.generation, named.generation)), count(*)
from published.dim_songs as songs
inner join published.fct_playlist_tracks as tracks on songs.id = tracks.id
inner join published_msd.songs as named on songs.id = named.song_id
"""


def current_generation(connection) -> int:
    """Which generation readers see in a query over several views; all has to be of one."""
    ((lowest, highest, count),) = rows_of(connection, TOGETHER)
    assert (lowest, count) == (highest, MARTS["dim_songs"])
    return lowest


def test_readers_may_see_what_is_published_and_nothing_else(settings, warehouse, stand_in):
    warehouse.build()
    manifest = publish(settings).manifest
    with closing(as_analyst(stand_in)) as analyst:
        assert current_generation(analyst) == 1
        for table in ("marts.dim_songs", "marts_v000001.dim_songs", "operations.built_nodes"):
            with pytest.raises(psycopg2.errors.InsufficientPrivilege):
                rows_of(analyst, f"select 1 from {table}")
    assert manifest.rows == {**{f"marts.{mart}": count for mart, count in MARTS.items()}, "msd.songs": 300}


def test_readers_at_work_see_one_whole_version_through_fifty_publications(settings, warehouse, stand_in):
    warehouse.build()
    publish(settings)
    connections = [as_analyst(stand_in) for _ in range(READERS)]
    free = list(connections)

    def read() -> int:
        connection = free.pop()
        try:
            return current_generation(connection)
        finally:
            free.append(connection)

    with reading(read, READERS) as readers:
        for _ in range(PUBLICATIONS):
            warehouse.build()
            publish(settings)
        readers.until_each_has_read_again()
    for connection in connections:
        connection.close()
    assert readers.errors == []
    assert readers.seen[-1] == PUBLICATIONS + 1
    assert all(seen == sorted(seen) for seen in readers.seen_by_reader)
    assert len(set(readers.seen)) > READERS


def test_a_program_reads_the_current_version_and_its_manifest(settings, warehouse):
    with pytest.raises(PublishError, match="nothing is published"), open_published(settings):
        pass
    warehouse.build()
    publish(settings)
    with open_published(replace(settings, redshift=replace(settings.redshift, user=ANALYST))) as published:
        assert published.manifest.version == 1
        assert published.warehouse.rows(f"select count(*) from {published.table('dim_songs')}") == [(300,)]


def test_a_reader_in_the_middle_of_a_transaction_is_waited_for(settings, warehouse, stand_in):
    warehouse.build()
    publish(settings)
    warehouse.build()
    with closing(as_analyst(stand_in)) as analyst, closing(as_analyst(stand_in)) as other:
        run(analyst, "begin")
        assert current_generation(analyst) == 1
        # Publishing tries for a moment, again and again; in between others read.
        with (
            reading(lambda: current_generation(other), 1) as readers,
            reading(lambda: publish(settings).manifest.version, 1) as publishing,
        ):
            readers.until_each_has_read_again()
            assert publishing.seen == []
            assert current_generation(analyst) == 1
            run(analyst, "commit")
            publishing.until_each_has_read_again()
        assert readers.errors == publishing.errors == []
        assert current_generation(analyst) == 2


def test_a_mart_that_a_release_no_longer_has_is_no_longer_seen(settings, warehouse, stand_in):
    warehouse.build(MARTS | {"dim_moods": 10})
    publish(settings)
    with closing(as_analyst(stand_in)) as analyst:
        assert rows_of(analyst, "select count(*) from published.dim_moods") == [(10,)]
        warehouse.build()
        with pytest.raises(AuditError, match=r"marts.dim_moods is gone, and the release is still"):
            publish(settings)
        publish(settings, accept_changes=True)
        with pytest.raises(psycopg2.errors.UndefinedTable):
            rows_of(analyst, "select count(*) from published.dim_moods")


def test_columns_may_come_and_change_their_order(settings, warehouse, stand_in):
    warehouse.build(columns=", isrc varchar(48)")
    publish(settings)
    warehouse.build(columns=", mood varchar(48), isrc varchar(48)")
    publish(settings)
    with closing(as_analyst(stand_in)) as analyst:
        assert rows_of(analyst, "select count(*), max(mood) from published.dim_songs") == [(300, None)]


def test_rolling_back_holding_and_going_on(settings, warehouse, stand_in):
    for _ in range(2):
        warehouse.build()
        publish(settings)
    with closing(as_analyst(stand_in)) as analyst:
        assert rollback(settings).version == 1
        assert current_generation(analyst) == 1
        warehouse.build()
        assert publish(settings).held_since is not None
        resume(settings)
        assert publish(settings).manifest.version == 3
        assert current_generation(analyst) == 3


def test_old_versions_go_but_not_while_they_are_read(settings, warehouse, stand_in, query):
    there = "select schema_name from svv_redshift_schemas where schema_name like 'marts_v%' order by 1"
    with closing(as_analyst(stand_in)) as analyst:
        warehouse.build()
        publish(settings)
        for _ in range(3):
            warehouse.build()
            publish(settings)
        assert query(there) == [("marts_v000002",), ("marts_v000003",), ("marts_v000004",)]
        assert [manifest.version for manifest in published_versions(settings)[0]] == [2, 3, 4]
        assert current_generation(analyst) == 4


def test_what_failed_its_tests_is_not_shown(settings, warehouse, stand_in):
    warehouse.build()
    publish(settings)
    warehouse.build(test_status="fail")
    with pytest.raises(AuditError, match="readers keep v000001"):
        publish(settings)
    with closing(as_analyst(stand_in)) as analyst:
        assert current_generation(analyst) == 1


def test_what_is_about_persons_is_not_in_a_version(settings, warehouse, stand_in):
    warehouse.personal_columns = ("title",)
    warehouse.build()
    publish(settings)
    with closing(as_analyst(stand_in)) as analyst:
        assert rows_of(analyst, "select count(*), count(is_new) from published.dim_songs") == [(300, 300)]
        with pytest.raises(psycopg2.errors.UndefinedColumn):
            rows_of(analyst, "select title from published.dim_songs")


def test_what_readers_see_is_told_and_since_when_they_are_held(settings, warehouse):
    assert read_served(settings) == Served(None, None)
    for _ in range(2):
        warehouse.build()
        publish(settings)
    held_at = datetime(2026, 3, 3, 9, tzinfo=UTC)
    first = rollback(settings, now=held_at)
    assert read_served(settings) == Served(first, held_at)
    resume(settings)
    assert read_served(settings) == Served(first, None)
