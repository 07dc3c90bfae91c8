"""Playlists as the imitated API gives them: the world's on each day, and the odd ones."""

import datetime

import pytest
import requests

from sandbox.spotify_api import FOREIGN_BASE, ODD_PLAYLISTS, SpotifyApi, faults, odd_playlists


@pytest.fixture(scope="module")
def api(world):
    with SpotifyApi(world) as api:
        yield api


@pytest.fixture(scope="module")
def extended(world):
    with SpotifyApi(world, app="extended") as api:
        yield api


@pytest.fixture(autouse=True)
def last_day(api, extended, world):
    api.day = extended.day = world.days[-1]


@pytest.fixture
def client(api):
    with requests.Session() as session:
        session.headers["Authorization"] = f"Bearer {api.user_token()}"
        yield session


def follow(client, page):
    """All items from this page on."""
    items = list(page["items"])
    while page["next"]:
        page = client.get(page["next"], timeout=10).json()
        items += page["items"]
    return items


def thing(entry):
    return entry["item"] if "item" in entry else entry["track"]


def as_told(entry):
    """An item's uri, time and contributor."""
    uri = thing(entry) and thing(entry)["uri"]
    return uri, entry["added_at"], entry["added_by"] and entry["added_by"]["id"]


def as_is(item):
    return item.uri, item.added_at and item.added_at.strftime("%Y-%m-%dT%H:%M:%SZ"), item.added_by


def odd(api, name, page=False):
    """The answer for an odd playlist, or for the first page of its items."""
    address = f"{api.api_url}playlists/{ODD_PLAYLISTS[name].playlist_id}" + "/items" * page
    headers = {"Authorization": f"Bearer {api.user_token()}"}
    answer = requests.get(address, headers=headers, timeout=10)
    assert answer.status_code == 200
    return answer.json()


def first(api, name):
    """The first item of an odd playlist, and what is in it."""
    entry = odd(api, name)["items"]["items"][0]
    return entry, thing(entry)


# --- the world's ---


def test_reading_what_has_a_new_snapshot_gives_exactly_each_days_items_in_order(world):
    known = set()
    with (
        SpotifyApi(world, app="extended", naming="new", follows_every=1) as api,
        requests.Session() as client,
    ):
        client.headers["Authorization"] = f"Bearer {api.user_token()}"
        for day in world.days:
            api.day = day
            page = client.get(f"{api.api_url}me/playlists?limit=50", timeout=10).json()
            listed = {playlist["id"]: playlist["snapshot_id"] for playlist in follow(client, page)}
            truth = {playlist.playlist_id: playlist for playlist in world.playlists_on(day)}
            assert listed == {name: truth[name].versions[day].snapshot_id for name in truth}
            for playlist_id, snapshot_id in listed.items():
                if snapshot_id in known:
                    continue
                known.add(snapshot_id)
                version = truth[playlist_id].versions[day]
                told = client.get(f"{api.api_url}playlists/{playlist_id}", timeout=10).json()
                assert (told["snapshot_id"], told["name"]) == (snapshot_id, version.name)
                assert told["followers"]["total"] == truth[playlist_id].follower_counts[day]
                assert [as_told(entry) for entry in follow(client, told["items"])] == [
                    as_is(item) for item in version.items
                ]
    assert len(known) > len(world.playlists)


def test_a_playlist_that_does_not_exist_yet_or_any_more_is_not_found(api, client, world):
    late = next(playlist for playlist in world.playlists if world.days[0] not in playlist.versions)
    gone = next(playlist for playlist in world.playlists if world.days[-1] not in playlist.versions)
    for day in world.days:
        api.day = day
        for playlist in (late, gone):
            expected = {200} if day in playlist.versions else {404}
            address = f"{api.api_url}playlists/{playlist.playlist_id}"
            assert {client.get(address, timeout=10).status_code} == expected
            if expected == {404}:
                assert client.get(f"{address}/items", timeout=10).status_code == 404


def test_each_size_of_page_gives_the_same_items(api, client, world):
    playlist = max(
        (p for p in world.playlists_on(api.day) if p.owner_id == world.account.user_id),
        key=lambda playlist: len(playlist.versions[api.day].items),
    )
    expected = [as_is(item) for item in playlist.versions[api.day].items]
    assert len(expected) > 100
    for limit in (50, 37, 20):
        address = f"{api.api_url}playlists/{playlist.playlist_id}/items?limit={limit}"
        page = client.get(address, timeout=10).json()
        assert [as_told(entry) for entry in follow(client, page)] == expected
    whole = client.get(f"{api.api_url}playlists/{playlist.playlist_id}", timeout=10).json()
    assert len(whole["items"]["items"]) == whole["items"]["limit"] == 100
    assert whole["items"]["next"].startswith(f"{api.api_url}playlists/{playlist.playlist_id}/items?")
    assert "limit=50" in whole["items"]["next"]


def test_ones_list_tells_each_days_snapshots(api, client, world):
    for day in world.days:
        api.day = day
        page = client.get(f"{api.api_url}me/playlists?limit=50", timeout=10).json()
        listed = {playlist["id"]: playlist["snapshot_id"] for playlist in follow(client, page)}
        own = {
            playlist.playlist_id: playlist.versions[day].snapshot_id
            for playlist in world.playlists_on(day)
            if playlist.owner_id == world.account.user_id
        }
        assert own.items() <= listed.items()
        assert len(listed) > len(own)


def test_one_can_follow_all_playlists(world):
    with SpotifyApi(world, follows_every=1) as api, requests.Session() as client:
        client.headers["Authorization"] = f"Bearer {api.user_token()}"
        page = client.get(f"{api.api_url}me/playlists?limit=50", timeout=10).json()
        listed = [playlist["id"] for playlist in follow(client, page)]
    expected = [playlist.playlist_id for playlist in world.playlists_on(world.days[-1])]
    assert sorted(listed) == sorted(expected)


def test_links_keep_the_types_asked_for(api, client):
    address = f"{api.api_url}playlists/{ODD_PLAYLISTS['looping_next'].playlist_id}"
    types = {"additional_types": "track,episode"}
    embedded = client.get(address, params=types, timeout=10).json()["items"]
    assert "additional_types=track%2Cepisode" in embedded["next"]
    page = client.get(f"{address}/items", params=types, timeout=10).json()
    assert "additional_types=track%2Cepisode" in page["next"]


def test_a_day_outside_the_world_is_refused(api, world):
    with pytest.raises(ValueError, match="not one of the world's days"):
        api.day = datetime.date(1999, 1, 1)
    assert api.day == world.days[-1]


def test_a_playlist_can_change_between_two_of_its_pages(api, client, world):
    playlist = next(
        p
        for p in world.playlists_on(api.day)
        if p.owner_id == world.account.user_id and len(p.versions[api.day].items) > 110
    )
    address = f"{api.api_url}playlists/{playlist.playlist_id}"
    edit = faults.first_do(lambda: api.edit_playlist(playlist.playlist_id))
    api.faults.script(edit, path=f"*/{playlist.playlist_id}/items")
    before = client.get(address, timeout=10).json()
    items = follow(client, before["items"])
    after = client.get(address, timeout=10).json()

    expected = [as_is(item) for item in playlist.versions[api.day].items]
    assert [as_told(entry) for entry in items] == expected[:100] + expected[101:]
    assert before["snapshot_id"] == playlist.versions[api.day].snapshot_id != after["snapshot_id"]
    assert after["items"]["total"] == len(expected) - 1
    assert after["snapshot_id"] == client.get(address, timeout=10).json()["snapshot_id"]
    api.day = world.days[-1]
    assert client.get(address, timeout=10).json()["snapshot_id"] == before["snapshot_id"]


def test_an_edit_of_a_playlist_that_is_not_there_fails(api):
    with pytest.raises(KeyError):
        api.edit_playlist("0" * 22)


def test_the_fields_filter_keeps_what_it_names(api, client):
    address = f"{api.api_url}playlists/{ODD_PLAYLISTS['booleans'].playlist_id}"

    def get(fields):
        return client.get(address, params={"fields": fields}, timeout=10)

    assert get("name,items(total,items.item(id,artists(name)))").json() == {
        "name": "odd booleans",
        "items": {
            "total": 3,
            "items": [
                {
                    "item": {
                        "id": thing(entry)["id"],
                        "artists": [{"name": artist["name"]} for artist in thing(entry)["artists"]],
                    }
                }
                for entry in client.get(address, timeout=10).json()["items"]["items"]
            ],
        },
    }
    assert get("items(!items)").json()["items"].keys() == {
        "href",
        "limit",
        "next",
        "offset",
        "previous",
        "total",
    }
    assert get("unknown").json() == {}
    for broken in ("items(total", "items)", "items."):
        assert get(broken).status_code == 400


# --- the odd ones ---


def test_every_odd_playlist_is_named_and_can_be_read_on_any_day(api, client, world):
    api.day = world.days[0]
    assert len(odd_playlists()) == len(ODD_PLAYLISTS)
    for playlist_id, what_is_odd in odd_playlists().items():
        assert what_is_odd
        assert client.get(f"{api.api_url}playlists/{playlist_id}", timeout=10).status_code == 200
        assert client.get(f"{api.api_url}playlists/{playlist_id}/items", timeout=10).status_code == 200


def test_odd_playlists_are_listed_on_demand_only(world):
    for lists_them in (False, True):
        with SpotifyApi(world, lists_odd_playlists=lists_them) as api, requests.Session() as client:
            client.headers["Authorization"] = f"Bearer {api.user_token()}"
            page = client.get(f"{api.api_url}me/playlists?limit=50", timeout=10).json()
            listed = {playlist["id"] for playlist in follow(client, page)}
            assert listed & odd_playlists().keys() == (odd_playlists().keys() if lists_them else set())


@pytest.mark.parametrize(
    ("name", "containers", "entries"),
    [
        ("both_names", {"tracks", "items"}, {"track", "item"}),
        ("old_names", {"tracks"}, {"track"}),
        ("new_names", {"items"}, {"item"}),
        ("mixed_names", {"items"}, {"track"}),
        ("no_names", set(), set()),
    ],
)
def test_names_may_be_both_or_one_or_neither(api, name, containers, entries):
    playlist = odd(api, name)
    assert playlist.keys() & {"tracks", "items"} == containers
    for entry in odd(api, name, page=True)["items"]:
        assert entry.keys() & {"track", "item"} == entries
    for container in containers:
        assert playlist[container]["items"][0].keys() & {"track", "item"} == entries


def test_an_item_may_hold_nothing(api):
    entry, nothing = first(api, "track_null")
    assert nothing is None
    assert "item" in entry


def test_a_track_has_booleans_named_track_and_episode(api):
    _, track = first(api, "booleans")
    assert (track["track"], track["episode"]) == (True, False)


def test_a_local_file_has_no_ids(api):
    entry, track = first(api, "local_file")
    assert entry["is_local"] is track["is_local"] is True
    assert track["uri"].startswith("spotify:local:")
    assert [track["id"], track["album"]["id"], track["artists"][0]["id"]] == [None] * 3
    assert track["album"]["release_date"] is None


def test_a_takedown_is_an_empty_shell(api):
    _, track = first(api, "takedown")
    assert (track["name"], track["duration_ms"], track["external_ids"]) == ("", 0, {})
    assert (track["album"]["name"], track["album"]["release_date"]) == ("", "0000")


def test_an_episode_has_a_show_and_neither_artists_nor_album(api):
    _, episode = first(api, "episode")
    assert (episode["type"], episode["episode"], episode["track"]) == ("episode", True, False)
    assert "show" in episode
    assert not episode.keys() & {"artists", "album"}


def test_a_type_may_be_unknown(api):
    _, hologram = first(api, "unknown_type")
    assert hologram["type"] not in ("track", "episode")


def test_times_and_contributors_may_be_lost(api):
    assert first(api, "added_at_null")[0]["added_at"] is None
    assert first(api, "added_at_1970")[0]["added_at"] == "1970-01-01T00:00:00Z"
    assert first(api, "added_by_null")[0]["added_by"] is None
    assert first(api, "added_by_empty")[0]["added_by"]["id"] == ""


@pytest.mark.parametrize(("precision", "length"), [("year", 4), ("month", 7)])
def test_release_dates_may_be_coarse(api, precision, length):
    album = first(api, f"{precision}_precision")[1]["album"]
    assert album["release_date_precision"] == precision
    assert len(album["release_date"]) == length


def test_whole_numbers_may_come_as_floats(api):
    page = odd(api, "floats")["items"]
    assert [type(page[name]) for name in ("total", "limit", "offset")] == [float] * 3
    track = thing(page["items"][0])
    assert isinstance(track["duration_ms"], float)
    assert isinstance(track["album"]["total_tracks"], float)


def test_a_track_may_stand_in_a_playlist_several_times(api):
    items = [as_told(entry) for entry in odd(api, "repeated_track")["items"]["items"]]
    assert items[0] == items[2] != items[3]
    assert items[0][0] == items[3][0]
    assert len({uri for uri, _, _ in items}) == 3


def test_isrc_markets_genres_popularity_and_images_may_be_missing(extended, world):
    assert "isrc" not in first(extended, "no_isrc")[1]["external_ids"]
    assert first(extended, "no_markets")[1]["available_markets"] == []
    artist_id = first(extended, "no_genres")[1]["artists"][0]["id"]
    headers = {"Authorization": f"Bearer {extended.app_token()}"}
    artist = requests.get(f"{extended.api_url}artists/{artist_id}", headers=headers, timeout=10).json()
    assert artist["genres"] == []
    assert world.spotify_artists[artist_id].genres == ()
    track = first(extended, "sparse")[1]
    assert not track.keys() & {"popularity", "available_markets", "external_ids"}
    assert not track["album"].keys() & {"images", "available_markets"}


def test_a_playlist_may_be_bare_or_empty(api):
    bare = odd(api, "bare")
    assert [bare[name] for name in ("images", "description", "public")] == [None] * 3
    assert "followers" not in bare
    assert bare["owner"]["display_name"] is None
    assert bare["items"]["items"][0]["video_thumbnail"] is None
    empty = odd(api, "empty")
    assert (empty["items"]["items"], empty["items"]["total"], empty["images"]) == ([], 0, None)


def test_the_total_may_be_wrong(api):
    for name, difference in (("total_too_high", 7), ("total_too_low", -1)):
        page = odd(api, name)["items"]
        assert page["total"] == len(page["items"]) + difference
        assert page["next"] is None


def test_a_page_may_be_empty_and_yet_have_a_next(api, client):
    page = odd(api, "empty_page")["items"]
    empty = client.get(page["next"], timeout=10).json()
    assert (empty["items"], bool(empty["next"])) == ([], True)
    assert len(follow(client, page)) == 230 - 50


def test_a_next_may_lead_to_its_own_page(api, client):
    page = odd(api, "looping_next")["items"]
    again = client.get(page["next"], timeout=10).json()
    assert again["next"] == page["next"]


def test_a_next_may_name_another_host(api):
    playlist = odd(api, "foreign_next")
    assert playlist["items"]["next"].startswith(f"{FOREIGN_BASE}/v1/playlists/{playlist['id']}/items?")
    assert playlist["href"].startswith(api.url)
