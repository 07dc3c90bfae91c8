"""The archive: answers come back as they were, and rows made of them anew are the rows that were there."""

import shutil
from datetime import UTC, date, datetime

import duckdb
import pytest

from ingestion.errors import ConfigError, LakeError
from ingestion.hash_key import require_same_key
from ingestion.lake import Lake
from ingestion.load import load
from ingestion.spotify import SPOTIFY
from ingestion.spotify.archive import archive_of, archived, archived_on, unarchived, without_expired
from ingestion.spotify.journal import COMPLETE, Entry
from ingestion.spotify.known import Known
from ingestion.spotify.reparse import reparse
from ingestion.spotify.tables import ARTISTS, EXTRACTION_LOG, TABLES
from sandbox import generate_world
from sandbox.spotify_api import SpotifyApi as Server
from tests.support.row_hash import assert_same_tables, images_of_schema
from tests.support.spotify_replay import look, settings_of

AT = datetime(2026, 1, 5, 23, 59, tzinfo=UTC)
NEXT_DAY = datetime(2026, 1, 6, 0, 1, tzinfo=UTC)

ENTRIES = [
    Entry(
        "playlist:a",
        "playlist",
        "/v1/playlists/a",
        AT,
        '{"id": "a", "snapshot_id": "1", "name": "\\u00e9\\n"}',
    ),
    Entry("playlist:b", "seen", "/v1/playlists/b", AT, '{"id": "b", "snapshot_id": "1"}'),
    Entry("playlist:a", "page", "/v1/playlists/a/items?offset=50", NEXT_DAY, '{"items": []}'),
    Entry("playlist:a", COMPLETE, "", NEXT_DAY),
    Entry("playlist:b", COMPLETE, "", AT),
    Entry("artist:c", "gone", "/v1/artists/c", NEXT_DAY),
    Entry("artist:c", COMPLETE, "", NEXT_DAY),
]


@pytest.fixture
def lake(tmp_path):
    return Lake(str(tmp_path / "lake"))


def write(lake, entries):
    with lake.write_unit("spotify", "u1", "1", []) as unit:
        for path, content in archived(unit.name, entries):
            unit.attach(path, content)
    return lake.done_record("spotify", "u1")


def test_entries_come_back_in_their_order_and_each_subject_is_complete(lake):
    unit = write(lake, ENTRIES)
    entries = unarchived(lake, unit)
    assert [entry for entry in entries if entry.kind != COMPLETE] == [
        entry for entry in ENTRIES if entry.kind != COMPLETE
    ]
    assert [entry.subject for entry in entries if entry.kind == COMPLETE] == [
        "playlist:a",
        "playlist:b",
        "artist:c",
    ]
    assert {part.path.removeprefix("spotify/archive/") for part in archive_of(unit)} == {
        "2026-01-05/playlist/u1.jsonl.zst",
        "2026-01-05/seen/u1.jsonl.zst",
        "2026-01-06/page/u1.jsonl.zst",
        "2026-01-06/gone/u1.jsonl.zst",
    }
    assert {archived_on(part) for part in archive_of(unit)} == {date(2026, 1, 5), date(2026, 1, 6)}


def test_a_damaged_archive_is_named(lake, tmp_path):
    unit = write(lake, ENTRIES)
    file = tmp_path / "lake" / archive_of(unit)[0].path
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(LakeError, match=r"u1\.jsonl\.zst .* remove spotify/done/u1\.json"):
        unarchived(lake, unit)


@pytest.mark.parametrize(
    ("before", "surviving", "left"),
    [
        (date(2026, 1, 5), set(), ["playlist", "seen", "page", "gone"]),
        (date(2026, 1, 7), set(), []),
        (date(2026, 1, 7), {("a", "1")}, ["playlist", "page"]),
        (date(2026, 1, 7), {("b", "1"), ("a", "2")}, []),
        (date(2026, 1, 6), set(), ["page", "gone"]),
    ],
)
def test_expired_entries_are_those_that_are_old_and_of_no_surviving_state(before, surviving, left):
    kept = without_expired(ENTRIES, before, lambda *state: state in surviving)
    assert [entry.kind for entry in kept if entry.kind != COMPLETE] == left


@pytest.fixture(scope="module")
def extracted(tmp_path_factory):
    """A lake of three days, to be copied, and the server that it comes from."""
    world = generate_world()
    with Server(world, app="legacy") as server:
        settings = settings_of(server, tmp_path_factory.mktemp("extracted") / "data")
        look(settings, server, world.days[0], [one.playlist_id for one in world.playlists])
        for day in world.days[:3]:
            look(settings, server, day)
        yield settings, server


@pytest.fixture
def settings(extracted, tmp_path):
    return settings_of(extracted[1], shutil.copytree(extracted[0].data_dir, tmp_path / "data", symlinks=True))


def raw_tables(settings):
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return images_of_schema(connection, "raw_spotify")


def test_rows_made_anew_are_those_that_were_there_and_cost_no_request(settings, extracted):
    _, server = extracted
    lake = Lake(settings.lake_url)
    load(settings, SPOTIFY)
    rows = raw_tables(settings)
    server.requests.reset()
    with_archive = {unit.unit_id for unit in lake.done_records("spotify") if archive_of(unit)}
    result = reparse(settings, settings.hash_user)
    assert result.units == len(with_archive) > 1
    assert {id_ for id_, revision in lake.current_revisions("spotify").items() if revision} == with_archive
    assert load(settings, SPOTIFY).units == result.units
    assert_same_tables(raw_tables(settings), rows)
    empty = {table.name for table in TABLES if not rows[table.name].row_count}
    searched = {"track_searches", "track_search_results"}  # tests/ingestion/spotify/test_search.py
    assert empty == {"playlist_track_changes", "unavailable_fields", "quarantined_inputs"} | searched
    assert len(server.requests) == 0


def test_no_row_is_made_with_another_key_for_hashes(settings, extracted):
    lake = Lake(settings.lake_url)
    require_same_key(settings, lake)
    units = lake.current_revisions("spotify")
    other = settings_of(extracted[1], settings.data_dir, WAREHOUSE_HMAC_KEY="another key")
    with pytest.raises(ConfigError, match="set WAREHOUSE_HMAC_KEY to that one"):
        reparse(other, other.hash_user)
    assert lake.current_revisions("spotify") == units


def test_a_row_that_is_lost_or_wrong_in_the_lake_is_there_again_and_right(settings):
    load(settings, SPOTIFY)
    rows = raw_tables(settings)
    lake = Lake(settings.lake_url)
    for unit in list(lake.done_records("spotify")):
        with lake.rewrite_unit(unit) as writer:
            for part in unit.parts:
                if part.table == ARTISTS.name:
                    (batch,) = lake.read_part(part)
                    wrong = [row | {"name": "wrong"} for row in batch.to_pylist()[1:]]
                    writer.write(ARTISTS, ARTISTS.from_rows(wrong))
                elif part.table in ("", EXTRACTION_LOG.name):
                    writer.keep(part)
    load(settings, SPOTIFY)
    assert raw_tables(settings)["artists"].row_count < rows["artists"].row_count
    reparse(settings, settings.hash_user)
    load(settings, SPOTIFY)
    assert_same_tables(raw_tables(settings), rows)


def test_the_index_of_what_is_known_forgets_what_a_rewriting_has_removed(settings, tmp_path):
    lake = Lake(settings.lake_url)
    units = list(lake.done_records("spotify"))
    unit = max(units, key=lambda unit: unit.rows("playlists"))
    (part,) = (part for part in unit.parts if part.table == "playlists")
    states = [(row["playlist_id"], row["snapshot_id"]) for b in lake.read_part(part) for row in b.to_pylist()]
    known = Known(tmp_path / "index.sqlite", lake)
    known.refresh()
    assert all(known.has_state(*state) for state in states)
    with lake.rewrite_unit(unit):
        pass
    known.refresh()
    assert not any(known.has_state(*state) for state in states)
    known.close()
    fresh = Known(tmp_path / "fresh.sqlite", lake)
    fresh.refresh()
    again = Known(tmp_path / "index.sqlite", lake)
    since = date(2027, 1, 1)
    assert [*again.artists_to_ask_for(since)] == [*fresh.artists_to_ask_for(since)]
    for index in (again, fresh):
        index.close()
