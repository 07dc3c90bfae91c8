"""The world's ten days seen through the imitation of the Web API: what the marts say of playlists, their
changes, and what is in them, against the world's own record. One day is missed and one is looked at twice."""

import shutil
import unicodedata
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import duckdb
import pytest

from ingestion.config import load_settings
from ingestion.load import load, prepare
from ingestion.sources import SOURCES
from ingestion.spotify import SPOTIFY
from sandbox import generate_world
from sandbox.model import Playlist, PlaylistItem
from sandbox.spotify_api import SPOTIFY_PLAYLIST_IDS
from sandbox.spotify_api import SpotifyApi as Server
from sandbox.world import World
from tests.dbt_project.conftest import MODELS_ALONE, REPOSITORY, DbtWorkplace
from tests.support.row_hash import assert_same_tables, images_of_schema
from tests.support.spotify_machine import Machine

MISSED, TWICE = 4, 6
"""Which of the ten days, counted from 0, nobody looks at, and which one somebody looks at twice."""

FOLLOWS_EVERY = 6
"""Of other people's playlists the account follows every sixth: with its own some 90, of all kinds."""

BUILT_EVERY = 4
"""The raw tables are loaded after every look, the models built after every fourth: a build takes 6 s."""

CHANGES = "+fct_playlist_track_changes"

Item = tuple[str | None, datetime | None, str | None]
"""What tells an item from others: its uri, when it was added (UTC, without a zone) and the adder's hash."""


class Change(NamedTuple):
    """What the mart says happened to an item."""

    change: str
    item: Item
    from_position: int | None
    to_position: int | None


class Warehouse:
    """A warehouse of its own over a lake, and dbt beside it."""

    def __init__(self, folder: Path, lake_url: str) -> None:
        shutil.copyfile(REPOSITORY / "profiles.example.yml", folder / "profiles.yml")
        settings = load_settings({"WAREHOUSE_DATA_DIR": str(folder / "data")})
        self._settings = replace(settings, lake_url=lake_url)
        self._workplace = DbtWorkplace(folder)
        prepare(self._settings, SOURCES)

    def load(self) -> None:
        load(self._settings, SPOTIFY)

    def dbt(self, *arguments: str) -> None:
        invocation = self._workplace.finish(self._workplace.start(*arguments))
        assert invocation.returncode == 0, invocation.output

    def connect(self) -> duckdb.DuckDBPyConnection:
        return duckdb.connect(str(self._settings.warehouse_path), read_only=True)

    def query(self, sql: str) -> list[tuple]:
        with self.connect() as connection:
            return connection.sql(sql).fetchall()


@pytest.fixture(scope="module")
def world() -> World:
    return generate_world()


@pytest.fixture(scope="module")
def looks(world: World) -> list[tuple[datetime, date]]:
    """When somebody looks, and the day at whose end all was as it is then."""
    evenings = [(datetime.combine(day, time(22), UTC), day) for day in world.days]
    morning = datetime.combine(world.days[TWICE], time(1), UTC), world.days[TWICE - 1]
    return [*evenings[:MISSED], *evenings[MISSED + 1 : TWICE], morning, *evenings[TWICE:]]


@pytest.fixture(scope="module")
def days(looks: list[tuple[datetime, date]]) -> list[date]:
    """The days that are looked at."""
    return sorted({at.date() for at, _ in looks})


@pytest.fixture(scope="module")
def machine_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("machine")


@pytest.fixture(scope="module")
def daily(world: World, looks, machine_folder: Path, tmp_path_factory) -> Warehouse:
    """Loaded after every look; at the end every second playlist that the list lost is asked for by its id."""
    with Server(world, app="extended", follows_every=FOLLOWS_EVERY) as server:
        machine = Machine(server, machine_folder)
        warehouse = Warehouse(tmp_path_factory.mktemp("daily"), machine.lake.url)
        for number, (at, server.day) in enumerate(looks):
            machine.clock.set(at)
            machine.extract()
            warehouse.load()
            if number % BUILT_EVERY == 0:
                warehouse.dbt("build", *MODELS_ALONE, "--select", CHANGES)
        gone = [one.playlist_id for one in world.playlists if server.day not in one.versions]
        machine.extract(gone[::2])
        warehouse.load()
    warehouse.dbt("build", "--exclude-resource-type", "unit_test")
    return warehouse


@pytest.fixture(scope="module")
def seen(world: World, daily: Warehouse) -> list[Playlist]:
    """The playlists that were read."""
    ids = told_of_playlists(daily, "name")
    return [one for one in world.playlists if one.playlist_id in ids]


@pytest.fixture(scope="module")
def changes(daily: Warehouse) -> dict[tuple[str, date], list[Change]]:
    """What the mart holds, by playlist and day."""
    found = defaultdict(list)
    for playlist_id, seen_on, change, uri, added_at, added_by, from_position, to_position in daily.query(
        "select playlist_id, seen_on, change, track_uri, added_at, added_by_hash, from_position, to_position "
        "from marts.fct_playlist_track_changes"
    ):
        row = Change(change, (uri, added_at, added_by), from_position, to_position)
        found[playlist_id, seen_on].append(row)
    return dict(found)


def told_of_playlists(warehouse: Warehouse, columns: str) -> dict[str, list]:
    """Columns of dim_playlists by playlist, Spotify's own left out: they are no part of the world."""
    rows = warehouse.query(f"select playlist_id, {columns} from marts.dim_playlists")
    return {playlist_id: values for playlist_id, *values in rows if playlist_id not in SPOTIFY_PLAYLIST_IDS}


def transitions(playlists: list[Playlist], days: list[date]) -> dict[tuple[str, date], tuple]:
    """Each playlist and day that followed another look at it: its items then and now, how often somebody
    moved one in between, and how many days that took."""
    found = {}
    for playlist in playlists:
        there = [day for day in days if day in playlist.versions]
        for before, day in pairwise(there):
            moves = sum(edit.kind == "moved" and before < edit.day <= day for edit in playlist.changes)
            old, new = (items_of(playlist.versions[one].items) for one in (before, day))
            found[playlist.playlist_id, day] = old, new, moves, (day - before).days
    return found


def items_of(items: tuple[PlaylistItem, ...]) -> list[Item]:
    """Items as the warehouse tells them from each other: 1970 is no day and '' is nobody."""
    return [
        (
            item.uri,
            item.added_at.replace(tzinfo=None) if item.added_at and item.added_at.year > 1970 else None,
            f"hash of {item.added_by}" if item.added_by else None,
        )
        for item in items
    ]


def test_what_entered_and_left_is_the_difference_between_the_days_looked_at(seen, days, changes):
    expected = transitions(seen, days)
    assert changes.keys() <= expected.keys(), "a first state, or a playlist that was gone, has no changes"
    for key, (old, new, _, _) in expected.items():
        rows = changes.get(key, [])
        told = {kind: Counter(row.item for row in rows if row.change == kind) for kind in ("entered", "left")}
        difference = {"entered": Counter(new) - Counter(old), "left": Counter(old) - Counter(new)}
        assert told == difference, key


def test_positions_are_those_in_the_two_states(seen, days, changes):
    expected = transitions(seen, days)
    for key, rows in changes.items():
        old, new, _, _ = expected[key]
        assert all(old[row.from_position] == row.item for row in rows if row.change != "entered"), key
        assert all(new[row.to_position] == row.item for row in rows if row.change != "left"), key


def test_without_what_entered_left_or_moved_both_states_are_the_same(seen, days, changes):
    for key, (old, new, _, _) in transitions(seen, days).items():
        rows = changes.get(key, [])
        touched_before, touched_after = {row.from_position for row in rows}, {row.to_position for row in rows}
        rest_before = [item for place, item in enumerate(old) if place not in touched_before]
        rest_after = [item for place, item in enumerate(new) if place not in touched_after]
        assert rest_before == rest_after, key


def test_no_more_items_have_moved_than_somebody_moved_that_day(seen, days, changes):
    daily_moves = {
        key: (sum(row.change == "moved" for row in changes.get(key, [])), moves)
        for key, (_, _, moves, days_between) in transitions(seen, days).items()
        if days_between == 1
    }
    assert {key: told for key, told in daily_moves.items() if told[0] > told[1]} == {}
    assert sum(told for told, _ in daily_moves.values()) > 0


def test_a_playlist_that_was_gone_at_the_last_look_is_marked(seen, looks, daily):
    _, last = looks[-1]
    expected = {
        one.playlist_id: [last in one.versions, max(at.date() for at, day in looks if day in one.versions)]
        for one in seen
    }
    assert told_of_playlists(daily, "is_available, last_available_on") == expected
    assert not all(is_available for is_available, _ in expected.values())


def test_playlists_are_as_they_were_last_seen(seen, days, daily):
    last = {one.playlist_id: one.versions[max(set(days) & one.versions.keys())] for one in seen}
    expected = {id_: [each.snapshot_id, each.name, len(each.items)] for id_, each in last.items()}
    assert told_of_playlists(daily, "snapshot_id, name, item_count") == expected


def plain(text: str) -> str:
    """A title or a name without what the world spells now this way, now that."""
    letters = unicodedata.normalize("NFD", text.casefold().replace("&", "and"))
    return "".join(letter for letter in letters if not unicodedata.combining(letter))


def test_tracks_and_their_albums_are_as_the_world_has_them(world, daily):
    tracks = daily.query(
        "select spotify_track_id, spotify_album_id, isrc, disc_number, track_number, is_explicit, "
        "spotify_popularity, available_markets from marts.dim_tracks where popularity_observed_on is not null"
    )
    assert len(tracks) > 500
    for track_id, *told in tracks:
        track = world.tracks[track_id]
        place = [track.album_id, track.isrc or None, track.disc_number, track.track_number, track.is_explicit]
        assert told == [*place, track.popularity, ",".join(sorted(track.markets))], track_id
    albums = daily.query(
        "select spotify_album_id, spotify_artist_id, name, album_type, release_date, "
        "release_date_precision, total_track_count from marts.dim_albums"
    )
    assert {album_id for album_id, *_ in albums} >= {album_id for _, album_id, *_ in tracks}
    for album_id, *told in albums:
        album = world.albums[album_id]
        is_dated = album.release_date != "0000"  # what was taken down has no name and no date
        released = [album.release_date if is_dated else None, album.release_date_precision]
        kind = [album.artist_ids[0], album.name or None, album.album_type]
        assert told == [*kind, *released, album.total_tracks], album_id


def test_credits_are_those_of_the_track_and_a_guest_is_whom_the_title_names(world, daily):
    rows = daily.query(
        "select spotify_track_id, list(credits.artist_id order by artist_position), "
        "list(artist_role order by artist_position), artist_name from marts.bridge_song_artists as credits "
        "inner join marts.dim_songs using (song_id) where spotify_track_id is not null group by all"
    )
    roles = Counter()
    for track_id, artist_ids, told, artist_name in rows:
        track = world.tracks[track_id]
        assert artist_ids == list(track.artist_ids), track_id
        guests = [plain(world.spotify_artists[artist_id].name) for artist_id in track.artist_ids[1:]]
        texts = plain(f"{track.name} {artist_name}")  # the MSD names guests behind the artist
        named = [any(f"{word} {guest}" in texts for word in ("feat.", "with")) for guest in guests]
        assert told == ["main", *("featured" if one else "credited" for one in named)], track_id
        roles.update(told)
    assert set(roles) == {"main", "featured", "credited"}


def test_artists_have_the_followers_and_genres_of_their_own_answer(world, daily):
    rows = daily.query(
        "select spotify_artist_id, follower_count, spotify_popularity, genre_count, genre_names "
        "from marts.dim_artists where popularity_observed_on is not null"
    )
    assert len(rows) > 50
    for artist_id, *told in rows:
        artist = world.spotify_artists[artist_id]
        genres = sorted(set(artist.genres))
        names = ", ".join(genres) or None
        assert told == [artist.followers, artist.popularity, len(genres), names], artist_id


def test_a_full_refresh_from_the_lake_equals_the_days_one_by_one(daily, machine_folder, tmp_path):
    fresh = Warehouse(tmp_path, str(machine_folder / "lake"))
    fresh.load()
    fresh.dbt("build", *MODELS_ALONE, "--full-refresh", "--select", CHANGES)
    with daily.connect() as one, fresh.connect() as other:
        for schema in ("intermediate", "marts"):
            here, there = images_of_schema(one, schema), images_of_schema(other, schema)
            assert_same_tables({table: here[table] for table in there}, there)
