"""What the benchmark of the Spotify extraction rests on: its made playlists, its server, its plain way."""

from math import ceil

import pytest
import requests

from benchmarks.spotify_extract import extracting, fill, read_plainly
from benchmarks.support.spotify_catalogue import artists_of, number_of, spotify_id
from benchmarks.support.spotify_server import serving

PLAYLISTS, TRACKS, CHANGED_EVERY = 20, 65, 10


@pytest.fixture
def server():
    with serving(PLAYLISTS, TRACKS, CHANGED_EVERY) as server:
        yield server


@pytest.fixture
def requests_of(server):
    """A function that does something and gives the number of requests that the server got meanwhile."""

    def count(work, *arguments):
        before = server.requests
        work(*arguments)
        return server.requests - before

    return count


def artists(numbers, revision=0):
    """The distinct artists of each of these playlists."""
    return [set(artists_of(number, revision, TRACKS)) for number in numbers]


def test_artists_are_reused_as_in_the_million_playlist_dataset():
    """Its first 10,000 playlists name 35,637 artists, and a playlist names 38 of them in 67 items."""
    by_playlist = artists(range(10_000))

    assert len(set().union(*by_playlist)) == pytest.approx(35_637, rel=0.05)
    assert sum(map(len, by_playlist)) / 10_000 == pytest.approx(38 * 65 / 67, rel=0.05)


def test_a_number_can_be_had_back_from_its_id():
    ids = [spotify_id(number) for number in range(1_000)]

    assert list(map(number_of, ids)) == list(range(1_000))
    assert {len(id_) for id_ in ids} == {22}
    assert ids != sorted(ids)


def test_a_changed_playlist_has_other_artists_in_some_places_only():
    before, after = artists_of(7, 0, TRACKS), artists_of(7, 1, TRACKS)

    assert 1 <= sum(one != other for one, other in zip(before, after, strict=True)) <= 10


def test_the_server_changes_some_playlists_each_day(server):
    def snapshots():
        playlists = requests.get(f"{server.url}/v1/me/playlists?limit=50").json()["items"]
        return [playlist["snapshot_id"] for playlist in playlists]

    days = []
    for day in range(3):
        server.day = day
        days.append(snapshots())
        changed = [
            number for number in range(PLAYLISTS) if day and days[day][number] != days[day - 1][number]
        ]
        assert changed == [number for number in range(PLAYLISTS) if day and number % CHANGED_EVERY == day]
        assert len(changed) == server.changed


def test_the_server_answers_with_whole_playlists_and_refuses_what_is_not_there(server):
    def ask(path):
        return requests.get(f"{server.url}/v1/{path}")

    playlist = ask(f"playlists/{spotify_id(3)}").json()
    named = [entry["item"]["artists"][0]["id"] for entry in playlist["items"]["items"]]

    assert playlist["items"]["next"] is None
    assert [number_of(artist_id) for artist_id in named] == artists_of(3, 0, TRACKS)
    assert [one["id"] for one in ask(f"artists?ids={','.join(named[:50])}").json()["artists"]] == named[:50]
    assert ask(f"artists?ids={','.join(named[:51])}").status_code == 400
    assert ask(f"playlists/{spotify_id(PLAYLISTS)}").status_code == 404


def test_the_plain_way_takes_a_page_and_the_artists_of_each_playlist_anew(server, requests_of):
    expected = sum(2 + ceil(len(of_playlist) / 20) for of_playlist in artists(range(PLAYLISTS)))

    assert requests_of(read_plainly, server.url, PLAYLISTS) == expected


def test_every_request_of_the_extraction_is_counted(server, requests_of, tmp_path):
    """A token each time, three to find out what the app may call, then what is needed."""
    known = set().union(*artists(range(PLAYLISTS)))
    first = requests_of(extracting(server.url, tmp_path, 0, None))
    server.day = 1
    daily = requests_of(extracting(server.url, tmp_path, 1, None))
    added = set().union(*artists(range(1, PLAYLISTS, CHANGED_EVERY), revision=1)) - known
    server.day = 2
    by_id = requests_of(extracting(server.url, tmp_path, 2, PLAYLISTS))
    added_later = set().union(*artists(range(2, PLAYLISTS, CHANGED_EVERY), revision=1)) - known - added

    assert first == 1 + 3 + 1 + PLAYLISTS + ceil(len(known) / 50)
    assert daily == 1 + 1 + 2 + ceil(len(added) / 50)
    assert by_id == 1 + PLAYLISTS + ceil(len(added_later) / 50)


def test_in_a_lake_filled_with_known_playlists_only_the_changed_ones_are_read(server, tmp_path):
    fill(tmp_path, PLAYLISTS)
    server.day = 1

    assert extracting(server.url, tmp_path, 1, PLAYLISTS)() == (server.changed, 0, None)
