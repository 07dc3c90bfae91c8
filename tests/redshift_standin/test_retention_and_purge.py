"""Retention and purge in the stand-in: what they leave is what they leave of the same lake on DuckDB.

Both are killed once, and completed by running them again.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import dagster as dg
import duckdb
import pyarrow as pa
import pytest

from ingestion.config import RETENTION_DAYS, Settings, load_settings
from ingestion.lake import Lake
from ingestion.load import load, prepare
from ingestion.purge import purge_user
from ingestion.retention import retain
from ingestion.sources import SOURCES
from ingestion.spotify import SPOTIFY
from ingestion.warehouse import open_warehouse
from sandbox import generate_world
from sandbox.spotify_api import SpotifyApi as Server
from tests.dbt_project.conftest import DBT, MODELS_ALONE, REPOSITORY
from tests.redshift_standin.clients import by_redshift_connector, rows_of
from tests.redshift_standin.server import BUCKET
from tests.support.kill import Stage, Target
from tests.support.row_hash import TableImage, assert_same_tables, image_of, images_of_schema
from tests.support.spotify_replay import environment_of, look, settings_of

DATABASE = "retention"
DAYS_SEEN = (0, 3, 9)
DAYS_KEPT = 4

RETAIN = (
    "import logging, sys; from datetime import date; from ingestion.config import load_settings; "
    "from ingestion.retention import retain; from ingestion.sources import SPOTIFY; "
    "logging.basicConfig(level=logging.INFO); "
    "retain(load_settings(), SPOTIFY, int(sys.argv[1]), date.fromisoformat(sys.argv[2]))"
)
PURGE = (
    "import logging, sys; from ingestion.config import load_settings; "
    "from ingestion.purge import purge_user; logging.basicConfig(level=logging.INFO); "
    "purge_user(load_settings(), sys.argv[1])"
)


@pytest.fixture(scope="module")
def world():
    return generate_world()


@pytest.fixture(scope="module")
def server(world):
    with Server(world, app="extended") as server:
        yield server


@pytest.fixture(scope="module")
def seen(world, server, tmp_path_factory) -> Settings:
    """DuckDB with some days of playlists."""
    settings = settings_of(server, tmp_path_factory.mktemp("here") / "data")
    for day in DAYS_SEEN:
        look(settings, server, world.days[day])
    load(settings, SPOTIFY)
    return settings


@pytest.fixture(scope="module")
def environment(seen, server, stand_in, tmp_path_factory) -> dict[str, str]:
    """Variables of a machine with a copy of that lake, whose warehouse is a database of the stand-in."""
    stand_in.add_database(DATABASE)
    data_dir = shutil.copytree(seen.data_dir, tmp_path_factory.mktemp("there") / "data", symlinks=True)
    (data_dir / "warehouse.duckdb").unlink()
    return {**environment_of(server, data_dir), **stand_in.environment, "REDSHIFT_DATABASE": DATABASE}


def build(settings: Settings, environment: Mapping[str, str], *flags: str) -> None:
    """dbt's models of what changed in playlists."""
    folder = settings.data_dir.parent
    shutil.copyfile(REPOSITORY / "profiles.example.yml", folder / "profiles.yml")
    options = [
        *("--profiles-dir", folder),
        *("--target-path", folder / "target"),
        *("--log-path", folder / "logs"),
    ]
    dbt = subprocess.run(
        [
            sys.executable,
            "-c",
            DBT,
            "build",
            *MODELS_ALONE,
            "--select",
            "+fct_playlist_track_changes",
            *flags,
            *options,
        ],
        cwd=REPOSITORY,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
    assert dbt.returncode == 0, dbt.stdout


@pytest.fixture(scope="module")
def there(environment) -> Iterator[Settings]:
    """The stand-in with the same rows, and dbt's models of what changed in playlists."""
    with pytest.MonkeyPatch.context() as patch:
        for name in environment:
            if name.startswith("AWS_"):
                patch.setenv(name, environment[name])
        settings = load_settings(environment)
        prepare(settings, SOURCES)
        load(settings, SPOTIFY)
        build(settings, environment)
        yield settings


@pytest.fixture(scope="module")
def here(seen, there) -> Settings:
    """DuckDB with the models as they are in the stand-in: making them by dbt here too takes longer."""
    with open_warehouse(there) as warehouse, duckdb.connect(str(seen.warehouse_path)) as connection:
        tables = {(schema, table) for schema, table, *_ in warehouse.text_columns()}
        for schema, table in tables:
            if schema in ("intermediate", "marts"):
                fetched = pa.concat_tables(warehouse.batches(f"select * from {schema}.{table}"))
                connection.execute(f"create schema if not exists {schema}")
                connection.register("fetched", fetched)
                connection.execute(f"create table {schema}.{table} as from fetched")
                connection.unregister("fetched")
    return seen


@pytest.fixture
def query(stand_in):
    with closing(by_redshift_connector(stand_in, database=DATABASE)) as connection:
        yield lambda sql: rows_of(connection, sql)


def tables_here(settings: Settings) -> Mapping[str, TableImage]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return images_of_schema(connection, "raw_spotify")


def tables_there(stand_in) -> Mapping[str, TableImage]:
    with closing(by_redshift_connector(stand_in, database=DATABASE)) as connection:
        return images_of_schema(connection, "raw_spotify")


def killed(code: str, *arguments: str, stage: Stage, environment: Mapping[str, str]) -> None:
    """Run a program until it is in a stage, and kill it there."""
    target = Target(
        [sys.executable, "-c", code, *arguments],
        {**os.environ, **environment},
        Path(environment["WAREHOUSE_DATA_DIR"]),
        (stage,),
    )
    report = target.kill_in(stage.name)
    assert report.hit, report


@pytest.fixture(scope="module")
def retained(world, here, there, environment, stand_in):
    """Both after retention, and what it did here and there; there it was killed while it loaded."""
    stage = Stage(
        "the load is at work",
        log=r"retention spotify: (\d+)/\1 ",
        glob="loader/spotify/load/normalized/*",
    )
    today = world.days[DAYS_SEEN[-1]]
    stand_in.errors.clear()
    killed(RETAIN, str(DAYS_KEPT), today.isoformat(), stage=stage, environment=environment)
    there_again = retain(there, SPOTIFY, DAYS_KEPT, today)
    return retain(here, SPOTIFY, DAYS_KEPT, today), there_again


def test_before_retention_both_hold_the_same(here, there, stand_in):  # noqa: ARG001
    assert_same_tables(tables_here(here), tables_there(stand_in))


def test_retention_leaves_what_it_leaves_in_the_embedded_warehouse(here, retained, stand_in, query):
    result, _ = retained
    assert result.rows["playlists"] > 0
    assert result.changes_kept > 0
    assert_same_tables(tables_here(here), tables_there(stand_in))
    assert query("select count(*) from raw_spotify.playlist_track_changes") == [(result.changes_kept,)]
    assert stand_in.errors == []


@pytest.mark.usefixtures("retained")
def test_a_second_retention_removes_nothing(there, world):
    again = retain(there, SPOTIFY, DAYS_KEPT, world.days[DAYS_SEEN[-1]])
    assert (again.units_rewritten, again.rows.total(), again.changes_kept) == (0, 0, 0)


@pytest.mark.usefixtures("retained")
def test_a_purge_leaves_nothing_of_the_user_and_what_it_leaves_in_the_embedded_warehouse(
    world, here, there, environment, stand_in, query
):
    user_id = world.account.user_id
    stage = Stage(
        "the load is at work", log=r"purge spotify: (\d+)/\1 ", glob="loader/spotify/load/normalized/*"
    )
    killed(PURGE, user_id, stage=stage, environment=environment)
    result = purge_user(there, user_id)
    expected = purge_user(here, user_id)
    assert all(expected.before[place] > 0 for place in ("lake", "archive", "raw", "marts"))
    assert dict(result.after) == {"lake": 0, "archive": 0, "raw": 0, "marts": 0}
    assert_same_tables(tables_here(here), tables_there(stand_in))

    for column in ("playlists where owner_id_hash", "playlist_tracks where added_by_hash"):
        assert query(f"select count(*) from raw_spotify.{column} = '{there.hash_user(user_id)}'") == [(0,)]
    listed = stand_in.s3().list_objects_v2(Bucket=BUCKET, Prefix="staging/raw_spotify")
    assert listed["KeyCount"] == 0


@pytest.mark.usefixtures("retained")
def test_the_graph_with_playlists_runs_with_the_days_of_retention_that_it_has_by_default(
    here, there, environment, server, world, stand_in, monkeypatch
):
    from orchestration.lake import spotify_lake_asset
    from orchestration.raw import raw_assets
    from orchestration.retention import retention_asset

    server.day = world.days[DAYS_SEEN[-1]]
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    steps = [spotify_lake_asset, retention_asset(SPOTIFY), raw_assets(SPOTIFY)]
    assert dg.materialize(steps).success
    assert Lake(there.lake_url).done_unit_ids("spotify")
    shutil.rmtree(here.lake_url)
    shutil.copytree(there.lake_url, here.lake_url)
    load(here, SPOTIFY)
    tables = tables_here(here)
    assert tables["playlists"].row_count > 0
    assert_same_tables(tables, tables_there(stand_in))
    assert stand_in.errors == []
    assert there.retention_days["spotify"] == RETENTION_DAYS["spotify"] == 30


@pytest.mark.usefixtures("retained")
def test_an_increment_after_retention_and_purge_is_as_a_full_refresh(there, environment, stand_in):
    tables = (
        "intermediate.int_playlist_tracks_compared",
        "intermediate.int_playlist_tracks_changed",
        "marts.fct_playlist_track_changes",
    )
    images = []
    for flags in ((), ("--full-refresh",)):
        build(there, environment, *flags)
        with closing(by_redshift_connector(stand_in, database=DATABASE)) as connection:
            images.append({table: image_of(connection, table) for table in tables})
    assert images[0]["marts.fct_playlist_track_changes"].row_count > 0
    assert_same_tables(*images)
