"""Retention of playlist files: what goes, what survives it, and that no change is lost or told twice."""

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
from ingestion.playlist_files import PLAYLIST_FILES
from ingestion.purge import purge_user
from ingestion.retention import RetentionResult, retain
from ingestion.sources import SOURCES
from ingestion.spotify import SPOTIFY
from tests.ingestion.playlist_files.files import PLAIN_USER, csv_row, csv_text
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
"""Days ago on which a playlist was exported, and the tracks in it: the second export lacks a track, the
third is as the first."""


def settings_of(workplace: Path, **variables: str) -> Settings:
    files = workplace / "exports"
    files.mkdir(parents=True, exist_ok=True)
    return load_settings(
        {"WAREHOUSE_DATA_DIR": str(workplace / "data"), "PLAYLIST_FILES_PATH": str(files)} | variables
    )


def bring(settings: Settings, days_ago: int, rows: list, name: str = "mine.csv") -> None:
    """Put an export, made some days ago, where exports lie, and extract what is there."""
    path = settings.source_paths["playlist_files"] / name
    path.write_text(csv_text(*rows))
    made_at = (datetime.now(UTC) - timedelta(days=days_ago)).timestamp()
    os.utime(path, (made_at, made_at))
    extract(settings, PLAYLIST_FILES, path.parent)


def tracks(*numbers: int) -> list:
    return [csv_row(number) for number in numbers]


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
    for age, numbers in EXPORTS:
        bring(settings, age, tracks(*numbers))
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


def test_states_go_some_days_after_the_last_export_that_showed_them(settings):
    result = retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    assert sorted(looks(settings)) == [days_ago(40), days_ago(10)]
    # The state of a hundred days ago was shown again since.
    assert query(settings, "select count(*) from raw_playlist_files.playlists") == [(2,)]
    assert query(settings, "select count(*) from raw_playlist_files.playlist_tracks") == [(5,)]
    assert result.rows == {"playlists": 1, "playlist_tracks": 2, "playlist_observations": 2} | dict.fromkeys(
        set(result.rows) - {"playlists", "playlist_tracks", "playlist_observations"}, 0
    )
    lake = Lake(settings.lake_url)
    states = {
        row["snapshot_id"]
        for unit in lake.done_records("playlist_files")
        for part in unit.parts
        if part.table == "playlists"
        for batch in lake.read_part(part)
        for row in batch.to_pylist()
    }
    assert {(one,) for one in states} == set(
        query(settings, "select snapshot_id from raw_playlist_files.playlists")
    )


def test_every_change_is_told_after_it_as_before_also_where_a_state_came_back(settings, workplace):
    told = query(settings, CHANGES)
    assert [row[2] for row in told] == ["left", "entered", "entered", "left", "left"]
    for later in (0, 40, 400):
        retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY + timedelta(days=later))
        build(workplace)
        assert query(settings, CHANGES) == told
    assert query(settings, "select count(*) from raw_playlist_files.playlists") == [(0,)]
    assert query(settings, "select count(*) from raw_playlist_files.playlist_track_changes") == [(5,)]
    files = query(settings, "select file_path from raw_playlist_files.files")
    assert files == [("mine.csv",)]


def test_states_of_which_dbt_has_derived_nothing_yet_stay_until_it_has(settings, workplace, caplog):
    bring(settings, 5, tracks(7, 8, 9))
    all_old = TODAY + timedelta(days=30)
    assert retain(settings, PLAYLIST_FILES, 1, all_old).playlists_held == 1
    assert "until `dbt build` was run" in caplog.text
    assert sorted(looks(settings)) == [days_ago(10), days_ago(5)]
    again = retain(settings, PLAYLIST_FILES, 1, all_old)
    assert (again.units_rewritten, again.playlists_held) == (0, 1)
    build(workplace)
    told = query(settings, CHANGES)
    assert len(told) == 10
    assert retain(settings, PLAYLIST_FILES, 1, all_old).playlists_held == 0
    build(workplace)
    assert looks(settings) == []
    assert query(settings, CHANGES) == told


def test_before_dbt_has_run_at_all_no_change_is_lost_also_of_states_that_came_back(tmp_path):
    settings = settings_of(tmp_path)
    prepare(settings, SOURCES)
    for age, numbers in EXPORTS:
        bring(settings, age, tracks(*numbers))
    held = retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    assert (held.playlists_held, held.rows.total()) == (1, 0)
    build(tmp_path)
    told = query(settings, CHANGES)
    assert len(told) == 5
    retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    build(tmp_path)
    assert query(settings, CHANGES) == told


def test_a_difference_that_is_none_for_dbt_holds_nothing(tmp_path):
    """Blank and missing are the same, and so are places that nothing enters or leaves."""
    settings = settings_of(tmp_path)
    prepare(settings, SOURCES)
    local = {"Track URI": "", "Artist Name(s)": "A", "Track Name": "T"}
    bring(settings, 90, [csv_row(0), csv_row(1, **local, **{"Album Name": " "})])
    bring(settings, 80, [csv_row(0), csv_row(1, **local, **{"Album Name": ""}, Popularity="7")])
    load(settings, PLAYLIST_FILES)
    build(tmp_path)
    assert query(settings, CHANGES) == []
    assert len(query(settings, "select distinct snapshot_id from raw_playlist_files.playlists")) == 2
    assert retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY).playlists_held == 0
    assert looks(settings) == []


def test_what_went_goes_again_where_a_neighbour_has_its_file_extracted_once_more(settings, workplace):
    """Files are extracted in groups: a new one beside an old one makes a new unit of both."""
    told = query(settings, CHANGES)
    retain(settings, PLAYLIST_FILES, 1, TODAY)
    assert looks(settings) == []
    bring(settings, 0, tracks(5), name="another.csv")
    retain(settings, PLAYLIST_FILES, 1, TODAY)
    assert looks(settings) == [TODAY]
    build(workplace)
    assert query(settings, CHANGES) == told


def test_an_old_export_that_comes_late_neither_stays_nor_tells_a_change_twice(settings, workplace):
    told = query(settings, CHANGES)
    retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    bring(settings, 85, tracks(0, 1, 2, 4))
    load(settings, PLAYLIST_FILES)
    build(workplace)
    retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY + timedelta(days=400))
    build(workplace)
    assert query(settings, CHANGES) == told


def test_twice_is_as_good_as_once(settings):
    retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    rows, units = raw_tables(settings), Lake(settings.lake_url).current_revisions("playlist_files")
    again = retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    assert (again.units_rewritten, again.rows.total(), again.changes_kept) == (0, 0, 0)
    assert Lake(settings.lake_url).current_revisions("playlist_files") == units
    assert_same_tables(raw_tables(settings), rows)


def test_a_purge_names_the_files_of_which_nobody_knows_any_more_whom_they_name(tmp_path):
    settings = settings_of(tmp_path)
    prepare(settings, SOURCES)
    bring(settings, 90, tracks(1, 2))
    retain(settings, PLAYLIST_FILES, DAYS_KEPT, TODAY)
    export = settings.source_paths["playlist_files"] / "mine.csv"
    assert purge_user(settings, PLAIN_USER).unknown_files == [str(export)]
    export.unlink()
    assert purge_user(settings, PLAIN_USER).unknown_files == []


@pytest.mark.parametrize("source", [PLAYLIST_FILES, SPOTIFY], ids=lambda source: source.name)
def test_without_a_number_of_days_and_in_the_sandbox_everything_stays(source, settings, tmp_path):
    assert retain(settings, source, None, TODAY) == RetentionResult()
    sandbox = load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path / "sandbox")})
    assert retain(sandbox, source, 1, TODAY) == RetentionResult()


def test_each_source_that_ages_has_days_of_its_own():
    assert load_settings({}).retention_days == {"playlist_files": None, "spotify": 30}
    found = load_settings({"PLAYLIST_FILES_RETENTION_DAYS": "90", "SPOTIFY_RETENTION_DAYS": "forever"})
    assert found.retention_days == {"playlist_files": 90, "spotify": None}
