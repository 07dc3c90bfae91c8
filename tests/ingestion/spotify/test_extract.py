"""The extraction, at an imitation of the Web API: what it asks for, and what reaches the lake."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.spotify_api import SpotifyApi as Server
from sandbox.spotify_api import faults
from tests.support.spotify_machine import LATE, Machine

A_PLAYLIST = f"/v1/playlists/{'?' * 22}"
"""A pattern for the address of a playlist itself, not of its items."""

PROBES = {"/v1/search", "/v1/tracks", "/v1/artists", "/v1/audio-features"}


def items_in(rows):
    """The uris of each state, in order."""
    states = {}
    for row in sorted(rows, key=lambda row: row["position"]):
        states.setdefault((row["playlist_id"], row["snapshot_id"]), []).append(row["track_uri"])
    return states


def in_the_world(world, day, playlist_ids):
    """What `items_in` should give for these playlists on a day."""
    versions = [(one.playlist_id, one.versions.get(day)) for one in world.playlists]
    return {
        (id_, version.snapshot_id): [item.uri for item in version.items]
        for id_, version in versions
        if version and id_ in playlist_ids and version.items
    }


def asked(server):
    """How often each endpoint was asked, probes and tokens left out; each probe asks for one id."""
    return Counter(
        request.template
        for request in server.requests
        if request.template != "/api/token"
        and not (request.template in PROBES and "," not in request.query.get("ids", ""))
    )


@pytest.mark.parametrize("kind", ["development", "extended", "legacy"])
def test_requests_are_as_many_as_the_formula_says(kind, world, tmp_path):
    with Server(world, app=kind) as server:
        machine = Machine(server, tmp_path)
        result = machine.extract()

        listed = {row["playlist_id"] for row in machine.rows("playlist_observations")}
        states = machine.rows("playlists")
        pages = sum(
            1 + math.ceil(max(0, (row["item_count"] or 0) - 100) / (100 if kind == "legacy" else 50))
            for row in states
        )
        artists = len({row["artist_id"] for row in machine.rows("artists")})
        expected = math.ceil(len(listed) / 50) + pages
        if kind == "development":
            expected += artists
        else:
            expected += math.ceil(artists / 50)
        if kind == "legacy":
            expected += math.ceil(len({row["track_id"] for row in machine.rows("tracks")}) / 100)
        first = asked(server).total()
        server.requests.reset()
        again = machine.extract()

        assert first == expected
        assert result.playlists_read == len(listed) == len(states)
        assert (again.playlists_read, asked(server).total()) == (0, math.ceil(len(listed) / 50))


def test_every_playlist_of_the_user_is_read_with_all_its_items_in_order(machine, world, server):
    machine.extract()
    ids = {row["playlist_id"] for row in machine.rows("playlists")}
    own = {
        one.playlist_id
        for one in world.playlists
        if one.owner_id == world.account.user_id and server.day in one.versions
    }
    assert own and own <= ids
    assert items_in(machine.rows("playlist_tracks")) == in_the_world(world, server.day, ids)


def test_ten_days_one_of_them_twice_and_one_missed_give_the_states_that_were_there(machine, world, server):
    looked_at = [day for day in world.days if day != world.days[4]]
    expected = {}
    for day in sorted([*looked_at, world.days[6]]):
        server.day = day
        machine.clock.set(datetime.combine(day, LATE, UTC))
        machine.extract()
        listed = {r["playlist_id"] for r in machine.rows("playlist_observations") if r["observed_on"] == day}
        expected |= in_the_world(world, day, listed)
    assert items_in(machine.rows("playlist_tracks")) == expected
    seen = {
        (row["observed_on"], row["playlist_id"], row["snapshot_id"])
        for row in machine.rows("playlist_observations")
    }
    versions = {one.playlist_id: one.versions for one in world.playlists}
    assert all(versions[id_][day].snapshot_id == snapshot for day, id_, snapshot in seen if id_ in versions)
    assert {day for day, _, _ in seen} == set(looked_at)


def test_given_ids_are_each_asked_for_once_a_day(machine, world, server):
    ids = [one.playlist_id for one in world.playlists if world.days[-1] in one.versions][:30]
    assert machine.extract(ids).playlists_read == 30
    server.requests.reset()
    assert machine.extract(ids).playlists_seen == 0
    assert asked(server).total() == 0
    machine.clock.advance(timedelta(days=1))
    assert machine.extract(ids).playlists_read == 0
    assert asked(server) == {"/v1/playlists/{id}": 30}


def test_a_playlist_that_disappeared_is_marked(machine):
    result = machine.extract(["0000000000000000000000"])
    (row,) = machine.rows("playlist_observations")
    assert (row["is_available"], row["snapshot_id"], result.playlists_failed) == (False, None, 0)


def test_shards_share_the_playlists_and_leave_none_out(server, tmp_path):
    whole, parts = Machine(server, tmp_path / "whole"), Machine(server, tmp_path / "parts")
    whole.extract()
    server.requests.reset()
    for index in (1, 2, 3):
        parts.extract(shard=(index, 3))
    batches = [r.query["ids"].split(",") for r in server.requests if r.template == "/v1/artists"]
    asked_for = Counter(id_ for batch in batches if len(batch) > 1 for id_ in batch)
    assert set(asked_for.values()) == {1}, "no artist is asked for by two shards"
    for table in ("playlists", "playlist_tracks", "artists"):
        assert len(parts.rows(table)) == len(whole.rows(table))


TROUBLE = {
    "a short pause": (faults.too_many_requests("2"), 3),
    "a pause in plain text": (faults.too_many_requests("1", body="text"), 3),
    "a pause of unknown length": (faults.too_many_requests(None), 3),
    "a failing server": (faults.server_error(502), 3),
    "a cut body": (faults.cut_body(), 2),
    "a cut chunk": (faults.cut_body(chunked=True), 2),
    "half a JSON": (faults.truncated_json(), 2),
    "a web page": (faults.html(), 2),
    "nothing": (faults.empty_body(), 2),
    "a closed connection": (faults.close_connection(), 2),
    "an error in a word": (faults.error_string(500), 2),
}


@pytest.mark.parametrize("trouble", TROUBLE)
def test_what_passes_is_got_over(trouble, world, server, machine):
    ids = [one.playlist_id for one in world.playlists if server.day in one.versions][:10]
    fault, times = TROUBLE[trouble]
    server.faults.script(fault, path="/v1/playlists/*", times=times)
    result = machine.extract(ids)
    assert (result.playlists_failed, result.resume_at) == (0, None)
    assert items_in(machine.rows("playlist_tracks")) == in_the_world(world, server.day, ids)
    assert sum(request.fault is not None for request in server.requests) == times


def test_a_spent_quota_ends_the_run_and_the_next_one_goes_on_without_asking_again(server, tmp_path):
    machine = Machine(server, tmp_path)
    server.faults.script(faults.quota_exceeded("40000"), path=A_PLAYLIST, nth=21)
    stopped = machine.extract()
    assert stopped.resume_at == machine.clock.now() + timedelta(seconds=40000)
    assert stopped.playlists_read == 20 == len(machine.rows("playlists"))
    server.requests.reset()
    assert machine.extract().playlists_read == 0, "before the time the ledger lets nothing through"
    assert len(server.requests) == 0
    machine.clock.set(stopped.resume_at)
    machine.extract()
    whole = Machine(server, tmp_path / "whole")
    asked_for = [r.path for r in server.requests if r.template == "/v1/playlists/{id}"]
    whole.extract()
    assert len(asked_for) == len(set(asked_for)) == len(whole.rows("playlists")) - 20
    assert items_in(machine.rows("playlist_tracks")) == items_in(whole.rows("playlist_tracks"))
