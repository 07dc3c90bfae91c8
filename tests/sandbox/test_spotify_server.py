"""The server itself: its requests counted, its threads ended, and spotipy served."""

import socket
import threading
from collections import Counter

import pytest
import requests
import spotipy
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyClientCredentials, SpotifyOAuth

from sandbox.spotify_api import ALL_SCOPES, SPOTIFY_PLAYLIST_IDS, SpotifyApi, faults


@pytest.fixture
def api(world):
    with SpotifyApi(world) as api:
        yield api


def get(api, path, **query):
    headers = {"Authorization": f"Bearer {api.user_token()}"}
    return requests.get(api.api_url + path, headers=headers, params=query, timeout=10)


# --- what it counts ---


def test_each_request_is_counted_with_what_became_of_it(api, world):
    track_id = next(iter(world.tracks))
    get(api, f"tracks/{track_id}")
    get(api, "search", q="a b", type="track", limit=11)
    requests.get(f"{api.api_url}me/playlists", timeout=10)
    get(api, "no/such/thing")
    requests.post(api.token_url, data={"grant_type": "client_credentials"}, timeout=10)
    api.faults.script(faults.server_error(503))
    get(api, "me")
    assert [tuple(request) for request in api.requests] == [
        ("GET", f"/v1/tracks/{track_id}", "/v1/tracks/{id}", {}, True, 200, None),
        ("GET", "/v1/search", "/v1/search", {"q": "a b", "type": "track", "limit": "11"}, True, 400, None),
        ("GET", "/v1/me/playlists", "/v1/me/playlists", {}, False, 401, None),
        ("GET", "/v1/no/such/thing", "/v1/no/such/thing", {}, True, 404, None),
        ("POST", "/api/token", "/api/token", {}, False, 400, None),
        ("GET", "/v1/me", "/v1/me", {}, True, 503, "server error 503"),
    ]
    assert api.requests.by_template()["GET", "/v1/tracks/{id}"] == 1
    assert api.requests.by_status() == Counter({200: 1, 400: 2, 401: 1, 404: 1, 503: 1})
    api.requests.reset()
    assert len(api.requests) == 0


def test_requests_at_once_are_all_counted(api, world):
    identifiers = list(world.tracks)[:40]

    def ask(share):
        with requests.Session() as client:
            client.headers["Authorization"] = f"Bearer {api.user_token()}"
            for identifier in share:
                assert client.get(f"{api.api_url}tracks/{identifier}", timeout=10).json()["id"] == identifier

    threads = [threading.Thread(target=ask, args=(identifiers[start::8],)) for start in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {request.path.rsplit("/", 1)[-1] for request in api.requests} == set(identifiers)
    assert api.requests.by_status() == Counter({200: 40})


# --- how it lives ---


def test_stopping_leaves_no_thread_and_no_port(world):
    before = set(threading.enumerate())
    api = SpotifyApi(world)
    api.start()
    clients = [requests.Session() for _ in range(3)]
    for client in clients:
        client.headers["Authorization"] = f"Bearer {api.user_token()}"
        assert client.get(f"{api.api_url}me", timeout=10).status_code == 200
    # The sessions keep their connections open, and with them a thread each.
    assert len(set(threading.enumerate()) - before) == 4
    api.stop()
    assert set(threading.enumerate()) <= before
    for client in clients:
        with pytest.raises(requests.ConnectionError):
            client.get(f"{api.api_url}me", timeout=10)
    api.stop()


def test_a_server_never_started_stops_too(world):
    api = SpotifyApi(world)
    api.stop()
    with pytest.raises(requests.ConnectionError):
        get(api, "me")


def test_a_failing_test_stops_its_server(world):
    with pytest.raises(ZeroDivisionError), SpotifyApi(world) as api:
        raise ZeroDivisionError
    with pytest.raises(requests.ConnectionError):
        get(api, "me")


def test_a_port_can_be_chosen_and_is_taken_once(api):
    port = int(api.url.rsplit(":", 1)[-1])
    with pytest.raises(OSError, match="in use"):
        SpotifyApi(api.world, port=port)


def test_an_unknown_kind_of_app_is_refused(world):
    with pytest.raises(KeyError):
        SpotifyApi(world, app="enterprise")


def test_an_unknown_user_gets_no_token(api):
    with pytest.raises(KeyError):
        api.user_token("nobody")


def test_two_servers_do_not_disturb_each_other(world):
    with SpotifyApi(world) as one, SpotifyApi(world, app="legacy") as other:
        one.day = world.days[0]
        one.faults.script(faults.server_error(500))
        assert (other.day, one.url == other.url) == (world.days[-1], False)
        assert get(other, "me").status_code == 200
        assert get(one, "me").status_code == 500
        assert (len(one.requests), len(other.requests)) == (1, 1)
        foreign = {"Authorization": f"Bearer {one.user_token()}"}
        assert requests.get(f"{other.api_url}me", headers=foreign, timeout=10).status_code == 401
        playlist = next(p for p in world.playlists_on(one.day) if world.days[-1] in p.versions)
        one.edit_playlist(playlist.playlist_id)
        version = playlist.versions[world.days[-1]]
        whole = get(other, f"playlists/{playlist.playlist_id}").json()
        assert whole["snapshot_id"] == version.snapshot_id
        assert whole["href"].startswith(other.url)


@pytest.mark.parametrize(
    "noise",
    [
        b"nonsense\r\n\r\n",
        b"POST /api/token HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"POST /api/token HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n",
        b"POST /api/token HTTP/1.1\r\nContent-Length: 100\r\n\r\nshort",
        b"GET /v1/me HTTP/1.1\r\nAuthorization: Basic \xff\xfe\r\n\r\n",
        b"",
    ],
)
def test_a_client_that_speaks_nonsense_does_no_harm(api, noise):
    address = ("127.0.0.1", int(api.url.rsplit(":", 1)[-1]))
    with socket.create_connection(address, timeout=10) as client:
        client.sendall(noise)
        client.shutdown(socket.SHUT_WR)
        while client.recv(4096):
            pass
    assert get(api, "me").status_code == 200


# --- spotipy ---


@pytest.fixture(params=["development", "legacy"])
def either(request, world):
    with SpotifyApi(world, app=request.param) as api:
        yield api


def spotipy_for(api, auth_manager):
    client = spotipy.Spotify(auth_manager=auth_manager, requests_session=requests.Session())
    client.prefix = api.api_url
    return client


def on_behalf_of_the_app(api):
    auth = SpotifyClientCredentials(api.client_id, api.client_secret, cache_handler=MemoryCacheHandler())
    auth.OAUTH_TOKEN_URL = api.token_url
    return spotipy_for(api, auth)


def on_behalf_of_the_user(api):
    """With a token already kept, out of date, so that the refresh token is used."""
    kept = {
        "access_token": "old",
        "expires_at": 0,
        "expires_in": 3600,
        "scope": ALL_SCOPES,
        "refresh_token": api.refresh_token(),
        "token_type": "Bearer",
    }
    auth = SpotifyOAuth(
        api.client_id,
        api.client_secret,
        "http://127.0.0.1:9/",
        scope=ALL_SCOPES,
        cache_handler=MemoryCacheHandler(kept),
    )
    auth.OAUTH_TOKEN_URL = api.token_url
    return spotipy_for(api, auth)


def test_spotipy_reads_a_users_playlists_to_the_end(either, world):
    client = on_behalf_of_the_user(either)
    assert client.current_user()["id"] == world.account.user_id
    listed, page = [], client.current_user_playlists(limit=50)
    while page:
        listed += page["items"]
        page = client.next(page)
    own = [playlist for playlist in listed if playlist["owner"]["id"] == world.account.user_id]
    truth = {
        playlist.playlist_id: playlist.versions[either.day] for playlist in world.playlists_on(either.day)
    }
    longest = max(own, key=lambda playlist: len(truth[playlist["id"]].items))
    found, page = [], client.playlist_items(longest["id"], limit=50)
    while page:
        found += [entry.get("item", entry.get("track")) for entry in page["items"]]
        page = client.next(page)
    assert [thing and thing["uri"] for thing in found] == [item.uri for item in truth[longest["id"]].items]
    assert client.playlist(longest["id"])["snapshot_id"] == truth[longest["id"]].snapshot_id
    assert all(request.is_authorised for request in either.requests)


def test_spotipy_reads_the_catalogue_and_searches_it(either, world):
    client = on_behalf_of_the_app(either)
    track = next(track for track in world.tracks.values() if track.isrc and track.name)
    assert client.track(track.track_id)["external_ids"] == {"isrc": track.isrc}
    assert client.artist(track.artist_ids[0])["id"] == track.artist_ids[0]
    assert client.album(track.album_id)["release_date"] == world.albums[track.album_id].release_date
    found = client.search(f"isrc:{track.isrc}", limit=10, type="track")["tracks"]["items"]
    assert track.track_id in [item["id"] for item in found]
    assert either.requests.by_template()["POST", "/api/token"] == 1


def test_spotipy_reads_batches_where_the_app_may(world):
    identifiers = list(world.tracks)[:50]
    with SpotifyApi(world, app="legacy") as api:
        client = on_behalf_of_the_app(api)
        assert [track["id"] for track in client.tracks(identifiers)["tracks"]] == identifiers
        with pytest.warns(DeprecationWarning):
            features = client.audio_features(identifiers)
        assert [entry["id"] for entry in features] == identifiers
        assert client.playlist(SPOTIFY_PLAYLIST_IDS[0])["owner"]["id"] == "spotify"
    with SpotifyApi(world) as api:
        with pytest.raises(spotipy.SpotifyException) as refused:
            on_behalf_of_the_app(api).tracks(identifiers)
        assert refused.value.http_status == 403


def test_spotipy_sees_the_reason_of_a_quota_stop(api):
    api.faults.script(faults.quota_exceeded("3600"), path="/v1/*")
    with pytest.raises(spotipy.SpotifyException) as stopped:
        on_behalf_of_the_app(api).search("a")
    assert (stopped.value.http_status, stopped.value.reason) == (429, "QUOTA_EXCEEDED")
    assert stopped.value.headers["Retry-After"] == "3600"


def test_spotipy_fails_once_the_refresh_token_is_revoked(api):
    client = on_behalf_of_the_user(api)
    api.accounts.revoke_refresh_tokens()
    with pytest.raises(spotipy.SpotifyOauthError, match="invalid_grant"):
        client.current_user()
