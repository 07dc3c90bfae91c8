"""Matching on the stand-in: what it loads is what the same songs and tracks give on DuckDB."""

import duckdb
import pytest

from ingestion.computed import MATCHING
from ingestion.load import load
from ingestion.warehouse import open_warehouse
from matching.run import match
from tests.redshift_standin.clients import by_redshift_connector, run
from tests.redshift_standin.engines import Redshift
from tests.redshift_standin.server import ADMINISTRATOR, PASSWORD
from tests.support.matching import TABLES, build, lake_settings, song, tables, track
from tests.support.row_hash import image_of

SCHEMAS = ("intermediate", "staging", "raw_matching", "raw_matching_staging", "raw_origin")
TYPES = {"string": "varchar(400)", "int32": "integer", "double": "double precision"}

ROWS = tables(
    [
        song("S"),
        song("R", "夜の港", "遠い灯台", release_year=None),
        song("Q", None, None, duration_seconds=None),
    ],
    [track("T", "Song - Live"), track("U", "夜の港", "遠い灯台", isrc="QZ"), track("V", "Son", "Artits")],
    [{"spotify_track_id": "T", "artist_name": "Guest"}],
    [{"msd_track_id": "Q", "spotify_track_id": "T"}],
)


@pytest.fixture
def there(warehouse, stand_in):
    """The stand-in with these rows where dbt would have them."""
    # The administrator's: another user may own what is left of an earlier build.
    administrator = Redshift(stand_in.environment, stand_in.errors).as_user(ADMINISTRATOR, PASSWORD).connect()
    emptying = [f"drop schema if exists {schema} cascade" for schema in SCHEMAS]
    run(administrator, *emptying)
    with open_warehouse(warehouse) as session, session.transaction():
        for schema in SCHEMAS[:2]:
            session.execute(f"create schema {schema}")
        for name, columns in TABLES.items():
            types = ", ".join(f"{column.name} {TYPES[str(column.type)]}" for column in columns)
            session.execute(f"create table {name} ({types})")
            for row in ROWS[name]:
                marks = ", ".join(["%s"] * len(columns))
                session.execute(f"insert into {name} values ({marks})", *(row[key] for key in columns.names))
    yield warehouse
    run(administrator, *emptying)
    administrator.close()


def test_candidates_are_those_of_the_embedded_warehouse_and_replaced_as_a_whole(
    there, stand_in, execute, query, tmp_path
):
    here = lake_settings(tmp_path / "here")
    build(here, ROWS)
    for settings in (here, there):
        match(settings)
        load(settings, MATCHING)
    with duckdb.connect(str(here.warehouse_path)) as embedded, by_redshift_connector(stand_in) as connection:
        for table in ("song_candidates", "artist_candidates"):
            images = [image_of(each, f"raw_matching.{table}") for each in (embedded, connection)]
            assert images[0] == images[1]
            assert images[0].row_count > 1
    execute("delete from intermediate.int_songs_enriched where msd_track_id <> 'S'")
    match(there)
    load(there, MATCHING)
    assert query("select distinct msd_track_id from raw_matching.song_candidates") == [("S",)]
    assert query("select song_count from raw_matching.runs") == [(1,)]
    assert match(there).was_current
