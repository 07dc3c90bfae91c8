"""The extraction, at an imitation of the Web API: what it asks for, and what reaches the lake."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from ingestion.spotify.ledger import Limits
from sandbox.spotify_api import SpotifyApi as Server
from sandbox.spotify_api import faults
from tests.support.spotify_machine import LATE, Machine

A_PLAYLIST = f"/v1/playlists/{'?' * 22}"
"""A pattern for the address of a playlist itself, not of its items."""

PROBES = {"/v1/search", "/v1/artists", "/v1/audio-features"}


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


def test_items_that_one_app_was_not_shown_are_read_by_another_that_is(world, tmp_path):
    days = world.days[-3:]
    unchanged = [
        one.playlist_id
        for one in world.playlists
        if one.owner_id != world.account.user_id
        and len({one.versions[day].snapshot_id if day in one.versions else day for day in days}) == 1
    ][:5]
    read = []
    for day, kind in zip(days, ("development", "extended", "extended"), strict=True):
        with Server(world, app=kind, client_id=kind) as server:
            server.day = day
            machine = Machine(server, tmp_path)
            read.append(machine.extract(unchanged).playlists_read)
            items = items_in(machine.rows("playlist_tracks"))
            assert items == ({} if kind == "development" else in_the_world(world, day, unchanged))
    assert read == [5, 5, 0]


def test_of_the_users_list_items_not_shown_before_are_read_once_the_app_sees_more(world, tmp_path):
    days = world.days[-3:]
    read = []
    for day, kind in zip(days, ("development", "extended", "extended"), strict=True):
        with Server(world, app=kind) as server:
            server.day = day
            machine = Machine(server, tmp_path)
            if kind == "extended" and len(read) == 1:
                (tmp_path / "access.json").unlink()  # as after the week for which a probe is trusted
            read.append(machine.extract().playlists_read)
            states = [row for row in machine.rows("playlists") if row["item_count"] is None]
            listed = {
                r["playlist_id"] for r in machine.rows("playlist_observations") if r["observed_on"] == day
            }
            current = {
                world_playlist.versions[day].snapshot_id
                for world_playlist in world.playlists
                if day in world_playlist.versions
            }
            hidden = [row for row in states if row["playlist_id"] in listed and row["snapshot_id"] in current]
            assert bool(hidden) is (kind == "development")
    unchanged = machine.extract()
    assert unchanged.playlists_read == 0
    assert read[2] < read[1] < read[0]


def test_given_ids_are_each_asked_for_once_a_day(machine, world, server):
    ids = [one.playlist_id for one in world.playlists if world.days[-1] in one.versions][:30]
    assert machine.extract(ids).playlists_read == 30
    server.requests.reset()
    assert machine.extract(ids).playlists_seen == 0
    assert asked(server).total() == 0
    machine.clock.advance(timedelta(days=1))
    assert machine.extract(ids).playlists_read == 0
    assert asked(server) == {"/v1/playlists/{id}": 30}


def test_a_list_longer_than_a_day_s_requests_is_read_to_its_end_and_then_again(world, server, tmp_path):
    """Of 20 playlists, 8 a day; the one that fails waits for its turn like the others."""
    short = [
        one.playlist_id
        for one in world.playlists
        if server.day in one.versions and len(one.versions[server.day].items) <= 100
    ]
    ids = short[:20]
    server.faults.script(faults.error_string(400), path=f"/v1/playlists/{ids[3]}", times=None)
    machine = Machine(server, tmp_path, Limits(day=8))
    machine.extract([])  # the probe
    asked_on = []
    for _ in range(5):
        machine.clock.advance(timedelta(days=1))
        server.requests.reset()
        machine.extract(ids)
        asked_on.append([ids.index(r.path[-22:]) for r in server.requests if r.path.startswith("/v1/")])
    assert asked_on == [
        [0, 1, 2, 3, 4, 5, 6, 7],
        [8, 9, 10, 11, 12, 13, 14, 15],
        [16, 17, 18, 19, 0, 1, 2, 4],
        [5, 6, 7, 3, 8, 9, 10, 11],
        [12, 13, 14, 15, 0, 1, 2, 4],
    ]
    assert {row["playlist_id"] for row in machine.rows("playlists")} == {*ids} - {ids[3]}


def test_what_failed_is_asked_for_again_on_the_same_day_after_the_rest(world, server, machine):
    ids = [one.playlist_id for one in world.playlists if server.day in one.versions][:4]
    server.faults.script(faults.server_error(500), path=f"/v1/playlists/{ids[0]}", times=4)
    assert machine.extract(ids[:3]).playlists_failed == 1
    server.requests.reset()
    assert machine.extract(ids).playlists_read == 2
    asked_for = [r.path[-22:] for r in server.requests if r.template == "/v1/playlists/{id}"]
    assert asked_for == [ids[3], ids[0]]


def test_a_list_read_over_midnight_is_of_one_day(world, tmp_path):
    with Server(world, app="extended") as server:
        machine = Machine(server, tmp_path)
        midnight = faults.first_do(lambda: machine.clock.advance(timedelta(hours=3)))
        server.faults.script(midnight, path="/v1/*/playlists", nth=2)
        machine.extract()
    listed = [row for row in machine.rows("playlist_observations") if row["seen_in"] == "list"]
    assert len(listed) > 50, "more than a page"
    assert {row["observed_on"] for row in listed} == {server.day} != {machine.clock.now().date()}
    assert len({row["observed_at"] for row in listed}) == 1


OWN_LIST = "/v1/me/playlists"


@pytest.mark.parametrize(
    ("trouble", "event"),
    [
        (faults.html(403), "endpoint_off"),
        (faults.error_string(400), "refused"),
        (faults.server_error(503), "failed"),
    ],
    ids=["403", "400", "503"],
)
def test_an_own_list_that_cannot_be_had_is_a_problem_and_the_run_goes_on(
    trouble, event, world, server, machine
):
    machine.extract([one.playlist_id for one in world.playlists if server.day in one.versions][:1])
    machine.clock.advance(timedelta(days=40))  # what artists were asked for is due again
    server.day = world.days[-1]
    server.faults.script(trouble, path=OWN_LIST, times=4)
    server.requests.reset()
    result = machine.extract()
    assert (result.problems, result.playlists_failed, result.lists_failed) == (1, 0, 1)
    (noted,) = [row for row in machine.rows("extraction_log") if OWN_LIST in row["endpoint"]]
    assert noted["event"] == event
    assert any("," in r.query.get("ids", "") for r in server.requests), "enrichment went on"


def test_a_list_that_is_cut_off_and_playlists_that_cannot_be_read_are_counted_as_problems(
    world, server, machine
):
    server.faults.script(faults.server_error(500), path="/v1/users/*/playlists", times=4)
    result = machine.extract(shard=(1, 20))
    assert (result.problems, result.lists_failed) == (1, 1)
    ids = [one.playlist_id for one in world.playlists if server.day in one.versions][-4:]
    for playlist_id, fault in zip(
        ids, (faults.html(403), faults.server_error(500), faults.changed_json(lambda _: {})), strict=False
    ):
        server.faults.script(fault, path=f"/v1/playlists/{playlist_id}", times=4)
    result = machine.extract([*ids, "0000000000000000000000"])
    assert (result.problems, result.playlists_failed, result.playlists_read) == (3, 3, 1)


def test_the_user_s_id_is_in_no_log_and_no_row_where_the_own_list_leads_to_it(world, server, machine, caplog):
    """Refused, no JSON, or no page: Spotify's links to the further pages of one's own list name the user."""
    caplog.set_level("INFO")
    troubles = (faults.html(403), faults.html(), faults.changed_json(lambda _: {}))
    for trouble in troubles:
        server.faults.script(trouble, path="/v1/users/*/playlists", times=4)
        machine.extract(shard=(1, 20))
        server.faults.clear()
    no_id = faults.changed_json(lambda page: page | {"items": [{"id": None}]})
    server.faults.script(no_id, path="/v1/users/*/playlists", times=1)
    machine.extract(shard=(1, 20))
    (quarantined,) = machine.rows("quarantined_inputs")
    assert quarantined["file_path"].startswith("/v1/users/.../playlists?")
    user_id = world.account.user_id
    shown = [*machine.rows("extraction_log"), quarantined, *(one.getMessage() for one in caplog.records)]
    assert sum("/v1/users/.../playlists" in str(one) for one in shown) >= len(troubles)
    assert not [one for one in shown if user_id in str(one)]


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
