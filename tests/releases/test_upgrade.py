"""A warehouse of the previous release becomes one of this release by `make upgrade`: what it then holds is
what a new warehouse makes of the same raw rows.

`0.1.0.yml` says what a warehouse of that release held.
"""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
import yaml

from ingestion.config import Settings, load_settings
from ingestion.extract import extract
from ingestion.load import load, prepare
from ingestion.source import Source
from ingestion.sources import FILE_SOURCES, SOURCES
from ingestion.tables import LAKE_COLUMNS, UTC_TIMESTAMP, RawTable
from sandbox import write_sandbox
from sandbox.spotify_api import SpotifyApi
from tests.dbt_project.conftest import MODELS_ALONE
from tests.support.checkout import Checkout, fresh_checkout
from tests.support.row_hash import assert_same_tables, images_of_schema
from tests.support.spotify_machine import Machine

PREVIOUS = yaml.safe_load(Path(__file__).with_name("0.1.0.yml").read_text())
SCHEMAS = ("staging", "intermediate", "marts", "msd", "mapped", "spotify", "analytics")
FORGOTTEN = "intermediate.int_songs_counted"
"""What a release before that one left there."""

SONGS, PLAYLISTS = 60, 5

TYPES = {
    "string": pa.string(),
    "int32": pa.int32(),
    "int64": pa.int64(),
    "double": pa.float64(),
    "bool": pa.bool_(),
    "date": pa.date32(),
    "timestamp": UTC_TIMESTAMP,
}


def previous_schema(source: str, table: RawTable) -> pa.Schema:
    """A raw table's columns as the previous release had them."""
    return pa.schema(
        pa.field(name, TYPES[type_], nullable=name not in table.primary_key)
        for name, type_ in PREVIOUS["raw"][source][table.name].items()
    )


def previous(source: Source) -> Source:
    """The source as the previous release had it."""
    held = PREVIOUS["raw"][source.name]
    tables = [
        replace(table, schema=previous_schema(source.name, table))
        for table in source.tables
        if table.name in held
    ]
    return replace(source, tables=tuple(tables))


def test_raw_tables_and_columns_are_only_ever_added_and_may_be_null():
    """Raw cannot be made anew: a column that went away, or one that may not be NULL, would need the lake."""
    today = {source.name: {table.name: table for table in source.tables} for source in SOURCES}
    for source, tables in PREVIOUS["raw"].items():
        for table in tables:
            then, now = previous_schema(source, today[source][table]), today[source][table].schema
            kept = {field.name: field.type for field in now if field.name in then.names}
            assert kept == {field.name: field.type for field in then}, f"{source}.{table}"
            added = [field.name for field in now if field.name not in then.names and not field.nullable]
            assert added == [], f"{source}.{table}"


def settings_of(data_dir: Path) -> Settings:
    return load_settings({"WAREHOUSE_DATA_DIR": str(data_dir)})


@contextmanager
def opened(data_dir: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with closing(duckdb.connect(str(settings_of(data_dir).warehouse_path))) as connection:
        yield connection


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The file of a warehouse with rows in its raw tables, from files and from the Web API."""
    paths = write_sandbox(tmp_path_factory.mktemp("world") / "world")
    for song in sorted(paths.msd.rglob("*.h5"))[SONGS:]:
        song.unlink()
    with SpotifyApi(app="extended") as server:
        machine = Machine(server, tmp_path_factory.mktemp("machine"))
        ids = [one.playlist_id for one in server.world.playlists if server.day in one.versions]
        machine.extract(ids[:PLAYLISTS])
    settings = replace(settings_of(tmp_path_factory.mktemp("loaded")), lake_url=machine.lake.url)
    for source in FILE_SOURCES:
        extract(settings, source, getattr(paths, source.name))
    for source in SOURCES:
        load(settings, source)
    return settings.warehouse_path


def fill(data_dir: Path, loaded: Path) -> None:
    """Give the raw tables the rows of a loaded warehouse, as far as the previous release knew them."""
    with opened(data_dir) as connection:
        connection.execute(f"attach '{loaded}' as loaded (read_only)")
        for source in SOURCES:
            for table, columns in PREVIOUS["raw"].get(source.name, {}).items():
                names = ", ".join([*columns, *(field.name for field in LAKE_COLUMNS), "_dlt_load_id"])
                name = f"{source.schema_name}.{table}"
                connection.execute(f"insert into {name} by name select {names} from loaded.{name}")


def raw_images(data_dir: Path) -> dict:
    with opened(data_dir) as connection:
        return {source.name: images_of_schema(connection, source.schema_name) for source in SOURCES}


def of_the_previous_release(data_dir: Path, loaded: Path) -> None:
    """A warehouse as the previous release left it: its models hold a row that nothing of today makes."""
    prepare(settings_of(data_dir), [previous(source) for source in SOURCES if source.name in PREVIOUS["raw"]])
    fill(data_dir, loaded)
    with opened(data_dir) as connection:
        for layer, models in PREVIOUS["models"].items():
            connection.execute(f"create schema {layer}")
            for model in models:
                kind = "view" if layer == "staging" else "table"
                connection.execute(f"create {kind} {layer}.{model} as select 'earlier' as release")
        connection.execute(f"create table {FORGOTTEN} as select 'earlier' as release")
        connection.execute("create schema analyst")
        connection.execute("create table analyst.notes as select 'mine' as note")


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return fresh_checkout(tmp_path_factory.mktemp("checkout"))


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory, checkout: Checkout, loaded: Path) -> Path:
    """The data folder of a new warehouse with the same raw rows, built."""
    data_dir = tmp_path_factory.mktemp("fresh")
    prepare(settings_of(data_dir), SOURCES)
    fill(data_dir, loaded)
    result = checkout.make("setup", WAREHOUSE_DATA_DIR=str(data_dir))
    assert result.returncode == 0, result.stdout
    built = checkout.run("dbt", "build", *MODELS_ALONE, WAREHOUSE_DATA_DIR=str(data_dir))
    assert built.returncode == 0, built.stdout
    return data_dir


def upgrade_and_kill(checkout: Checkout, data_dir: Path) -> None:
    """Kill `make upgrade` in the middle: when the first tables are built and the marts are not."""
    process = subprocess.Popen(
        ["make", "--old-file=.venv/.installed", "upgrade"],
        cwd=checkout.path,
        env=checkout.environment | {"WAREHOUSE_DATA_DIR": str(data_dir)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    seen = ""
    for line in process.stdout:
        seen += line
        if re.search(r"OK created sql table model intermediate\.", line):
            os.killpg(process.pid, signal.SIGKILL)
            break
    process.stdout.close()
    assert process.wait() == -signal.SIGKILL, seen


@pytest.fixture(scope="module")
def upgraded(tmp_path_factory: pytest.TempPathFactory, checkout: Checkout, loaded: Path) -> tuple[Path, str]:
    """The data folder of the upgraded warehouse, and what the command said, run again after it was killed."""
    data_dir = tmp_path_factory.mktemp("upgraded")
    of_the_previous_release(data_dir, loaded)
    upgrade_and_kill(checkout, data_dir)
    result = checkout.make("upgrade", WAREHOUSE_DATA_DIR=str(data_dir))
    assert result.returncode == 0, result.stdout
    return data_dir, result.stdout


def test_raw_rows_stay_as_they_were_and_have_the_new_columns(upgraded, fresh):
    here, there = raw_images(upgraded[0]), raw_images(fresh)
    for source in SOURCES:
        assert_same_tables(here[source.name], there[source.name])
    assert sum(image.row_count for image in here["msd"].values()) > SONGS


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_models_are_those_of_a_new_warehouse_of_the_same_raw_rows(schema, upgraded, fresh):
    with opened(upgraded[0]) as here, opened(fresh) as there:
        expected = images_of_schema(there, schema)
        assert expected
        assert_same_tables(images_of_schema(here, schema), expected)


def test_what_no_model_makes_any_more_is_dropped_by_name_and_nothing_else(upgraded, fresh):
    dropped = set(re.findall(r"dropped (\S+)", upgraded[1]))
    earlier = {f"{layer}.{model}" for layer, models in PREVIOUS["models"].items() for model in models}
    earlier.add(FORGOTTEN)
    with opened(fresh) as connection:
        of_today = {
            f"{schema}.{name}"
            for schema, name in connection.execute(
                "select table_schema, table_name from information_schema.tables"
            ).fetchall()
        }
    assert dropped >= earlier - of_today
    assert not dropped & of_today
    with opened(upgraded[0]) as connection:
        assert connection.execute("select note from analyst.notes").fetchall() == [("mine",)]


def test_another_time_there_is_nothing_to_drop(checkout, upgraded):
    result = checkout.run("dbt", "run-operation", "drop_leftovers", WAREHOUSE_DATA_DIR=str(upgraded[0]))
    assert result.returncode == 0, result.stdout
    assert "dropped" not in result.stdout
