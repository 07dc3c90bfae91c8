"""Everything odd that real accounts produce, through the whole extraction: from server to the lake's rows.

An odd playlist gives the rows that can be had from it, ends no run, and costs the others nothing.
"""

import json
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from itertools import count
from threading import Thread
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest

from ingestion.spotify.answers import MOST_ITEMS
from ingestion.spotify.ids import is_in_shard
from sandbox.spotify_api import ODD_PLAYLISTS, faults
from sandbox.spotify_api import SpotifyApi as Server
from sandbox.spotify_api.messages import Answer
from tests.support.spotify_machine import Machine

TRACK, LOCAL, EPISODE, UNAVAILABLE = "track", "local", "episode", "unavailable"


@pytest.fixture(scope="module", params=["development", "extended", "legacy"])
def extracted(request, world, tmp_path_factory):
    """All odd playlists and three sound ones, extracted in one run by one kind of app."""
    own = [one.playlist_id for one in world.playlists if one.owner_id == world.account.user_id]
    with Server(world, app=request.param) as server:
        machine = Machine(server, tmp_path_factory.mktemp("odd"))
        sound = [id_ for id_ in existing(world, server) if id_ in own][:3]
        odd = [one.playlist_id for one in ODD_PLAYLISTS.values()]
        result = machine.extract([sound[0], *odd[:15], sound[1], *odd[15:], sound[2]])
        yield SimpleNamespace(
            kind=request.param,
            world=world,
            machine=machine,
            server=server,
            sound=sound,
            result=result,
            playlists={row["playlist_id"]: row for row in machine.rows("playlists")},
            items=machine.rows("playlist_tracks"),
            tracks={(row["track_id"], row["is_full"]): row for row in machine.rows("tracks")},
            albums={row["album_id"]: row for row in machine.rows("albums")},
            genres={row["artist_id"] for row in machine.rows("artist_genres")},
            log=machine.rows("extraction_log"),
        )


def existing(world, server):
    """The playlists that there are."""
    return [one.playlist_id for one in world.playlists if server.day in one.versions]


class Found:
    """What reached the lake of one playlist."""

    def __init__(self, extracted, playlist_id):
        self.extracted = extracted
        self.playlist = extracted.playlists.get(playlist_id)
        self.items = sorted(
            (row for row in extracted.items if row["playlist_id"] == playlist_id),
            key=lambda row: row["position"],
        )
        self.types = [row["item_type"] for row in self.items]
        self.problems = [row["detail"] for row in extracted.log if row["endpoint"].endswith(playlist_id)]

    @property
    def first(self):
        return self.items[0]

    def track(self, place=0, is_full=True):
        return self.extracted.tracks[self.items[place]["track_id"], is_full]

    @property
    def first_album(self):
        return self.extracted.albums[self.track()["album_id"]]


def three_tracks(found):
    ordinary = [
        track.uri
        for track in found.extracted.world.tracks.values()
        if track.name and track.isrc and track.markets
    ][:3]
    assert [item["track_uri"] for item in found.items] == ordinary
    assert all(item["track_id"] and item["track_name"] and item["artist_name"] for item in found.items)
    assert found.playlist["declared_track_count"] == found.playlist["item_count"] == 3


def track_null(found):
    assert found.types == [UNAVAILABLE, TRACK, TRACK]
    assert (found.first["track_uri"], found.first["track_id"], found.first["track_name"]) == (
        None,
        None,
        None,
    )
    assert found.first["added_at"] is not None


def no_names(found):
    assert (found.items, found.playlist["item_count"]) == ([], None)


def local_file(found):
    assert found.types == [LOCAL, TRACK, TRACK]
    assert found.first["track_uri"].startswith("spotify:local:")
    assert (found.first["track_id"], bool(found.first["track_name"])) == (None, True)


def takedown(found):
    assert found.types == [TRACK] * 3
    track = found.track()
    assert (track["name"], track["duration_ms"], track["isrc"]) == ("", 0, None)
    assert found.first_album["release_date"] == "0000"


def episode(found):
    assert found.types == [EPISODE, TRACK, TRACK]
    assert found.first["track_uri"].startswith("spotify:episode:")
    assert (found.first["track_id"], found.first["artist_name"], found.first["album_name"]) == (None,) * 3


def unknown_type(found):
    assert found.types == ["hologram"] * 3
    assert [item["track_id"] for item in found.items] == [None] * 3
    assert all(item["track_uri"].startswith("spotify:hologram:") for item in found.items)


def added_at_null(found):
    assert [item["added_at"] is None for item in found.items] == [True, False, False]
    assert found.types == [TRACK] * 3


def added_at_1970(found):
    assert found.first["added_at"] == datetime(1970, 1, 1, tzinfo=UTC)


def added_by_null(found):
    assert [item["added_by_hash"] is None for item in found.items] == [True, False, False]


def added_by_empty(found):
    assert [item["added_by_hash"] for item in found.items] == [None] * 3
    three_tracks(found)


def precision(word, length):
    def check(found):
        album = found.first_album
        assert (album["release_date_precision"], len(album["release_date"])) == (word, length)

    return check


def repeated_track(found):
    uris = [item["track_uri"] for item in found.items]
    assert uris[0] == uris[2] == uris[3] and len(set(uris)) == 3
    assert [item["position"] for item in found.items] == [0, 1, 2, 3, 4]


def no_isrc(found):
    assert found.track()["isrc"] is None
    assert found.track(1)["isrc"] is not None


def no_markets(found):
    shown = found.extracted.kind != "development"
    assert found.track()["available_markets"] == ("" if shown else None)


def no_genres(found):
    (artist_id, *_) = next(
        track.artist_ids
        for track in found.extracted.world.tracks.values()
        if track.uri == found.first["track_uri"]
    )
    assert artist_id not in found.extracted.genres
    assert found.types == [TRACK] * 3


def sparse(found):
    three_tracks(found)
    track = found.track(is_full=False)
    assert (track["popularity"], track["available_markets"], track["isrc"]) == (None,) * 3


def bare(found):
    three_tracks(found)
    columns = ("image_url", "description", "is_public")
    assert [found.playlist[column] for column in columns] == [None] * 3


def empty(found):
    assert (found.items, found.playlist["item_count"], found.playlist["declared_track_count"]) == ([], 0, 0)


def total_too_high(found):
    assert (len(found.items), found.playlist["item_count"], found.playlist["declared_track_count"]) == (
        3,
        3,
        10,
    )


def total_too_low(found):
    assert (len(found.items), found.playlist["item_count"], found.playlist["declared_track_count"]) == (
        3,
        3,
        2,
    )


def empty_page(found):
    size = 100 if found.extracted.kind == "legacy" else 50
    places = [place for place in range(230) if not 100 <= place < 100 + size]
    assert [item["position"] for item in found.items] == places
    assert (found.playlist["item_count"], found.playlist["declared_track_count"]) == (len(places), 230)


def not_read(reason):
    def check(found):
        assert (found.playlist, found.items) == (None, [])
        assert [reason in problem for problem in found.problems] == [True]

    return check


EXPECTED = {
    "track_null": track_null,
    "both_names": three_tracks,
    "old_names": three_tracks,
    "new_names": three_tracks,
    "mixed_names": three_tracks,
    "no_names": no_names,
    "booleans": three_tracks,
    "local_file": local_file,
    "takedown": takedown,
    "episode": episode,
    "unknown_type": unknown_type,
    "added_at_null": added_at_null,
    "added_at_1970": added_at_1970,
    "added_by_null": added_by_null,
    "added_by_empty": added_by_empty,
    "year_precision": precision("year", 4),
    "month_precision": precision("month", 7),
    "floats": three_tracks,
    "repeated_track": repeated_track,
    "no_isrc": no_isrc,
    "no_markets": no_markets,
    "no_genres": no_genres,
    "sparse": sparse,
    "bare": bare,
    "empty": empty,
    "total_too_high": total_too_high,
    "total_too_low": total_too_low,
    "empty_page": empty_page,
    "looping_next": not_read("endless_pages"),
    "foreign_next": not_read("leads away"),
}


@pytest.mark.parametrize("name", ODD_PLAYLISTS)
def test_an_odd_playlist_gives_the_rows_that_can_be_had(name, extracted):
    EXPECTED[name](Found(extracted, ODD_PLAYLISTS[name].playlist_id))


def test_every_odd_playlist_was_observed_and_none_ended_the_run(extracted):
    observed = {row["playlist_id"] for row in extracted.machine.rows("playlist_observations")}
    assert observed == {one.playlist_id for one in ODD_PLAYLISTS.values()} | set(extracted.sound)
    assert (extracted.result.resume_at, extracted.result.problems) == (None, 2), "the two that are not read"
    assert extracted.log[-1]["event"] == "ended"


def test_the_others_have_all_their_rows(extracted):
    for playlist_id in extracted.sound:
        (versions,) = [one.versions for one in extracted.world.playlists if one.playlist_id == playlist_id]
        items = Found(extracted, playlist_id).items
        assert [row["track_uri"] for row in items] == [
            item.uri for item in versions[extracted.server.day].items
        ]


# --- links that lead away ---


@contextmanager
def elsewhere():
    """Another host that answers everything; what it was sent: path and headers."""
    received = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            received.append((self.path, dict(self.headers)))
            body = json.dumps({"items": [], "next": None, "total": 0}).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", received
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def shard_of(playlist_id):
    """A small share of the work with this playlist in it."""
    return next((index, 20) for index in range(1, 21) if is_in_shard(playlist_id, (index, 20)))


def own_long_playlist(world, day):
    """One of the account's playlists with more than one page, and its items."""
    return next(
        (one.playlist_id, one.versions[day].items)
        for one in world.playlists
        if one.owner_id == world.account.user_id
        and day in one.versions
        and len(one.versions[day].items) > 100
    )


def leading_to(base, container):
    """A change to an answer: its `next` leads to another host, or a link put together from it."""

    def change(answer):
        page = answer[container] if container else answer
        path = urlsplit(page["href"])
        page["next"] = base.format(path=path.path, query=path.query, host=path.netloc)
        return answer

    return faults.changed_json(change)


@pytest.mark.parametrize(
    "link", ["{base}{{path}}?offset=100", "http://{{host}}@{bare}{{path}}", "//{bare}{{path}}"]
)
def test_the_token_is_not_sent_where_a_next_link_leads_away(link, world, server, machine):
    playlist_id, _ = own_long_playlist(world, server.day)
    with elsewhere() as (base, received):
        away = link.format(base=base, bare=base.removeprefix("http://"))
        server.faults.script(leading_to(away, "items"), path=f"/v1/playlists/{playlist_id}")
        server.faults.script(leading_to(away, "tracks"), path=f"/v1/playlists/{playlist_id}")
        server.faults.script(leading_to(away, None), path="/v1/me/playlists")
        machine.extract(shard=shard_of(playlist_id))
        machine.extract([ODD_PLAYLISTS["foreign_next"].playlist_id])
    assert received == []


@pytest.mark.parametrize(
    "link", ["not a link", "http://[", "https://{host}{path}", "file:///etc/passwd", "/v1/me"]
)
def test_a_link_that_is_none_or_less_secure_is_not_followed(link, server, machine):
    change = leading_to(link, None)
    server.faults.script(change, path="/v1/me/playlists")
    result = machine.extract(shard=(1, 20))
    assert result.playlists_read > 0, "what was listed before is read"
    (event,) = [row for row in machine.rows("extraction_log") if row["event"] == "unreadable"]
    assert "leads away" in event["detail"]
    assert not [row for row in machine.rows("playlist_observations") if row["seen_in"] == "list"]


def leading_on(total, entries):
    """A change to an answer: it holds `entries` at most, and `next` leads to one page after the other."""
    numbers = count(1000, 50)

    def change(answer):
        page = next(
            (answer[name] for name in ("items", "tracks") if isinstance(answer.get(name), dict)), answer
        )
        page["items"], page["total"] = page["items"][:entries], total
        page["next"] = page["href"].partition("?")[0] + f"?offset={next(numbers)}&limit=50"
        return answer

    return faults.changed_json(change)


@pytest.mark.parametrize("kind", ["a playlist", "the own list"])
def test_empty_pages_without_end_are_not_followed(kind, world, server, machine):
    """The server's pages beyond the end are empty; two of them are believed."""
    machine.extract([])
    playlist_id, items = own_long_playlist(world, server.day)
    server.requests.reset()
    if kind == "a playlist":
        server.faults.script(leading_on(len(items), 100), path=f"/v1/playlists/{playlist_id}*", times=None)
        result = machine.extract([playlist_id])
        pages = [r for r in server.requests if r.path.startswith(f"/v1/playlists/{playlist_id}/")]
    else:
        server.faults.script(leading_on(50, 50), path="/v1/*/playlists", times=None)
        result = machine.extract(shard=(1, 20))
        pages = [r for r in server.requests if r.template == "/v1/users/{id}/playlists"]
    assert (len(pages), result.problems) == (2, 1)
    (event,) = [row for row in machine.rows("extraction_log") if row["event"] == "unreadable"]
    assert "endless_pages" in event["detail"]


def test_pages_that_stay_before_the_end_are_not_followed_beyond_the_longest_playlist(world, server, machine):
    machine.extract([])
    playlist_id, _ = own_long_playlist(world, server.day)
    server.faults.script(leading_on(10**9, 1), path=f"/v1/playlists/{playlist_id}*", times=None)
    server.requests.reset()
    result = machine.extract([playlist_id])
    pages = [r for r in server.requests if r.path.startswith(f"/v1/playlists/{playlist_id}/")]
    assert (len(pages), result.problems) == (MOST_ITEMS / 50, 1)


def test_a_redirection_is_not_followed(world, server, machine):
    ids = existing(world, server)[:2]
    with elsewhere() as (base, received):
        moved = faults.Fault("moved", Answer(302, headers={"Location": f"{base}/v1/playlists/{ids[0]}"}))
        server.faults.script(moved, path=f"/v1/playlists/{ids[0]}", times=None)
        result = machine.extract(ids)
    assert received == []
    assert (result.playlists_failed, result.playlists_read) == (1, 1)


# --- what moves or breaks while it is read ---


def states_of(machine, playlist_id):
    """The uris of a playlist's states, in order, by snapshot."""
    states = {
        row["snapshot_id"]: [] for row in machine.rows("playlists") if row["playlist_id"] == playlist_id
    }
    for row in sorted(machine.rows("playlist_tracks"), key=lambda row: row["position"]):
        if row["playlist_id"] == playlist_id:
            states[row["snapshot_id"]].append(row["track_uri"])
    return states


def test_a_playlist_that_changes_while_it_is_read_is_read_once_more_as_a_whole(world, server, machine):
    playlist_id, items = own_long_playlist(world, server.day)
    snapshots = []
    edit = faults.first_do(lambda: snapshots.append(server.edit_playlist(playlist_id)))
    server.faults.script(edit, path=f"/v1/playlists/{playlist_id}/*")
    result = machine.extract([playlist_id])
    assert states_of(machine, playlist_id) == {snapshots[0]: [item.uri for item in items[1:]]}
    assert result.playlists_read == 1
    asked = [request.path for request in server.requests if request.template == "/v1/playlists/{id}"]
    assert len(asked) == 2


def test_an_item_that_takes_the_place_of_another_while_it_is_read_is_noticed_too(world, server, machine):
    playlist_id, items = own_long_playlist(world, server.day)
    newest = replace(items[3], added_at=machine.clock.now() + timedelta(seconds=1))
    snapshots = []

    def edit():
        machine.clock.advance(timedelta(seconds=2))
        snapshots.append(server.edit_playlist(playlist_id, lambda now: (*now[1:], newest)))

    server.faults.script(faults.first_do(edit), path=f"/v1/playlists/{playlist_id}/*")
    machine.extract([playlist_id])
    expected = [item.uri for item in (*items[1:], newest)]
    assert states_of(machine, playlist_id) == {snapshots[0]: expected}


def test_a_playlist_that_changes_all_the_time_is_left_for_the_next_run(world, server, machine):
    playlist_id, items = own_long_playlist(world, server.day)
    edit = faults.first_do(lambda: server.edit_playlist(playlist_id))
    server.faults.script(edit, path=f"/v1/playlists/{playlist_id}/*", times=2)
    shard = shard_of(playlist_id)
    machine.extract(shard=shard)
    assert states_of(machine, playlist_id) == {}
    (event,) = [row for row in machine.rows("extraction_log") if row["event"] == "unreadable"]
    assert "changed each of the 2 times" in event["detail"]
    machine.extract(shard=shard)
    assert list(states_of(machine, playlist_id).values()) == [[item.uri for item in items[2:]]]


def test_pages_that_disagree_about_the_total_of_one_state_are_taken_as_they_are(world, server, machine):
    playlist_id, items = own_long_playlist(world, server.day)
    more = faults.changed_json(lambda page: page | {"total": page["total"] + 1})
    server.faults.script(more, path=f"/v1/playlists/{playlist_id}/*", times=None)
    assert machine.extract([playlist_id]).playlists_read == 1
    assert list(states_of(machine, playlist_id).values()) == [[item.uri for item in items]]


@pytest.mark.parametrize(
    "fault",
    [faults.html(403), faults.error_string(403), faults.error_string(404)],
    ids=["HTML", "a word", "404"],
)
def test_items_that_are_refused_leave_what_was_loaded_before(fault, world, server, machine):
    playlist_id, items = own_long_playlist(world, server.day)
    machine.extract([playlist_id])
    before = states_of(machine, playlist_id)
    assert list(before.values()) == [[item.uri for item in items]]
    machine.clock.advance(timedelta(days=1))
    snapshot = server.edit_playlist(playlist_id)
    server.faults.script(fault, path=f"/v1/playlists/{playlist_id}/*", times=None)
    assert machine.extract([playlist_id]).playlists_read == 0
    assert states_of(machine, playlist_id) == before
    assert snapshot in {row["snapshot_id"] for row in machine.rows("playlist_observations")}
    assert [row["event"] for row in machine.rows("extraction_log")].count("refused") == 1
    server.faults.clear()
    machine.clock.advance(timedelta(days=1))
    machine.extract([playlist_id])
    assert states_of(machine, playlist_id) == before | {snapshot: [item.uri for item in items[1:]]}


BROKEN = {
    "truncated JSON": faults.truncated_json(),
    "HTML with 200": faults.html(),
    "HTML with 403": faults.html(403),
    "nothing": faults.empty_body(),
    "a list": faults.changed_json(lambda _: []),
    "null": faults.changed_json(lambda _: None),
    "an empty object": faults.changed_json(lambda _: {}),
    "an error with 200": faults.changed_json(lambda _: {"error": "no"}),
    "no id": faults.changed_json(lambda answer: answer | {"id": None}),
    "no snapshot": faults.changed_json(lambda answer: answer | {"snapshot_id": ""}),
    "items that are none": faults.changed_json(
        lambda answer: answer | {"items": {"items": [7]}, "tracks": 0}
    ),
    "a lone surrogate": faults.Fault(
        "surrogate", change=lambda answer: Answer(200, answer.body.replace(b'"name":"', b'"name":"\\ud800'))
    ),
    "not a number": faults.Fault(
        "NaN",
        change=lambda answer: Answer(200, answer.body.replace(b'"duration_ms":', b'"duration_ms":NaN,"x":')),
    ),
    "a byte order mark": faults.Fault(
        "BOM", change=lambda answer: Answer(200, b"\xef\xbb\xbf" + answer.body)
    ),
    "bytes that are no UTF-8": faults.Fault(
        "bytes", change=lambda answer: Answer(200, answer.body.replace(b'"name":"', b'"name":"\xff\xfe'))
    ),
}
STILL_READ = {
    "items that are none",
    "a lone surrogate",
    "not a number",
    "a byte order mark",
    "bytes that are no UTF-8",
}


@pytest.mark.parametrize("answer", BROKEN)
def test_a_broken_answer_costs_one_playlist_and_the_next_run_goes_on(answer, world, server, machine):
    ids = existing(world, server)[:4]
    server.faults.script(BROKEN[answer], path=f"/v1/playlists/{ids[1]}", times=None)
    result = machine.extract(ids)
    assert result.resume_at is None
    read = {row["playlist_id"] for row in machine.rows("playlists")}
    assert read == set(ids) - (set() if answer in STILL_READ else {ids[1]})
    if answer not in STILL_READ:
        problems = machine.rows("extraction_log") + machine.rows("quarantined_inputs")
        assert any(ids[1] in row.get("endpoint", "") + row.get("file_path", "") for row in problems)
        server.faults.clear()
        machine.clock.advance(timedelta(days=1))
        machine.extract(ids)
        assert {row["playlist_id"] for row in machine.rows("playlists")} == set(ids)


OF_ANY_ENDPOINT = (
    "truncated JSON",
    "HTML with 200",
    "HTML with 403",
    "a list",
    "an empty object",
)


@pytest.mark.parametrize("answer", OF_ANY_ENDPOINT)
@pytest.mark.parametrize("endpoint", ["/v1/artists", "/v1/audio-features", "/v1/playlists/*/tracks"])
def test_a_broken_answer_of_any_endpoint_ends_no_run(answer, endpoint, world, tmp_path):
    with Server(world, app="legacy") as server:
        machine = Machine(server, tmp_path)
        machine.extract([])  # the probe is another matter
        long_one, _ = own_long_playlist(world, server.day)
        ids = [long_one, *existing(world, server)[:2]]
        server.faults.script(BROKEN[answer], path=endpoint, times=4)
        machine.extract(ids)
        assert machine.rows("extraction_log")[-1]["event"] == "ended"
        server.faults.clear()
        machine.clock.advance(timedelta(days=8))
        machine.extract(ids)
    assert {row["playlist_id"] for row in machine.rows("playlists")} == set(ids)
    artists = machine.rows("artists")
    assert {row["artist_id"] for row in artists if row["is_full"]} == {row["artist_id"] for row in artists}


@pytest.mark.parametrize("answer", OF_ANY_ENDPOINT)
def test_a_list_that_breaks_off_gives_the_playlists_before_and_no_observations(answer, server, machine):
    machine.extract([])
    server.faults.script(BROKEN[answer], path="/v1/*/playlists", nth=2, times=4)
    result = machine.extract(shard=(1, 20))
    assert result.playlists_read > 0
    assert {row["seen_in"] for row in machine.rows("playlist_observations")} == {"playlist"}
    (event,) = [row for row in machine.rows("extraction_log") if row["event"] == "unreadable"]
    assert event["endpoint"] == "/v1/me/playlists"


@pytest.mark.parametrize("odd", [faults.null_entries(), faults.fewer_results()], ids=lambda fault: fault.name)
def test_an_id_that_a_batch_has_no_answer_for_is_not_asked_for_again(odd, world, tmp_path):
    with Server(world, app="legacy") as server:
        machine = Machine(server, tmp_path)
        machine.extract([])
        for endpoint in ("/v1/artists", "/v1/audio-features"):
            server.faults.script(odd, path=endpoint, times=None)
        ids = existing(world, server)
        machine.extract(ids[:5])
        server.requests.reset()
        machine.extract(ids[:5])
        assert len(server.requests) == 0
    full = {row["artist_id"]: row for row in machine.rows("artists") if row["is_full"]}
    assert set(full) == {row["artist_id"] for row in machine.rows("artists")}
    assert any(row["name"] is None for row in full.values())
    features = {row["track_id"]: row for row in machine.rows("audio_features")}
    assert set(features) == {row["track_id"] for row in machine.rows("tracks")}
    assert any(row["tempo"] is None for row in features.values())
