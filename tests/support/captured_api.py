"""A server of answers that were captured from the real Web API."""

import json
from datetime import date
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit

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
