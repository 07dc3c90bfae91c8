"""The imitated API's answers have the keys and value types of genuine ones, captured before and in 2026.

The genuine playlists carry all names and fields, which is what extended and legacy apps get. None was
captured in development mode: what is published about it is compared with what extended apps get.
"""

import json

import pytest
import requests

from sandbox.spotify_api import ODD_PLAYLISTS, SpotifyApi, faults
from sandbox.spotify_api.access import access_of

HIDDEN = access_of("development").hidden_fields


SOMETIMES = ("external_ids.isrc",)
"""Fields that a genuine object may lack, and some objects of the world do."""


def differences(genuine, ours, path="$"):
    """Where two JSON values are shaped differently; null goes with all, and a list may be empty.

    A list's entries are all compared with the genuine list's first one.
    """
    if genuine is None or ours is None:
        return []
    if isinstance(genuine, dict) and isinstance(ours, dict):
        missing = [f"{path}.{key}" for key in genuine.keys() - ours.keys()]
        found = [f"{name} is missing" for name in missing if not name.endswith(SOMETIMES)]
        found += [f"{path}.{key} is not genuine" for key in ours.keys() - genuine.keys()]
        for key in genuine.keys() & ours.keys():
            found += differences(genuine[key], ours[key], f"{path}.{key}")
        return found
    if isinstance(genuine, list) and isinstance(ours, list):
        return [
            difference
            for entry in (ours if genuine else [])
            for difference in differences(genuine[0], entry, f"{path}[]")
        ]
    if type(genuine) is not type(ours):
        return [f"{path}: {type(ours).__name__} instead of {type(genuine).__name__}"]
    return []


def kind_of(entry):
    """What is in an item of a playlist, for only things of one kind are shaped alike."""
    thing = entry.get("item", entry.get("track"))
    return "local" if entry["is_local"] else thing["type"]


def only(kind, page):
    return page | {"items": [entry for entry in page["items"] if kind_of(entry) == kind]}


def playlist_differences(genuine, ours, kinds):
    """The differences of two playlists, items of each kind compared among themselves."""
    found = []
    for kind in kinds:
        pages = [name for name in ("tracks", "items") if name in genuine]
        one = genuine | {name: only(kind, genuine[name]) for name in pages}
        other = ours | {name: only(kind, ours[name]) for name in pages if name in ours}
        assert all(one[name]["items"] and other[name]["items"] for name in pages)
        found += differences(one, other)
    return found


@pytest.fixture(scope="module")
def genuine(genuine_samples):
    folder = genuine_samples / "spotify"
    return lambda name: json.loads((folder / name).read_bytes())


@pytest.fixture(scope="module")
def extended(world):
    with SpotifyApi(world, app="extended") as api:
        yield api


@pytest.fixture(scope="module")
def legacy(world):
    with SpotifyApi(world, app="legacy") as api:
        yield api


@pytest.fixture(scope="module")
def development(world):
    with SpotifyApi(world, app="development") as api:
        yield api


def get(api, path, **query):
    headers = {"Authorization": f"Bearer {api.user_token()}"}
    return requests.get(api.api_url + path, headers=headers, params=query, timeout=10)


def odd(name):
    return f"playlists/{ODD_PLAYLISTS[name].playlist_id}"


def test_the_comparer_finds_each_sort_of_difference():
    assert differences({"a": 1, "b": [{"c": 1.5}]}, {"a": 7, "b": [{"c": 2.5}, {"c": None}]}) == []
    assert differences({"a": 1}, {}) == ["$.a is missing"]
    assert differences({}, {"a": 1}) == ["$.a is not genuine"]
    assert differences({"a": [{"b": 1}]}, {"a": [{"b": 1}, {"b": 1.0}]}) == ["$.a[].b: float instead of int"]
    assert differences(True, 1) == ["$: int instead of bool"]


def test_a_playlist_of_2026_is_shaped_like_a_genuine_one(genuine, extended):
    ours = get(extended, odd("booleans")).json()
    assert playlist_differences(genuine("2026_shape/playlist_1.json"), ours, ["track"]) == []


def test_a_page_of_items_of_2026_is_shaped_like_a_genuine_one(genuine, extended):
    sample = genuine("2026_shape/playlist_items.json")
    for playlist in extended.world.playlists_on(extended.day)[:20]:
        ours = get(extended, f"playlists/{playlist.playlist_id}/items").json()
        assert differences(only("track", sample), only("track", ours)) == []


@pytest.mark.parametrize("sample", ["2026_shape/playlist_2.json", "2026_shape/playlist_3.json"])
def test_local_files_and_episodes_are_shaped_like_genuine_ones(genuine, legacy, sample):
    # These two were captured with the old names only, though they are among those of 2026.
    sample = genuine(sample)
    kind = "local" if any(kind_of(entry) == "local" for entry in sample["tracks"]["items"]) else "episode"
    ours = get(legacy, odd("local_file" if kind == "local" else "episode")).json()
    assert playlist_differences(sample, ours, [kind, "track"]) == []


@pytest.mark.parametrize("name", ["playlist_1", "playlist_3"])
def test_a_playlist_of_before_2026_is_shaped_like_a_genuine_one(genuine, legacy, name):
    sample, ours = genuine(f"pre_2026_shape/{name}.json"), get(legacy, odd("booleans")).json()
    assert playlist_differences(sample, ours, ["track"]) == []


def test_a_page_of_items_of_before_2026_is_shaped_like_a_genuine_one(genuine, legacy):
    ours = get(legacy, odd("booleans") + "/tracks").json()
    assert differences(genuine("pre_2026_shape/playlist_items.json"), ours) == []


def test_ones_own_playlists_are_listed_like_genuine_ones(genuine, extended, legacy):
    ours = get(extended, "me/playlists", limit=50).json()
    assert differences(genuine("2026_shape/current_user_playlist_1.json"), ours) == []
    # Captured earlier: the old name only.
    ours = get(legacy, "me/playlists", limit=50).json()
    assert differences(genuine("2026_shape/current_user_playlist_2.json"), ours) == []


def test_artists_are_shaped_like_a_genuine_one(genuine, extended):
    sample = genuine("2026_shape/artist.json")
    identifiers = list(extended.world.spotify_artists)[:50]
    for artist in get(extended, "artists", ids=",".join(identifiers)).json()["artists"]:
        assert differences(sample, artist) == []


def test_tracks_found_by_search_are_shaped_like_genuine_ones(genuine, extended):
    ours = get(extended, "search", q="the", type="track", limit=50).json()
    assert len(ours["tracks"]["items"]) == 50
    assert differences(genuine("2026_shape/search.json"), ours) == []


def test_audio_features_are_shaped_like_genuine_ones(genuine, legacy):
    sample, identifiers = genuine("2026_shape/audio_features.json"), list(legacy.world.tracks)[:100]
    for features in get(legacy, "audio-features", ids=",".join(identifiers)).json()["audio_features"]:
        assert differences(sample, features) == []


def test_a_null_item_is_shaped_like_a_genuine_one(genuine, legacy):
    # Of the genuine page with a null in it, only what the two null items tell is compared: its other
    # items were put through a program that dropped some fields.
    sample = genuine("odd/null_track_items.json")["items"][0]
    page = get(legacy, odd("track_null") + "/tracks").json()
    assert page["items"][0]["track"] is sample["track"] is None
    assert differences(sample, page["items"][0]) == []


def test_errors_are_the_genuine_ones(genuine, development):
    errors = genuine("odd/errors.json")
    missing = get(development, "playlists/" + "0" * 22)
    assert (missing.status_code, missing.json()) == (404, genuine("2026_shape/playlist_not_found.json"))
    too_much = get(development, "search", q="a", type="track", limit=11)
    assert (too_much.status_code, too_much.json()) == tuple(
        errors["search_limit"][name] for name in ("status", "body")
    )
    batch = get(development, "tracks", ids="0" * 22)
    assert (batch.status_code, batch.json()) == (403, errors["forbidden"]["body"])

    development.faults.script(faults.too_many_requests())
    assert get(development, "me").json() == genuine("2026_shape/rate_limit.json")
    development.faults.script(faults.quota_exceeded())
    assert get(development, "me").json() == errors["quota_exceeded"]["body"]
    development.faults.script(faults.too_many_requests(body="text"))
    assert get(development, "me").text == errors["rate_limit_plain"]["body_text"]

    credentials = (development.client_id, development.client_secret)
    form = {"grant_type": "refresh_token", "refresh_token": "never given"}
    token = requests.post(development.token_url, auth=credentials, data=form, timeout=10)
    assert (token.status_code, token.json()) == (400, errors["token"]["body"])


def test_development_mode_gives_what_extended_quota_does_less_the_removed_names(extended, development):
    def without(kind, value):
        return {key: item for key, item in value.items() if key not in HIDDEN[kind]}

    track_id = next(iter(extended.world.tracks))
    track = get(extended, f"tracks/{track_id}").json()
    expected = without("track", track) | {"album": without("album", track["album"])}
    shown = get(development, f"tracks/{track_id}").json()
    assert differences(expected, shown) == []
    assert expected.keys() == shown.keys() == track.keys() - {"popularity", "available_markets"}

    artist_id = track["artists"][0]["id"]
    shown = get(development, f"artists/{artist_id}").json()
    assert shown.keys() == get(extended, f"artists/{artist_id}").json().keys() - {"popularity", "followers"}

    album_id = track["album"]["id"]
    shown = get(development, f"albums/{album_id}").json()
    assert get(extended, f"albums/{album_id}").json().keys() - shown.keys() == {
        "popularity",
        "label",
        "available_markets",
    }
    assert get(extended, "me").json().keys() - get(development, "me").json().keys() == {
        "country",
        "email",
        "product",
        "followers",
    }

    playlist = get(development, odd("booleans")).json()
    assert playlist.keys() == get(extended, odd("booleans")).json().keys() - {"tracks"}
    entry = playlist["items"]["items"][0]
    assert entry.keys() == get(extended, odd("booleans")).json()["items"]["items"][0].keys() - {"track"}
    assert not entry["item"].keys() & HIDDEN["track"]
