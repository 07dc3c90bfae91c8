"""What an app may call: found out with three requests at most, believed for a week, lived with if little."""

import json
from collections import Counter
from datetime import timedelta

import pytest

from sandbox.spotify_api import SpotifyApi as Server
from sandbox.spotify_api import faults
from tests.support.spotify_machine import Machine

PROBES = ("/v1/search", "/v1/artists", "/v1/audio-features")


def ids_of(world, server, count=3):
    return [one.playlist_id for one in world.playlists if server.day in one.versions][:count]


def probes(server):
    """How often each endpoint that a probe asks was asked for one thing."""
    return Counter(
        request.template
        for request in server.requests
        if request.template in PROBES and "," not in request.query.get("ids", "")
    )


def events(machine, *names):
    return [row for row in machine.rows("extraction_log") if row["event"] in names]


@pytest.mark.parametrize("kind", ["development", "extended", "legacy"])
def test_a_probe_takes_three_requests_and_is_believed_for_a_week(kind, world, tmp_path):
    with Server(world, app=kind) as server:
        machine = Machine(server, tmp_path)
        machine.extract([])
        assert probes(server) == dict.fromkeys(PROBES, 1)
        assert len(server.requests) == 1 + len(PROBES), "and a token"
        server.requests.reset()
        machine.clock.advance(timedelta(days=6, hours=23))
        machine.extract([])
        assert len(server.requests) == 0
        machine.clock.advance(timedelta(hours=2))
        machine.extract([])
        assert probes(server) == dict.fromkeys(PROBES, 1)
        found = [json.loads(event["detail"]) for event in events(machine, "probed")]
        assert [one["artists_at_once"] for one in found] == [kind != "development"] * 2
        assert [one["audio_features"] for one in found] == [kind == "legacy"] * 2


def test_another_app_is_probed_anew(world, tmp_path):
    with Server(world, app="development") as first:
        Machine(first, tmp_path).extract([])
    with Server(world, app="legacy", client_id="another app") as second:
        Machine(second, tmp_path).extract([])
        assert probes(second) == dict.fromkeys(PROBES, 1)


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_endpoint_that_refuses_is_off_for_a_week_with_one_warning(status, world, tmp_path, caplog):
    with Server(world, app="legacy", exceptions={"/v1/audio-features": status}) as server:
        machine = Machine(server, tmp_path)
        machine.extract(ids_of(world, server))
        machine.extract(ids_of(world, server, 6))
        assert Counter(r.template for r in server.requests)["/v1/audio-features"] == 1
    (event,) = events(machine, "endpoint_off")
    assert (event["endpoint"].rstrip("/"), event["http_status"]) == ("/v1/audio-features", status)
    warned = [record for record in caplog.records if "audio-features" in record.message]
    assert [record.levelname for record in warned] == ["WARNING"]


def test_an_endpoint_that_is_back_is_used_after_the_next_probe(world, tmp_path):
    with Server(world, app="legacy", exceptions={"/v1/audio-features": 403}) as server:
        machine = Machine(server, tmp_path)
        machine.extract(ids_of(world, server))
        assert machine.rows("audio_features") == []
    with Server(world, app="legacy") as server:
        machine.server = server
        machine.authorise()
        machine.clock.advance(timedelta(days=8))
        machine.extract(ids_of(world, server))
    assert {row["track_id"] for row in machine.rows("audio_features")} == {
        row["track_id"] for row in machine.rows("tracks")
    }


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_old_app_that_lost_the_batches_asks_for_artists_one_by_one(status, world, tmp_path):
    with Server(world, app="extended", exceptions={"/v1/artists": status}) as server:
        machine = Machine(server, tmp_path)
        machine.extract(ids_of(world, server))
        artists = {row["artist_id"] for row in machine.rows("artists")}
        asked = Counter(request.template for request in server.requests)
        assert (asked["/v1/artists"], asked["/v1/artists/{id}"]) == (1, len(artists))
    assert {row["artist_id"] for row in machine.rows("artists") if row["is_full"]} == artists


def test_a_batch_refused_on_the_way_leaves_only_the_rest_to_be_asked_for_one_by_one(world, server, machine):
    machine.extract([])
    server.faults.script(faults.html(403), path="/v1/artists", nth=2)
    machine.extract(ids_of(world, server, 12))
    asked = Counter(request.template for request in server.requests)
    artists = {row["artist_id"] for row in machine.rows("artists")}
    assert asked["/v1/artists/{id}"] == len(artists) - 50
    assert {row["artist_id"] for row in machine.rows("artists") if row["is_full"]} == artists


def test_an_app_that_may_ask_for_no_artist_asks_once(world, tmp_path):
    with Server(world, app="development", exceptions={"/v1/artists/{id}": 403}) as server:
        machine = Machine(server, tmp_path)
        for _ in range(2):
            machine.extract()
        asked = Counter(request.template for request in server.requests)
        assert asked["/v1/artists/{id}"] == 1
    assert not any(row["is_full"] for row in machine.rows("artists")), "they were not asked for"
    assert len(events(machine, "endpoint_off")) == 3


@pytest.mark.parametrize("kind", ["development", "extended", "legacy"])
def test_a_field_that_an_app_is_not_shown_is_null_and_said_to_be_unavailable(kind, world, tmp_path):
    with Server(world, app=kind) as server:
        machine = Machine(server, tmp_path)
        machine.extract()
    unavailable = {
        (row["object_type"], row["field"], row["observed_on"]) for row in machine.rows("unavailable_fields")
    }
    fields = [
        ("track", "popularity"),
        ("track", "available_markets"),
        ("album", "available_markets"),
        ("artist", "popularity"),
        ("artist", "followers"),
    ]
    expected = fields if kind == "development" else []
    assert unavailable == {(*field, server.day) for field in expected}
    columns = [
        ("tracks", "popularity"),
        ("tracks", "available_markets"),
        ("albums", "available_markets"),
        ("artists", "popularity"),
        ("artists", "follower_count"),
    ]
    for table, column in columns:
        shown = any(row[column] is not None for row in machine.rows(table))
        assert shown is (kind != "development"), (table, column)


@pytest.mark.parametrize(
    "trouble",
    [faults.close_connection(), faults.server_error(502), faults.html(), faults.empty_body()],
    ids=lambda fault: fault.name,
)
@pytest.mark.parametrize("endpoint", PROBES)
def test_a_failure_during_the_probe_switches_nothing_off(trouble, endpoint, world, tmp_path):
    with Server(world, app="legacy") as server:
        machine = Machine(server, tmp_path)
        server.faults.script(trouble, path=endpoint, times=4)
        result = machine.extract(ids_of(world, server))
    assert (result.resume_at, result.playlists_read) == (None, 3)
    tracks, artists = machine.rows("tracks"), machine.rows("artists")
    assert {row["track_id"] for row in machine.rows("audio_features")} == {row["track_id"] for row in tracks}
    assert {row["artist_id"] for row in artists if row["is_full"]} == {row["artist_id"] for row in artists}


def test_a_remembered_access_that_cannot_be_read_is_found_out_anew(machine, server):
    for content in ("", "[]", '{"probed_at": "2026-01-05T06:00:00"}', '{"probed_at": 7, "mood": "good"}'):
        (machine.folder / "access.json").write_text(content)
        server.requests.reset()
        machine.extract([])
        assert probes(server) == dict.fromkeys(PROBES, 1)
