"""Retention: what goes, what survives it, and that it can be killed and repeated."""

import logging
import os
import shutil
import sys
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from ingestion.config import Settings, load_settings
from ingestion.lake import Lake
from ingestion.load import load, prepare
from ingestion.retention import RetentionResult, retain
from ingestion.sources import SOURCES
from ingestion.spotify import SPOTIFY
from ingestion.spotify.archive import unarchived
from ingestion.spotify.reparse import reparse
from tests.support.kill import Stage, Target
from tests.support.row_hash import assert_same_tables, images_of_schema
from tests.support.spotify_replay import environment_of, look, run_dbt, settings_of

DAYS_KEPT = 4

CHANGES = "marts.fct_playlist_track_changes"

TOLD_CHANGES = f"""
    select
        playlist_id, seen_on, change, item_type, track_uri, spotify_track_id, from_position, to_position,
        added_at, added_by_hash, from_snapshot_id, snapshot_id, last_seen_before_on
    from {CHANGES} order by all
"""


def build(folder: Path) -> None:
    """dbt's models of what changed in playlists."""
    run_dbt(folder, "+fct_playlist_track_changes")


@pytest.fixture(scope="module")
def today(world) -> date:
    return world.days[-1]


@pytest.fixture(scope="module")
def cutoff(today) -> date:
    return today - timedelta(days=DAYS_KEPT)


@pytest.fixture(scope="module")
def yesterday(world, server, tmp_path_factory) -> Path:
    """A workplace that has seen all days but the last, with dbt's models of them. To be copied, not changed.

    On the first day some playlists were read by their id, which shows their followers; then the user's.
    """
    folder = tmp_path_factory.mktemp("yesterday")
    settings = settings_of(server, folder / "data")
    prepare(settings, SOURCES)
    look(settings, server, world.days[0], [one.playlist_id for one in world.playlists][:20])
    for day in world.days[:-1]:
        look(settings, server, day)
    load(settings, SPOTIFY)
    build(folder)
    return folder


@pytest.fixture(scope="module")
def replayed(yesterday, server, today, tmp_path_factory) -> Path:
    """The same after the last day, with dbt's models of it. To be copied, not changed."""
    folder = shutil.copytree(yesterday, tmp_path_factory.mktemp("replayed") / "workplace", symlinks=True)
    settings = settings_of(server, folder / "data")
    look(settings, server, today)
    load(settings, SPOTIFY)
    build(folder)
    return folder


@pytest.fixture(scope="module")
def before(replayed, server) -> Settings:
    """The warehouse before retention."""
    return settings_of(server, replayed / "data")


@pytest.fixture(scope="module")
def retained(replayed, server, today, tmp_path_factory) -> tuple[Settings, RetentionResult]:
    """The same after retention, and what that did. To be looked at, not changed."""
    folder = shutil.copytree(replayed, tmp_path_factory.mktemp("retained") / "workplace", symlinks=True)
    settings = settings_of(server, folder / "data")
    return settings, retain(settings, SPOTIFY, DAYS_KEPT, today)


@pytest.fixture
def workplace(replayed, tmp_path) -> Path:
    return shutil.copytree(replayed, tmp_path / "workplace", symlinks=True)


@pytest.fixture
def settings(workplace, server) -> Settings:
    """A copy of the warehouse before retention."""
    return settings_of(server, workplace / "data")


@pytest.fixture
def retained_copy(retained, server, tmp_path) -> Settings:
    """A copy of the warehouse after retention."""
    return settings_of(server, shutil.copytree(retained[0].data_dir, tmp_path / "data", symlinks=True))


def query(settings: Settings, sql: str) -> list[tuple]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        connection.execute("set timezone = 'UTC'")
        return connection.sql(sql).fetchall()


def raw_tables(settings: Settings) -> dict:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return images_of_schema(connection, "raw_spotify")


def archive(settings: Settings) -> list:
    lake = Lake(settings.lake_url)
    return [entry for unit in lake.done_records("spotify") for entry in unarchived(lake, unit) if entry.body]


STATES_AND_LAST_LOOKS = """
    select p.playlist_id, p.snapshot_id, max(o.observed_on)
    from raw_spotify.playlists as p
    inner join raw_spotify.playlist_observations as o using (playlist_id, snapshot_id)
    group by all
"""


def test_states_stay_until_some_days_after_they_were_last_seen(before, retained, cutoff):
    settings, result = retained
    states = query(before, STATES_AND_LAST_LOOKS)
    expected = {(playlist, snapshot) for playlist, snapshot, seen_on in states if seen_on >= cutoff}
    assert 0 < len(expected) < len(states)
    assert set(query(settings, "select playlist_id, snapshot_id from raw_spotify.playlists")) == expected
    items = query(settings, "select distinct playlist_id, snapshot_id from raw_spotify.playlist_tracks")
    assert set(items) <= expected
    assert result.rows["playlists"] == len(states) - len(expected)
    assert (result.cutoff_on, result.playlists_held) == (cutoff, 0)


def test_a_playlist_that_nobody_looked_at_any_more_goes_altogether_but_for_its_first_look(settings, today):
    first = "select playlist_id, min(observed_on) from raw_spotify.playlist_observations group by 1"
    firsts = set(query(settings, first))
    retain(settings, SPOTIFY, DAYS_KEPT, today + timedelta(days=30))
    assert query(settings, "select count(*) from raw_spotify.playlists") == [(0,)]
    looks = query(settings, "select playlist_id, observed_on from raw_spotify.playlist_observations")
    assert set(looks) == firsts
    assert len(looks) == len(firsts)
    for table in ("tracks", "albums", "artists", "track_artists", "extraction_log"):
        assert query(settings, f"select count(*) from raw_spotify.{table}") == [(0,)]
    assert archive(settings) == []


def test_of_old_looks_only_the_first_stays_and_tells_no_followers(before, retained, cutoff):
    looks = (
        "select playlist_id, min(observed_on), count(*), count(follower_count) "
        f"from raw_spotify.playlist_observations where observed_on < '{cutoff}' group by 1 order by 1"
    )
    old, left = query(before, looks), query(retained[0], looks)
    assert [playlist[:2] for playlist in left] == [playlist[:2] for playlist in old]
    assert {playlist[2:] for playlist in left} == {(1, 0)}
    assert any(followers for *_, followers in old)
    assert any(count > 1 for _, _, count, _ in old)


def test_what_a_surviving_state_refers_to_stays_in_its_newest_form(retained, cutoff):
    settings, _ = retained
    dangling = """
        select count(*) from {there} where {key} is not null
        and {key} not in (select {key} from raw_spotify.{table})
    """
    for there, key, table in (
        ("raw_spotify.playlist_tracks", "track_id", "tracks"),
        ("raw_spotify.tracks", "album_id", "albums"),
        ("raw_spotify.track_artists", "artist_id", "artists"),
        ("raw_spotify.album_artists", "artist_id", "artists"),
    ):
        unresolved = dangling.format(there=there, key=key, table=table)
        if key == "track_id":
            unresolved += " and item_type = 'track'"
        assert query(settings, unresolved) == [(0,)]
        assert query(settings, f"select count(*) from {there}") > [(0,)]
    for table, key in (("tracks", "track_id"), ("albums", "album_id"), ("artists", "artist_id")):
        versions = query(
            settings,
            f"select count(*), min(observed_on) from raw_spotify.{table} group by {key}, is_full "
            f"having min(observed_on) < '{cutoff}'",
        )
        assert versions
        assert {count for count, _ in versions} == {1}
    old_tracks = query(
        settings,
        "select count(*) from raw_spotify.tracks where track_id not in "
        f"(select track_id from raw_spotify.playlist_tracks where track_id is not null) "
        f"and observed_on < '{cutoff}'",
    )
    assert old_tracks == [(0,)]


def test_the_log_and_the_archive_keep_what_is_young_and_answers_of_surviving_states(before, retained, cutoff):
    settings, result = retained
    entries, after = archive(before), archive(settings)
    assert result.archive_entries == len(entries) - len(after) > 0
    assert query(settings, "select min(cast(logged_at as date)) from raw_spotify.extraction_log") == [
        (cutoff,)
    ]
    young = [entry for entry in entries if entry.received_at.date() >= cutoff]
    assert [entry for entry in after if entry.received_at.date() >= cutoff] == young
    states = set(query(settings, "select playlist_id, snapshot_id from raw_spotify.playlists"))
    old = [entry for entry in after if entry.received_at.date() < cutoff]
    heads = [entry.answer for entry in old if entry.kind == "playlist"]
    assert heads
    assert {(head["id"], head["snapshot_id"]) for head in heads} <= states
    assert {entry.kind for entry in old} <= {"playlist", "page"}
    assert {entry.subject for entry in old} == {f"playlist:{head['id']}" for head in heads}


def test_every_change_is_told_after_it_as_before(settings, workplace, today):
    told = query(settings, TOLD_CHANGES)
    result = retain(settings, SPOTIFY, DAYS_KEPT, today)
    build(workplace)
    assert query(settings, TOLD_CHANGES) == told
    kept = query(settings, "select count(*) from raw_spotify.playlist_track_changes")
    assert kept == [(result.changes_kept,)]
    assert 0 < result.changes_kept < len(told)
    later = retain(settings, SPOTIFY, DAYS_KEPT, today + timedelta(days=30))
    build(workplace)
    assert query(settings, TOLD_CHANGES) == told
    assert later.changes_kept == len(told) - result.changes_kept


def test_before_dbt_has_seen_the_looks_of_today_what_is_old_goes_and_no_change_is_lost(
    yesterday, before, retained, server, today, tmp_path
):
    workplace = shutil.copytree(yesterday, tmp_path / "workplace", symlinks=True)
    settings = settings_of(server, workplace / "data")
    look(settings, server, today)
    result = retain(settings, SPOTIFY, DAYS_KEPT, today)
    assert result.playlists_held == 0
    for table in ("playlists", "playlist_tracks", "playlist_observations", "playlist_track_changes"):
        assert raw_tables(settings)[table] == raw_tables(retained[0])[table]
    build(workplace)
    assert query(settings, TOLD_CHANGES) == query(before, TOLD_CHANGES)


def test_from_a_change_on_that_dbt_has_not_derived_all_states_stay_and_that_is_said(
    settings, workplace, today, caplog
):
    """As after a build that ended before the mart: of one playlist, the marts have its first change only."""
    told = query(settings, TOLD_CHANGES)
    ((held, next_change, last_seen_before),) = query(
        settings,
        f"""
        select playlist_id, days[2], seen_before[2]
        from (
            select playlist_id, list(seen_on order by seen_on) as days,
                list(last_seen_before_on order by seen_on) as seen_before
            from (select distinct playlist_id, seen_on, last_seen_before_on from {CHANGES})
            group by playlist_id
        )
        where len(days) > 2
        order by len(days) desc, playlist_id
        limit 1
        """,
    )
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute(
            f"delete from {CHANGES} where playlist_id = '{held}' and seen_on >= '{next_change}'"
        )
    looks = (
        "select observed_on, snapshot_id from raw_spotify.playlist_observations "
        f"where playlist_id = '{held}' order by 1"
    )
    looks_before = query(settings, looks)
    later = today + timedelta(days=30)  # with that, everything is old
    result = retain(settings, SPOTIFY, DAYS_KEPT, later)
    assert result.playlists_held == 1
    assert "until `dbt build` was run" in caplog.text
    assert query(settings, "select distinct playlist_id from raw_spotify.playlists") == [(held,)]
    held_looks = [one for one in looks_before if one[0] >= last_seen_before]
    assert query(settings, looks)[-len(held_looks) :] == held_looks
    states = query(settings, "select distinct snapshot_id from raw_spotify.playlists")
    assert set(states) == {(snapshot,) for _, snapshot in held_looks}
    assert len(states) < len({snapshot for _, snapshot in looks_before})

    build(workplace)
    assert query(settings, TOLD_CHANGES) == told
    assert retain(settings, SPOTIFY, DAYS_KEPT, later).playlists_held == 0
    assert query(settings, "select count(*) from raw_spotify.playlists") == [(0,)]
    build(workplace)
    assert query(settings, TOLD_CHANGES) == told


def test_without_marts_no_change_is_lost(settings, workplace, today):
    told = query(settings, TOLD_CHANGES)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        connection.execute("drop schema marts cascade")
    result = retain(settings, SPOTIFY, DAYS_KEPT, today)
    assert result.playlists_held > 0
    assert result.changes_kept == 0
    assert result.rows["extraction_log"] > 0
    build(workplace)
    assert query(settings, TOLD_CHANGES) == told


def test_the_sandbox_keeps_everything(tmp_path, today, caplog):
    sandbox = load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path)})
    caplog.set_level(logging.INFO)
    assert retain(sandbox, SPOTIFY, DAYS_KEPT, today + timedelta(days=30)) == RetentionResult()
    assert "the sandbox keeps everything" in caplog.text
    assert not sandbox.warehouse_path.exists()


def test_a_second_time_changes_nothing(retained_copy, today):
    settings = retained_copy
    lake = Lake(settings.lake_url)
    units, rows = lake.current_revisions("spotify"), raw_tables(settings)
    again = retain(settings, SPOTIFY, DAYS_KEPT, today)
    assert (again.units_rewritten, again.rows.total(), again.archive_entries, again.changes_kept) == (0,) * 4
    assert lake.current_revisions("spotify") == units
    assert_same_tables(raw_tables(settings), rows)


RETAIN = (
    "import logging, sys; from datetime import date; from ingestion.config import load_settings; "
    "from ingestion.retention import retain; from ingestion.sources import SPOTIFY; "
    "logging.basicConfig(level=logging.INFO); "
    "retain(load_settings(), SPOTIFY, int(sys.argv[1]), date.fromisoformat(sys.argv[2]))"
)

ALL_REWRITTEN = r"retention spotify: (\d+)/\1 "

STAGES = (
    Stage("the changes are kept", glob="lake/spotify/playlist_track_changes/*.parquet"),
    Stage("a unit is rewritten", glob="lake/spotify/done/*.1.json"),
    Stage("all units are rewritten", log=ALL_REWRITTEN),
    Stage("the load is at work", log=ALL_REWRITTEN, glob="loader/spotify/load/normalized/*"),
)


@pytest.mark.parametrize(
    ("stage", "loads_between"), [(stage.name, 0) for stage in STAGES] + [("a unit is rewritten", 1)]
)
def test_killed_in_any_stage_it_is_completed_by_the_next(
    stage, loads_between, settings, retained, server, today
):
    environment = {**os.environ, **environment_of(server, settings.data_dir)}
    command = [sys.executable, "-c", RETAIN, str(DAYS_KEPT), today.isoformat()]
    report = Target(command, environment, settings.data_dir, STAGES).kill_in(stage)
    assert report.hit, report
    for _ in range(loads_between):
        load(settings, SPOTIFY)
    retain(settings, SPOTIFY, DAYS_KEPT, today)
    assert_same_tables(raw_tables(settings), raw_tables(retained[0]))
    assert contents(settings) == contents(retained[0])


def test_killed_between_two_rewritings_and_built_before_the_next_it_loses_no_change(
    settings, workplace, server, today
):
    told = query(settings, TOLD_CHANGES)
    environment = {**os.environ, **environment_of(server, settings.data_dir)}
    command = [sys.executable, "-c", RETAIN, str(DAYS_KEPT), today.isoformat()]
    assert Target(command, environment, settings.data_dir, STAGES).kill_in("a unit is rewritten").hit
    load(settings, SPOTIFY)
    build(workplace)
    retain(settings, SPOTIFY, DAYS_KEPT, today)
    build(workplace)
    assert query(settings, TOLD_CHANGES) == told


def contents(settings: Settings) -> dict:
    """The rows and answers of each unit, and nothing of earlier revisions may be there."""
    lake = Lake(settings.lake_url)
    names = {unit.unit_id: unit for unit in lake.done_records("spotify")}
    files = {str(path) for path in Path(settings.lake_url, "spotify").rglob("*") if path.is_file()}
    named = {f"{settings.lake_url}/{part.path}" for unit in names.values() for part in unit.parts}
    assert files == named | {f"{settings.lake_url}/spotify/done/{unit.name}.json" for unit in names.values()}
    return {id_: sorted((part.table, part.sha256) for part in unit.parts) for id_, unit in names.items()}


def test_without_a_number_of_days_everything_is_kept(settings, today):
    rows = raw_tables(settings)
    assert retain(settings, SPOTIFY, None, today).units_rewritten == 0
    assert_same_tables(raw_tables(settings), rows)


def test_raw_is_what_a_fresh_load_of_the_lake_gives(retained, server, tmp_path):
    settings, _ = retained
    elsewhere = settings_of(server, tmp_path / "elsewhere")
    shutil.copytree(settings.lake_url, elsewhere.lake_url)
    load(elsewhere, SPOTIFY)
    assert_same_tables(raw_tables(elsewhere), raw_tables(settings))


def test_an_extraction_after_it_asks_for_no_playlist_again(retained_copy, server, today):
    result = look(retained_copy, server, today)
    assert (result.playlists_read, result.playlists_failed) == (0, 0)


def test_rows_made_anew_from_the_archive_after_it_lose_nothing_that_survived(retained_copy, today):
    settings = retained_copy
    rows = raw_tables(settings)
    reparse(settings, settings.hash_user)
    load(settings, SPOTIFY)
    retain(settings, SPOTIFY, DAYS_KEPT, today)
    assert_same_tables(raw_tables(settings), rows)
