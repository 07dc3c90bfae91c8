"""Answers captured from the real Web API, from a server that repeats them through the extraction to rows."""

import json
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.support.spotify_machine import Machine

REAL = "https://api.spotify.com"
NULL_TRACK_ID, OLD_SHAPE_ID, MISSING_ID = (
    "NullTrack0000000000000",
    "OldShape00000000000000",
    "Missing000000000000000",
)


class CapturedApi:
    """A server of captured answers; the ids and hosts in them are changed where two would collide."""

    client_id, client_secret, day = "captured-client", "captured-secret", date(2026, 3, 10)

    def __init__(self, folder):
        def sample(name):
            return json.loads((folder / f"{name}.json").read_text())

        self.own = [sample(f"2026_shape/current_user_playlist_{number}") for number in (1, 2)]
        self.own[0]["next"] = f"{REAL}/v1/users/1112264649/playlists?offset=48&limit=48"
        self.own[1]["next"] = None
        whole = [
            sample("2026_shape/playlist_1"),
            sample("2026_shape/playlist_2"),
            sample("2026_shape/playlist_3"),
            sample("pre_2026_shape/playlist_1"),
            sample("pre_2026_shape/playlist_3") | {"id": OLD_SHAPE_ID},
            sample("pre_2026_shape/playlist_1")
            | {"id": NULL_TRACK_ID, "tracks": sample("odd/playlist_items_with_null_track")},
        ]
        # A second page, as it was captured, for the playlist that it belongs to.
        self.page = sample("pre_2026_shape/playlist_items")
        self.page["total"] = whole[3]["tracks"]["total"]
        whole[3]["tracks"]["next"] = f"{REAL}/v1/playlists/{whole[3]['id']}/tracks?offset=100&limit=100"
        self.whole = {playlist["id"]: playlist for playlist in whole}
        self.listed = {one["id"]: one for page in self.own for one in page["items"]}
        followed = sample("2026_shape/followed_artists")["artists"]["items"]
        self.artists = {artist["id"]: artist for artist in [*followed, sample("2026_shape/artist")]}
        self.features = sample("2026_shape/audio_features")
        self.search = sample("2026_shape/search")
        self.not_found, self.rate_limit = (
            sample("2026_shape/playlist_not_found"),
            sample("2026_shape/rate_limit"),
        )
        self.errors = sample("odd/errors")
        self.refuse_next = []
        self.paths = []

    def answer(self, path, query):
        """Status and body of a request; a body that is text is sent as it is."""
        ids = query.get("ids", [""])[0].split(",")
        match path.strip("/").split("/")[1:]:
            case ["token"]:
                return 200, {"access_token": "captured", "token_type": "Bearer", "expires_in": 3600}
            case ["me", "playlists"]:
                return 200, self.own[0]
            case ["users", _, "playlists"]:
                return 200, self.own[1]
            case ["playlists", id_, "tracks"]:
                return 200, self.page
            case ["playlists", id_]:
                if found := self.whole.get(id_, self.listed.get(id_)):
                    return 200, found
                return 404, self.not_found
            case ["artists"]:
                return 200, {"artists": [self.artists.get(id_) for id_ in ids]}
            case ["audio-features"]:
                known = {self.features["id"]: self.features}
                return 200, {"audio_features": [known.get(id_) for id_ in ids]}
            case ["tracks"]:
                return 403, self.errors["forbidden"]["body"]
            case ["search"]:
                return 200, self.search
        return 404, self.errors["not_found"]["body"]

    def refresh_token(self):
        return "captured-refresh-token"

    def __enter__(self):
        api = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                address = urlsplit(self.path)
                api.paths.append(address.path)
                status, headers = 200, {}
                if api.refuse_next and address.path.startswith("/v1/playlists/"):
                    status, headers, body = api.refuse_next.pop()
                else:
                    status, body = api.answer(address.path, parse_qs(address.query))
                text = body if isinstance(body, str) else json.dumps(body).replace(REAL, api.url)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                if "content-length" not in headers:
                    self.send_header("Content-Length", str(len(text.encode())))
                self.end_headers()
                self.wfile.write(text.encode())

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                self.do_GET()

            def log_message(self, *_):
                pass

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._http.shutdown()
        self._thread.join()
        self._http.server_close()


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
