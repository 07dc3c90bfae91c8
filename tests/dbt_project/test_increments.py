"""Facts that grow, built in increments: whatever has happened to raw, they are as after a full refresh."""

import shutil
import signal
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import duckdb
import pytest
from dbt.adapters.duckdb.connections import DuckDBConnectionManager
from dbt.cli.main import dbtRunner

from benchmarks.support.playlist_history import FIRST_DAY, add_day
from ingestion.config import load_settings
from ingestion.extract import extract
from ingestion.load import load, prepare
from ingestion.playlist_files import PLAYLIST_FILES
from ingestion.sources import SOURCES
from ingestion.spotify import SPOTIFY
from sandbox import generate_world, write_sandbox
from sandbox.spotify_api import SpotifyApi as Server
from sandbox.world import World
from tests.dbt_project.conftest import MODELS_ALONE, REPOSITORY, DbtWorkplace, create_empty_raw_tables
from tests.support.row_hash import TableImage, assert_same_tables, image_of
from tests.support.spotify_machine import LATE, Machine

GROWING = {
    "marts.fct_playlist_tracks": "int_playlists_fingerprinted",
    "marts.fct_playlist_track_changes": "int_playlist_track_changes_fingerprinted",
    "marts.fct_song_popularity": "int_track_popularities_fingerprinted",
    "marts.fct_playlist_followers": "int_playlist_observations_fingerprinted",
    "intermediate.int_playlist_tracks_compared": None,
    "intermediate.int_playlist_tracks_changed": None,
}
"""The incremental models, and of the facts what holds the keys of what they are to have."""

FACTS = tuple(f"+{table.split('.')[1]}" for table, keys in GROWING.items() if keys)

FOLLOWS_EVERY = 12
"""Of other people's playlists the sandbox's account follows every twelfth."""

QUIETLY = ("--quiet", "--log-level", "error", "--log-level-file", "none", "--no-write-json")

PLAYLISTS, ITEMS, CHANGED_OF_THOUSAND, DAYS = 12, 8, 400, 3

LAST_DAY = FIRST_DAY + timedelta(days=DAYS - 1)


class Warehouse:
    """A warehouse file of its own, and dbt in this process, where it reads the project once."""

    manifest = None

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "data" / "in_use" / "warehouse.duckdb"

    @classmethod
    def empty(cls, folder: Path) -> "Warehouse":
        """With raw tables that hold nothing."""
        shutil.copyfile(REPOSITORY / "profiles.example.yml", folder / "profiles.yml")
        warehouse = cls(folder)
        create_empty_raw_tables(warehouse.file)
        return warehouse

    def copy(self, folder: Path) -> "Warehouse":
        return Warehouse(shutil.copytree(self.folder, folder / "copy"))

    def connect(self) -> duckdb.DuckDBPyConnection:
        connection = duckdb.connect(str(self.file))
        connection.execute("set timezone = 'UTC'")
        return connection

    def execute(self, *statements: str) -> list[tuple]:
        """Run statements; what the last one gives."""
        with closing(self.connect()) as connection:
            for statement in statements:
                connection.execute(statement)
            return connection.fetchall()

    def dbt(self, *arguments: str) -> None:
        """A command that succeeds."""
        success, told = self.try_dbt(*arguments)
        assert success, told

    def try_dbt(self, *arguments: str) -> tuple[bool, str]:
        """A command; whether it succeeded, and what it told."""
        options = {
            "--profiles-dir": self.folder,
            "--project-dir": REPOSITORY,
            "--target-path": self.folder / "target",
            "--log-path": self.folder / "logs",
        }
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("WAREHOUSE_DATA_DIR", str(self.folder / "data"))
            flat = [str(each) for option in options.items() for each in option]
            if Warehouse.manifest is None:
                Warehouse.manifest = dbtRunner().invoke(["--quiet", "parse", *flat]).result
            done = dbtRunner(manifest=Warehouse.manifest).invoke([*QUIETLY, *arguments, *flat])
        DuckDBConnectionManager.close_all_connections()  # dbt leaves the file open
        return done.success, str(done.exception or [each.message for each in done.result])

    def build(self) -> None:
        """All that the facts are made of, for the first time."""
        self.dbt("build", *MODELS_ALONE, "--select", *FACTS)

    def increment(self, *selection: str) -> None:
        """The same again; views are as they were."""
        self.dbt(
            "build", *MODELS_ALONE, "--select", *(selection or FACTS), "--exclude", "config.materialized:view"
        )

    def images(self) -> dict[str, TableImage]:
        with closing(self.connect()) as connection:
            return {table: image_of(connection, table) for table in GROWING}

    def assert_as_after_a_full_refresh(self) -> dict[str, TableImage]:
        """Everything else has just been made anew, so the growing ones alone are."""
        increments = self.images()
        self.dbt("build", *MODELS_ALONE, "--full-refresh", "--select", "config.materialized:incremental")
        assert_same_tables(increments, self.images())
        return increments


# ---- the sandbox, day after day


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world()


@pytest.fixture(scope="module")
def history(world: World, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse file whose raw tables hold all that was seen of the sandbox in its ten days."""
    folder = tmp_path_factory.mktemp("history")
    with Server(world, app="extended", follows_every=FOLLOWS_EVERY) as server:
        machine = Machine(server, folder)
        for server.day in world.days:
            machine.clock.set(datetime.combine(server.day, LATE, UTC))
            machine.extract()
    settings = load_settings(
        {"WAREHOUSE_DATA_DIR": str(folder / "data"), "WAREHOUSE_LAKE_URL": machine.lake.url}
    )
    prepare(settings, SOURCES)
    extract(settings, PLAYLIST_FILES, write_sandbox(folder / "world").playlist_files)
    for source in (SPOTIFY, PLAYLIST_FILES):
        load(settings, source)
    return settings.warehouse_path


def rows_of_day(schema: str, table: str, columns: list[str], day: str) -> str:
    """The rows of a table of the history that came on a day; those of no day came on the first."""
    rows, looks = f"history.{schema}.{table}", f"history.{schema}.playlist_observations"
    if "observed_on" in columns:
        return f"select * from {rows} where observed_on = {day}"
    if "snapshot_id" in columns:
        return f"""
            select rows.* from {rows} as rows
            inner join (
                select playlist_id, snapshot_id, min(observed_on) as seen_on from {looks} group by all
            ) as states using (playlist_id, snapshot_id)
            where states.seen_on = {day}
        """
    return f"select * from {rows} where {day} = (select min(observed_on) from {looks})"


def test_ten_days_in_ten_increments_are_the_ten_days_at_once(world, history, tmp_path):
    warehouse = Warehouse.empty(tmp_path)
    tables = warehouse.execute(
        "select table_schema, table_name, list(column_name) from information_schema.columns "
        "where table_schema in ('raw_spotify', 'raw_playlist_files') group by all"
    )
    counts = []
    for number, day in enumerate(world.days):
        selects = [(f"{schema}.{table}", rows_of_day(schema, table, columns, f"date '{day}'"))
                   for schema, table, columns in tables]  # fmt: skip
        warehouse.execute(
            f"attach '{history}' as history (read_only)",
            *(f"insert into {table} by name {select}" for table, select in selects),
        )
        (warehouse.increment if number else warehouse.build)()
        counts += warehouse.execute("select count(*) from marts.fct_playlist_track_changes")[0]
    assert sorted(set(counts)) == counts, "something has changed on every day"
    warehouse.assert_as_after_a_full_refresh()


# ---- what can happen to raw, in a small warehouse


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Warehouse:
    """Some playlists after three days, with all that dbt makes of them. To be copied, not changed."""
    warehouse = Warehouse.empty(tmp_path_factory.mktemp("built"))
    with closing(warehouse.connect()) as connection:
        for day in range(DAYS):
            add_day(connection, day, PLAYLISTS, ITEMS, CHANGED_OF_THOUSAND)
    warehouse.build()
    return warehouse


@pytest.fixture
def warehouse(built: Warehouse, tmp_path: Path) -> Warehouse:
    return built.copy(tmp_path)


def new_states(warehouse: Warehouse) -> None:
    with closing(warehouse.connect()) as connection:
        add_day(connection, DAYS, PLAYLISTS, ITEMS, CHANGED_OF_THOUSAND)


def a_new_playlist(warehouse: Warehouse) -> None:
    warehouse.execute(
        *(
            f"insert into raw_spotify.{table} select * replace ('new' as playlist_id) "
            f"from raw_spotify.{table} where playlist_id = 'playlist 1'"
            for table in ("playlists", "playlist_tracks", "playlist_observations")
        )
    )


def a_playlist_that_cannot_be_found(warehouse: Warehouse) -> None:
    warehouse.execute(
        "update raw_spotify.playlist_observations set is_available = false, snapshot_id = null "
        f"where playlist_id = 'playlist 1' and observed_on = date '{LAST_DAY}'"
    )


def a_playlist_that_raw_holds_no_more(warehouse: Warehouse) -> None:
    warehouse.execute(
        *(
            f"delete from raw_spotify.{table} where playlist_id = 'playlist 1'"
            for table in ("playlists", "playlist_tracks", "playlist_observations")
        )
    )


def a_playlist_that_was_emptied(warehouse: Warehouse) -> None:
    """What it held is left in raw under the unit of an answer that does not hold any more."""
    warehouse.execute(
        "update raw_spotify.playlists set lake_unit_id = 'again' where playlist_id = 'playlist 1'"
    )


def first_states_read_again_with_other_content(warehouse: Warehouse) -> None:
    warehouse.execute(
        "update raw_spotify.playlist_tracks set track_uri = 'spotify:track:other', track_id = 'other', "
        "added_by_hash = null where snapshot_id = 'state 0' and position = 3",
        f"update raw_spotify.tracks set popularity = 100 where observed_on = date '{FIRST_DAY}'",
    )


def a_track_with_another_name(warehouse: Warehouse) -> None:
    warehouse.execute("update raw_spotify.tracks set name = name || ' (live)' where popularity < 50")


def retention(warehouse: Warehouse) -> None:
    """States, looks and tracks of former days go; the changes that were told of them are kept."""
    told = (
        "playlist_id, seen_on, change_number, from_snapshot_id, snapshot_id, track_uri, "
        "spotify_track_id as track_id, added_by_hash, change, item_type, from_position, to_position, "
        "last_seen_before_on, added_at, seen_on as extracted_at"
    )
    newest = (
        "(playlist_id, snapshot_id) in (select (playlist_id, snapshot_id) from "
        f"raw_spotify.playlist_observations where observed_on = date '{LAST_DAY}')"
    )
    warehouse.execute(
        f"insert into raw_spotify.playlist_track_changes by name select {told} "
        "from marts.fct_playlist_track_changes",
        f"delete from raw_spotify.playlists where not {newest}",
        f"delete from raw_spotify.playlist_tracks where not {newest}",
        f"delete from raw_spotify.tracks where observed_on < date '{LAST_DAY}' and popularity < 50",
        f"delete from raw_spotify.playlist_observations where observed_on < date '{LAST_DAY}'",
    )


def purge(warehouse: Warehouse) -> None:
    """One user's playlist goes, from marts as well, and of what another added nobody knows who did."""
    tables = warehouse.execute(
        "select table_schema || '.' || table_name, list(column_name) from information_schema.columns "
        "inner join information_schema.tables using (table_schema, table_name) "
        "where table_type = 'BASE TABLE' group by all"
    )
    warehouse.execute(
        *(
            f"delete from {t} where playlist_id = 'playlist 1'"
            for t, names in tables
            if "playlist_id" in names
        ),
        *(
            f"update {t} set added_by_hash = null where added_by_hash = 'user 2'"
            for t, names in tables
            if "added_by_hash" in names
        ),
    )


def older_looks_that_arrive_late(warehouse: Warehouse) -> None:
    """Files of a day before all others are brought last, and of one in between."""
    first, between = FIRST_DAY - timedelta(days=1), FIRST_DAY + timedelta(days=1)
    warehouse.execute(
        "insert into raw_spotify.playlists select * replace ('late' as snapshot_id) "
        "from raw_spotify.playlists where snapshot_id = 'state 0'",
        "insert into raw_spotify.playlist_tracks "
        f"select * replace ('late' as snapshot_id, {ITEMS - 1} - position as position) "
        "from raw_spotify.playlist_tracks where snapshot_id = 'state 0'",
        f"insert into raw_spotify.playlist_observations select * replace ('late' as snapshot_id, "
        f"date '{first}' as observed_on) from raw_spotify.playlist_observations "
        f"where observed_on = date '{FIRST_DAY}'",
        "update raw_spotify.playlist_observations set snapshot_id = 'late' "
        f"where observed_on = date '{between}'",
    )


WHAT_CAN_HAPPEN = (
    new_states,
    a_new_playlist,
    a_playlist_that_cannot_be_found,
    a_playlist_that_raw_holds_no_more,
    a_playlist_that_was_emptied,
    first_states_read_again_with_other_content,
    a_track_with_another_name,
    retention,
    purge,
    older_looks_that_arrive_late,
)


@pytest.mark.parametrize("event", WHAT_CAN_HAPPEN, ids=lambda event: event.__name__)
def test_an_increment_is_as_a_full_refresh_after(event: Callable[[Warehouse], None], built, warehouse):
    event(warehouse)
    warehouse.increment()
    assert warehouse.assert_as_after_a_full_refresh() != built.images()


def test_what_retention_removed_is_in_no_fact_and_its_changes_are_told_as_before(built, warehouse):
    retention(warehouse)
    warehouse.increment()
    days = "select distinct observed_on from marts.fct_playlist_followers"
    assert warehouse.execute(days) == [(LAST_DAY,)]
    assert warehouse.execute(
        "select min(observed_on) from marts.fct_song_popularity where spotify_popularity < 50"
    ) == [(LAST_DAY,)]
    changes = "select * exclude (content_key) from marts.fct_playlist_track_changes order by all"
    assert warehouse.execute(changes) == built.execute(changes)


def test_another_match_changes_the_song_wherever_the_track_is(warehouse):
    """The playlists themselves are as they were."""
    songs = "select count(*) from marts.{} where song_id = 'another song'"
    warehouse.execute(
        "update intermediate.int_tracks_resolved set song_id = 'another song' "
        "where track_key in (select spotify_track_id from marts.fct_playlist_track_changes)"
    )
    facts = [f"int_tracks_resolved+,{fact}" for fact in FACTS]
    warehouse.dbt(
        "build",
        *MODELS_ALONE,
        "--select",
        *facts,
        "--exclude",
        "int_tracks_resolved",
        "config.materialized:view",
    )
    for fact in ("fct_playlist_tracks", "fct_playlist_track_changes", "fct_song_popularity"):
        assert warehouse.execute(songs.format(fact))[0][0] > 0
    warehouse.assert_as_after_a_full_refresh()


def test_an_increment_without_anything_new_writes_nothing(warehouse):
    places = {table: f"select rowid, content_key from {table} order by all" for table in GROWING}
    before = {table: warehouse.execute(query) for table, query in places.items()}
    warehouse.increment()
    assert {table: warehouse.execute(query) for table, query in places.items()} == before


def test_an_increment_that_was_killed_is_completed_by_the_next(warehouse):
    new_states(warehouse)
    process = DbtWorkplace(warehouse.folder).start("build", *MODELS_ALONE, "--select", *FACTS)
    for line in process.stdout:
        if "OK" in line and "int_playlist_tracks_compared" in line:
            break
    process.send_signal(signal.SIGKILL)
    output, _ = process.communicate()
    assert process.returncode == -signal.SIGKILL, output
    warehouse.increment()
    warehouse.assert_as_after_a_full_refresh()


@pytest.mark.parametrize("table", GROWING)
def test_what_was_removed_and_not_built_again_is_built(table, built, warehouse):
    """As where an engine commits one without the other."""
    warehouse.execute(f"delete from {table} where content_key > '8'")
    warehouse.increment(table.split(".")[1])
    assert warehouse.images()[table] == built.images()[table]


def test_a_table_of_an_earlier_release_says_that_a_full_refresh_is_needed(warehouse):
    before = warehouse.images()
    warehouse.execute("alter table marts.fct_playlist_tracks drop column added_at")
    success, told = warehouse.try_dbt("build", *MODELS_ALONE, "--select", "fct_playlist_tracks")
    assert not success
    assert "--full-refresh" in told
    warehouse.dbt("build", *MODELS_ALONE, "--full-refresh", "--select", "fct_playlist_tracks")
    assert_same_tables(warehouse.images(), before)


def test_a_model_of_an_empty_source_empties_the_fact(warehouse):
    """`dbt build --empty` reads no rows: what it leaves is empty, and the next build is whole again."""
    before = warehouse.images()
    warehouse.dbt(
        "build", *MODELS_ALONE, "--empty", "--select", *FACTS, "--exclude", "config.materialized:view"
    )
    assert all(image.row_count == 0 for image in warehouse.images().values())
    warehouse.increment()
    assert_same_tables(warehouse.images(), before)
