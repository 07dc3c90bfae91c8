"""Answers captured from the real Web API, from a server that repeats them through the extraction to rows."""

import pytest

from tests.support.captured_api import MISSING_ID, CapturedApi
from tests.support.spotify_machine import Machine


@pytest.fixture
def captured(genuine_samples):
    with CapturedApi(genuine_samples / "spotify") as api:
        yield api


def entries_of(playlist):
    listing = playlist.get("tracks") or playlist.get("items")
    return listing["items"]


def thing(entry):
    held = entry.get("item") or entry.get("track")
    return held if isinstance(held, dict) else {}


def assert_items_are(rows, entries):
    """Rows of playlist_tracks against the entries of captured pages."""
    rows = sorted(rows, key=lambda row: row["position"])
    assert [row["position"] for row in rows] == list(range(len(entries)))
    assert [row["track_uri"] for row in rows] == [thing(entry).get("uri") for entry in entries]
    assert [row["track_name"] for row in rows] == [thing(entry).get("name") for entry in entries]
    assert [row["duration_ms"] for row in rows] == [thing(entry).get("duration_ms") for entry in entries]
    assert [row["added_at"].strftime("%Y-%m-%dT%H:%M:%SZ") for row in rows] == [
        entry["added_at"] for entry in entries
    ]


def test_captured_playlists_reach_the_lake_with_all_that_is_in_them(captured, tmp_path):
    machine = Machine(captured, tmp_path)
    result = machine.extract([*captured.whole, MISSING_ID])
    assert (result.playlists_read, result.playlists_failed) == (len(captured.whole), 0)
    playlists = {row["playlist_id"]: row for row in machine.rows("playlists")}
    items = machine.rows("playlist_tracks")
    assert set(playlists) == set(captured.whole)
    for id_, raw in captured.whole.items():
        row = playlists[id_]
        assert (row["name"], row["snapshot_id"]) == (raw["name"], raw["snapshot_id"])
        assert row["description"] == raw["description"]
        entries = entries_of(raw)
        if (raw.get("tracks") or {}).get("next"):
            entries = entries + captured.page["items"]
        mine = [item for item in items if item["playlist_id"] == id_]
        assert_items_are(mine, entries)
        assert row["item_count"] == len(entries)
    seen = {row["playlist_id"]: row for row in machine.rows("playlist_observations")}
    for id_, raw in captured.whole.items():
        assert seen[id_]["follower_count"] == raw["followers"]["total"]
    assert seen[MISSING_ID]["is_available"] is False


def test_captured_tracks_artists_and_features_reach_the_lake(captured, tmp_path):
    machine = Machine(captured, tmp_path)
    machine.extract([*captured.whole])
    things = [thing(entry) for playlist in captured.whole.values() for entry in entries_of(playlist)]
    things += [thing(entry) for entry in captured.page["items"]]
    tracks = {one["id"]: one for one in things if one.get("type") == "track" and one.get("id")}
    rows = {row["track_id"]: row for row in machine.rows("tracks")}
    assert rows.keys() == tracks.keys()
    for id_, raw in tracks.items():
        assert rows[id_]["name"] == raw["name"]
        assert rows[id_]["isrc"] == (raw.get("external_ids") or {}).get("isrc")
        assert rows[id_]["album_id"] == raw["album"]["id"]
    named = {
        artist["id"]: artist["name"] for raw in tracks.values() for artist in raw["artists"] if artist["id"]
    }
    artists = {row["artist_id"]: row for row in machine.rows("artists") if not row["is_full"]}
    assert named.items() <= {id_: row["name"] for id_, row in artists.items()}.items()
    full = {row["artist_id"]: row for row in machine.rows("artists") if row["is_full"]}
    assert full.keys() == artists.keys(), "each was asked for"
    both = full.keys() & captured.artists.keys()
    assert {id_: full[id_]["follower_count"] for id_ in both} == {
        id_: captured.artists[id_]["followers"]["total"] for id_ in both
    }
    features = {row["track_id"]: row for row in machine.rows("audio_features")}
    assert features.keys() == tracks.keys()
    if captured.features["id"] in features:
        assert features[captured.features["id"]]["tempo"] == captured.features["tempo"]


def test_a_captured_list_of_playlists_leads_to_each_of_them_once(captured, tmp_path):
    machine = Machine(captured, tmp_path)
    result = machine.extract()
    listed = {one["id"]: one["snapshot_id"] for page in captured.own for one in page["items"]}
    seen = {
        row["playlist_id"]: row["snapshot_id"]
        for row in machine.rows("playlist_observations")
        if row["seen_in"] == "list"
    }
    assert seen == listed
    assert result.playlists_read == len(listed)
    asked = [path for path in captured.paths if path.startswith("/v1/playlists/")]
    assert len(asked) == len(listed)
    states = {id_: {listed[id_]} for id_ in listed}
    for one in [*captured.own[0]["items"], *captured.whole.values()]:
        states.setdefault(one["id"], set()).add(one["snapshot_id"])
    captured.paths.clear()
    machine.extract()
    assert captured.paths.count("/v1/me/playlists") == 1
    again = {path.rpartition("/")[2] for path in captured.paths if path.startswith("/v1/playlists/")}
    assert again == {id_ for id_ in listed if len(states[id_]) > 1}, "captured on different days"


@pytest.mark.parametrize("name", ["rate_limit_json", "rate_limit_plain", "quota_exceeded"])
def test_captured_refusals_are_waited_for_or_end_the_run(name, captured, tmp_path):
    machine = Machine(captured, tmp_path)
    error = captured.errors[name]
    captured.refuse_next = [(error["status"], error["headers"], error.get("body_text", error.get("body")))]
    ids = list(captured.whole)[:3]
    result = machine.extract(ids)
    seconds = int(error["headers"]["retry-after"])
    if seconds < 300:
        assert (result.playlists_read, result.resume_at) == (3, None)
        assert sum(machine.slept) >= seconds
    else:
        assert (result.playlists_read, machine.slept) == (0, [])
        wait = (result.resume_at - machine.clock.now()).total_seconds()
        assert seconds <= wait <= seconds + 30
        machine.clock.set(result.resume_at)
        assert machine.extract(ids).playlists_read == 3
