"""Retention of files: what goes with the days of its extraction, and that no change of a playlist is lost."""

import json
import os
import shutil
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings, load_settings
from ingestion.extract import extract
from ingestion.lake import Lake
from ingestion.load import load, prepare
from ingestion.msd import MSD
from ingestion.playlist_files import PLAYLIST_FILES
from ingestion.retention import RetentionResult, retain
from ingestion.sources import SOURCES
from ingestion.spotify import SPOTIFY
from sandbox.folder import write_sandbox
from tests.ingestion.playlist_files.files import csv_row, csv_text
from tests.support.row_hash import assert_same_tables, images_of_schema
from tests.support.spotify_replay import run_dbt

TODAY = datetime.now(UTC).date()
DAYS_KEPT = 60

CHANGES = """
    select
        playlist_id, seen_on, change, track_uri, from_position, to_position, added_at, from_snapshot_id,
        snapshot_id, last_seen_before_on, source_system, terms_of_use, spotify_track_id
    from marts.fct_playlist_track_changes order by all
"""

EXPORTS = ((100, (0, 1, 2)), (70, (0, 2)), (40, (0, 1, 2)), (10, (3, 0)))
"""Days ago on which an export of one playlist was made and extracted, and the tracks in it: the second
takes a track out, the third is as the first."""


def settings_of(workplace: Path, **variables: str) -> Settings:
    files = workplace / "exports"
    files.mkdir(parents=True, exist_ok=True)
    return load_settings(
        {"WAREHOUSE_DATA_DIR": str(workplace / "data"), "PLAYLIST_FILES_PATH": str(files)} | variables
    )


def export(settings: Settings, days_ago: int, tracks: tuple[int, ...], name: str = "mine.csv") -> None:
    """Bring an export of a playlist made some days ago, and extract it on that day."""
    path = settings.source_paths["playlist_files"] / name
    path.write_text(csv_text(*(csv_row(track) for track in tracks)))
    made_at = (datetime.now(UTC) - timedelta(days=days_ago)).timestamp()
    os.utime(path, (made_at, made_at))
    lake = Lake(settings.lake_url)
    before = lake.done_unit_ids("playlist_files")
    extract(settings, PLAYLIST_FILES, path.parent)
    for unit in lake.done_unit_ids("playlist_files") - before:
        extracted_days_ago(settings, "playlist_files", unit, days_ago)


def extracted_days_ago(settings: Settings, source: str, unit: str, days: int) -> None:
    """Have a unit's record say that it is older than it is: a test cannot wait for months."""
    record = Path(settings.lake_url) / source / "done" / f"{unit}.json"
    content = json.loads(record.read_text())
    content["extracted_at"] = (datetime.now(UTC) - timedelta(days=days)).isoformat()
    record.write_text(json.dumps(content))


def build(workplace: Path) -> None:
    run_dbt(workplace, "+fct_playlist_track_changes")


def query(settings: Settings, sql: str) -> list[tuple]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.sql(sql).fetchall()


def raw_tables(settings: Settings, schema: str = "raw_playlist_files") -> dict:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return images_of_schema(connection, schema)


def looks(settings: Settings) -> list[date]:
    return [
        day for (day,) in query(settings, "select observed_on from raw_playlist_files.playlist_observations")
    ]


@pytest.fixture(scope="module")
def built(tmp_path_factory) -> Path:
    """A workplace with all exports and dbt's models of them. To be copied, not changed."""
    workplace = tmp_path_factory.mktemp("built")
    settings = settings_of(workplace)
    prepare(settings, SOURCES)
    for days_ago, tracks in EXPORTS:
        export(settings, days_ago, tracks)
    load(settings, PLAYLIST_FILES)
    build(workplace)
    return workplace


@pytest.fixture
def workplace(built, tmp_path) -> Path:
    return shutil.copytree(built, tmp_path / "workplace", symlinks=True)


@pytest.fixture
def settings(workplace) -> Settings:
    return settings_of(workplace)


def days_ago(days: int) -> date:
    return TODAY - timedelta(days=days)


def test_rows_of_files_go_some_days_after_they_were_extracted(settings):
    result = retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    assert sorted(looks(settings)) == [days_ago(40), days_ago(10)]
    # The state of a hundred days ago was shown again, and so was confirmed.
    assert query(settings, "select count(*) from raw_playlist_files.playlists") == [(2,)]
    assert query(settings, "select count(*) from raw_playlist_files.playlist_tracks") == [(5,)]
    assert result.units_rewritten == 2
    assert result.rows["playlist_tracks"] == 5
    parts = [part for unit in Lake(settings.lake_url).done_records("playlist_files") for part in unit.parts]
    assert sum(part.rows for part in parts if part.table == "playlist_tracks") == 5
    files = {path.name for path in Path(settings.lake_url, "playlist_files", "playlists").iterdir()}
    assert files == {Path(part.path).name for part in parts if part.table == "playlists"}


def test_every_change_is_told_after_it_as_before_also_where_a_state_came_back(settings, workplace):
    told = query(settings, CHANGES)
    assert [row[2] for row in told] == ["left", "entered", "entered", "left", "left"]
    for later in (0, 40, 400):
        retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY + timedelta(days=later))
        build(workplace)
        assert query(settings, CHANGES) == told
    assert query(settings, "select count(*) from raw_playlist_files.playlists") == [(0,)]
    assert query(settings, "select count(*) from raw_playlist_files.playlist_track_changes") == [(5,)]


def test_states_of_which_dbt_has_derived_nothing_yet_stay_until_it_has(settings, workplace, caplog):
    export(settings, 5, (7, 8, 9))
    everything = retain(settings, PLAYLIST_FILES, 1, TODAY + timedelta(days=30))
    assert everything.playlists_held == 1
    assert "until `dbt build` was run" in caplog.text
    assert sorted(looks(settings)) == [days_ago(10), days_ago(5)]
    again = retain(settings, PLAYLIST_FILES, 1, TODAY + timedelta(days=30))
    assert (again.units_rewritten, again.playlists_held) == (0, 1)
    build(workplace)
    told = query(settings, CHANGES)
    assert len(told) == 10
    retain(settings, PLAYLIST_FILES, 1, TODAY + timedelta(days=30))
    build(workplace)
    assert looks(settings) == []
    assert query(settings, CHANGES) == told


def test_what_went_does_not_come_back_with_a_file_that_stayed_as_it_is(settings):
    retain(settings, PLAYLIST_FILES, 1, TODAY)
    rows = raw_tables(settings)
    assert extract(settings, PLAYLIST_FILES, settings.source_paths["playlist_files"]).units_extracted == 0
    load(settings, PLAYLIST_FILES)
    assert_same_tables(raw_tables(settings), rows)


def test_twice_is_as_good_as_once(settings):
    retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    rows, units = raw_tables(settings), Lake(settings.lake_url).current_revisions("playlist_files")
    again = retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    assert (again.units_rewritten, again.rows.total(), again.changes_kept) == (0, 0, 0)
    assert Lake(settings.lake_url).current_revisions("playlist_files") == units
    assert_same_tables(raw_tables(settings), rows)


def test_a_source_without_playlists_loses_whole_units(settings):
    songs = write_sandbox(settings.data_dir / "world").msd
    extract(settings, MSD, songs)
    lake = Lake(settings.lake_url)
    old, *young = sorted(lake.done_unit_ids("msd"))
    extracted_days_ago(settings, "msd", old, DAYS_KEPT + 1)
    in_old = lake.done_record("msd", old).rows("songs")
    load(settings, MSD)
    ((before,),) = query(settings, "select count(*) from raw_msd.songs")
    result = retain(settings, MSD, DAYS_KEPT, TODAY)
    assert result.rows["songs"] == in_old > 0
    assert query(settings, "select count(*) from raw_msd.songs") == [(before - in_old,)]
    assert query(settings, "select distinct lake_unit_id from raw_msd.songs order by 1") == [
        (unit,) for unit in young
    ]


@pytest.mark.parametrize("source", SOURCES, ids=lambda source: source.name)
def test_without_a_number_of_days_and_in_the_sandbox_everything_stays(source, settings, tmp_path):
    assert retain(settings, source, None, TODAY) == RetentionResult()
    sandbox = load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path / "sandbox")})
    assert retain(sandbox, source, 1, TODAY) == RetentionResult()


def test_each_source_has_days_of_its_own():
    assert load_settings({}).retention_days == {source.name: None for source in SOURCES} | {"spotify": 30}
    found = load_settings({"PLAYLIST_FILES_RETENTION_DAYS": "90", "SPOTIFY_RETENTION_DAYS": "forever"})
    assert found.retention_days[PLAYLIST_FILES.name] == 90
    assert found.retention_days[SPOTIFY.name] is None
