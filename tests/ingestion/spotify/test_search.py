"""Searching for songs, at an imitation of the Web API: what is asked, how often, and what is kept of it."""

import shutil
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from datetime import timedelta

import duckdb
import pytest

from ingestion.computed import MATCHING
from ingestion.errors import LoadError
from ingestion.extract import extract
from ingestion.lake import Lake
from ingestion.load import load, prepare
from ingestion.msd import MSD
from ingestion.purge import purge_user
from ingestion.retention import retain
from ingestion.sources import SOURCES
from ingestion.spotify import SPOTIFY
from ingestion.spotify.ledger import Limits
from ingestion.spotify.reparse import reparse
from ingestion.spotify.run import search_songs
from ingestion.spotify.search import MOST_RESULTS, QUERY_CHARACTERS, SEARCHED_FOR, Song
from ingestion.spotify.tables import EXTRACTION_LOG, TABLES
from ingestion.tables import VOLATILE_COLUMNS
from matching import MODELS_READ
from matching.run import match
from sandbox.msd_files import write_msd_files
from sandbox.spotify_api import SpotifyApi as Server
from sandbox.spotify_api import faults
from tests.support.clock import SimulatedClock
from tests.support.row_hash import TableImage, assert_same_tables, images_of_schema
from tests.support.spotify_machine import Machine, rows_in
from tests.support.spotify_replay import run_dbt, settings_of, write_songs_to_search
from tests.support.spotify_stages import spotify_extraction

NOT_THERE = Song("TRNOTTHERE12345678", "A title that nobody has sung", "Somebody without recordings")

PARTIAL = 3

SEARCH_TABLES = ("track_searches", "track_search_results", "tracks", "track_artists", "albums", "artists")


@pytest.fixture(scope="module")
def pairs(world):
    """Of songs whose title and artist Spotify has in the same words: the tracks that are the song."""
    found = {}
    for pair in world.track_pairs:
        if pair.matches_exactly:
            found.setdefault(pair.msd_track_id, set()).add(pair.spotify_track_id)
    return found


@pytest.fixture(scope="module")
def songs(world, pairs):
    """These songs, as many as tests want."""
    wanted = [Song(one.track_id, one.title, one.artist_name) for one in world.songs if one.track_id in pairs]
    assert len(wanted) > 100
    return wanted[:60]


def queries(server, status=200):
    """What was searched for, probes left out, in order."""
    return [
        request.query["q"]
        for request in server.requests
        if request.template == "/v1/search" and request.query["limit"] != "1" and request.status == status
    ]


def first_queries(songs):
    return [song.queries[0] for song in songs]


def results(rows):
    """The tracks found for each song, in their order."""
    found = {}
    for row in sorted(rows, key=lambda row: row["position"]):
        found.setdefault(row["msd_track_id"], []).append(row["track_id"])
    return found


def events(machine, *names):
    return [row for row in machine.rows("extraction_log") if row["event"] in names]


# --- what is asked ---

QUERIES = {
    "plain": ("Angels", "Bob Will", 'track:"Angels" artist:"Bob Will"', "angels bob will"),
    "remarks": ("Angels (LP Version) [Explicit]", "A", 'track:"Angels" artist:"A"', "angels a"),
    "remarks in remarks": ("Angels (Live (1999))", "A", 'track:"Angels" artist:"A"', "angels a"),
    "a remark at first": ("(I Can't Get No) Joy", "A", 'track:"Joy" artist:"A"', "joy a"),
    "nothing but a remark": ("(Intro)", "A", 'track:"(Intro)" artist:"A"', "(intro) a"),
    "guests": ("Angels feat. B", "A Featuring B & C", 'track:"Angels" artist:"A"', "angels a"),
    "no guests": ("Defeat. Us", "Daft Ones", 'track:"Defeat. Us" artist:"Daft Ones"', "defeat. us daft ones"),
    "quotes": ('"Heroes"', "Ella \u201cE\u201d B", 'track:"Heroes" artist:"Ella E B"', "heroes ella e b"),
    "colons": ("Genre: Pop", "year:1", 'track:"Genre Pop" artist:"year 1"', "genre pop year 1"),
    "operators": ("Be OR NOT -To* Be", "A", 'track:"Be OR NOT -To Be" artist:"A"', "be or not to be a"),
    "white space": (" A\tB\n", " C \x00", 'track:"A B" artist:"C"', "a b c"),
    "another script": ("\u6b4c", "\u30a2", 'track:"\u6b4c" artist:"\u30a2"', "\u6b4c \u30a2"),
    "emoji": ("\U0001f48b", "A", 'track:"\U0001f48b" artist:"A"', "\U0001f48b a"),
}


@pytest.mark.parametrize("case", QUERIES)
def test_a_query_has_the_title_and_the_artist_without_remarks_guests_and_syntax(case):
    title, artist, *expected = QUERIES[case]
    assert Song("TR", title, artist).queries == tuple(expected)


def test_a_query_of_which_nothing_is_left_without_signs_is_not_sent():
    assert Song("TR", "-", "+").queries == ('track:"-" artist:"+"',)


@pytest.mark.parametrize(
    ("title", "artist"),
    [
        ("word " * 100, "A"),
        ("A", "name " * 100),
        ("w" * 300, "n" * 300),
        ("\u6b4c" * 200, "\U0001f48b " * 200),
    ],
    ids=["title", "artist", "both, a word each", "other scripts"],
)
def test_a_query_is_never_longer_than_spotify_takes_and_ends_with_a_whole_word(title, artist):
    for query in Song("TR", title, artist).queries:
        assert len(query) <= QUERY_CHARACTERS
        assert not query.endswith(" ")
    filtered, _ = Song("TR", "word " * 100, "Ann").queries
    assert filtered == f'track:"{" ".join(["word"] * 16)}" artist:"Ann"'


@pytest.mark.parametrize("song", [("", "A"), ("A", " "), ('"', "A"), ("A", "::")], ids=repr)
def test_a_song_of_whose_title_or_artist_nothing_is_left_is_not_asked_for(song, machine, server):
    assert Song("TR", *song).queries == ()
    assert machine.search([Song("TR", *song)]).songs_searched == 0
    assert len(server.requests) == 0


ODD_SONGS = {
    "quotes and colons": Song("TR1", 'The "Q": artist:"x"', 'year:1999 "'),
    "very long": Song("TR2", "la " * 400, "na " * 400),
    "emoji": Song("TR3", "\U0001f48b\U0001f3b8", "\U0001f984"),
    "operators": Song("TR4", "NOT OR AND * -", "-- ++"),
    "percent and plus": Song("TR5", "100% + 1 & 2 # 3 ? 4", "AC/DC; B\\C"),
}


@pytest.mark.parametrize("name", ODD_SONGS)
def test_a_song_of_any_spelling_is_asked_for_and_the_answer_kept(name, machine, server):
    song = ODD_SONGS[name]
    result = machine.search([song])
    assert (result.songs_searched, result.songs_failed) == (1, 0)
    assert set(queries(server)) <= set(song.queries)
    (row,) = machine.rows("track_searches")
    assert (row["msd_track_id"], row["query"]) == (song.msd_track_id, queries(server)[-1])


# --- what is found ---


@pytest.mark.parametrize("kind", ["development", "extended", "legacy"])
def test_songs_that_spotify_has_in_the_same_words_are_found_by_one_request_each(
    kind, world, songs, pairs, tmp_path
):
    with Server(world, app=kind) as server:
        machine = Machine(server, tmp_path, has_user=False)
        result = machine.search(songs)
        assert queries(server) == first_queries(songs)
    assert (result.songs_searched, result.songs_found, result.songs_failed) == (60, 60, 0)
    found = results(machine.rows("track_search_results"))
    missing = [song for song in songs if not pairs[song.msd_track_id] & set(found[song.msd_track_id])]
    assert missing == []
    assert max(map(len, found.values())) <= MOST_RESULTS


def test_of_what_is_found_everything_is_kept_as_of_any_other_answer(machine, world, songs):
    machine.search(songs[:20])
    searches = {row["msd_track_id"]: row for row in machine.rows("track_searches")}
    found = results(machine.rows("track_search_results"))
    ids = {track_id for tracks in found.values() for track_id in tracks}
    tracks = {row["track_id"]: row for row in machine.rows("tracks")}
    assert {id_: row["result_count"] for id_, row in searches.items()} == {
        song.msd_track_id: len(found[song.msd_track_id]) for song in songs[:20]
    }
    for row in searches.values():
        assert (row["outcome"], row["observed_on"]) == ("found", machine.clock.now().date())
        assert (row["source_system"], row["terms_of_use"]) == ("spotify_api", "spotify_api")
    assert set(tracks) == ids
    for track_id, row in tracks.items():
        track = world.tracks[track_id]
        assert (row["name"], row["isrc"], row["is_full"]) == (track.name, track.isrc, True)
        assert (row["album_id"], row["popularity"]) == (track.album_id, track.popularity)
    assert {row["album_id"] for row in machine.rows("albums")} == {row["album_id"] for row in tracks.values()}
    named = {artist_id for track_id in ids for artist_id in world.tracks[track_id].artist_ids}
    assert {row["artist_id"] for row in machine.rows("track_artists")} == named


def test_words_in_another_order_are_found_by_the_second_query_alone(machine, world, server):
    track = next(
        one
        for one in world.tracks.values()
        if one.isrc and len(one.name.split()) > 2 and len(one.artist_ids) == 1 and "(" not in one.name
    )
    turned = " ".join(reversed(track.name.split()))
    song = Song("TR1", turned, world.spotify_artists[track.artist_ids[0]].name)
    result = machine.search([song, NOT_THERE])
    assert queries(server) == [*song.queries, *NOT_THERE.queries]
    assert (result.songs_found, result.songs_not_found) == (1, 1)
    rows = {row["msd_track_id"]: row for row in machine.rows("track_searches")}
    assert track.track_id in results(machine.rows("track_search_results"))["TR1"]
    assert (rows["TR1"]["outcome"], rows["TR1"]["query"]) == ("found", song.queries[1])
    nothing = rows[NOT_THERE.msd_track_id]
    assert (nothing["outcome"], nothing["result_count"]) == ("nothing_found", 0)


def test_what_searches_found_is_not_asked_about_any_further(machine, server, songs):
    """Up to ten tracks are found for a song, of which one may be it: their artists would cost far more."""
    machine.search(songs[:10])
    server.requests.reset()
    machine.extract([])
    assert len(server.requests) == 0


# --- in which order, and how often ---


def test_songs_are_asked_for_in_their_order_and_the_next_run_goes_on(machine, server, songs):
    assert machine.search(songs, most=5).songs_searched == 5
    assert machine.search(songs, most=7).songs_searched == 7
    assert queries(server) == first_queries(songs[:12])


def test_a_song_is_asked_for_again_after_a_season_or_under_another_name(machine, server, songs):
    first, second = songs[:2]
    machine.search([first, second, NOT_THERE])
    server.requests.reset()
    machine.clock.advance(SEARCHED_FOR)
    assert machine.search([first, second, NOT_THERE]).songs_searched == 0
    assert len(server.requests) == 0
    renamed = Song(second.msd_track_id, "Another title", second.artist_name)
    assert machine.search([first, renamed]).songs_searched == 1
    assert queries(server) == list(renamed.queries)
    machine.clock.advance(timedelta(days=1))
    assert machine.search([first, renamed, NOT_THERE]).songs_searched == 2
    assert {row["observed_on"] for row in machine.rows("track_searches")} == {
        machine.clock.now().date() - timedelta(days=days) for days in (91, 1, 0)
    }


def test_a_song_searched_for_twice_in_a_day_has_what_the_last_search_found(machine, songs):
    song = songs[0]
    machine.search([song])
    assert results(machine.rows("track_search_results"))
    machine.clock.advance(timedelta(minutes=1))
    machine.search([Song(song.msd_track_id, NOT_THERE.title, NOT_THERE.artist_name)])
    (row,) = machine.rows("track_searches")
    assert (row["outcome"], row["query"]) == ("nothing_found", NOT_THERE.queries[1])


def test_shards_share_the_songs_and_leave_none_out(server, songs, tmp_path):
    machine = Machine(server, tmp_path)
    searched = [machine.search(songs, shard=(index, 3)).songs_searched for index in (1, 2, 3)]
    assert sum(searched) == len(songs)
    assert min(searched) > 0
    assert Counter(queries(server)) == Counter(first_queries(songs))


def test_search_takes_what_playlists_leave_of_the_day_and_goes_on_the_next(server, songs, world, tmp_path):
    machine = Machine(server, tmp_path, Limits(day=20))
    machine.extract([])  # the probe: three requests
    stopped = machine.search(songs)
    assert stopped.songs_searched == 9, "60 % of 20, less the probe"
    assert "requests for search are spent" in stopped.stopped_by
    assert len(machine.rows("track_searches")) == 9
    ids = [
        one.playlist_id
        for one in world.playlists
        if server.day in one.versions and len(one.versions[server.day].items) <= 100
    ]
    assert machine.extract(ids[:8]).playlists_read == 8, "all that is left of the day"
    machine.clock.set(stopped.resume_at)
    machine.clock.advance(timedelta(days=1))
    assert machine.search(songs, most=12).songs_searched == 12
    assert queries(server) == first_queries(songs[:21])


def test_a_spent_quota_ends_the_search_and_the_next_one_goes_on_without_asking_again(machine, server, songs):
    server.faults.script(faults.quota_exceeded("40000"), path="/v1/search", nth=8)
    stopped = machine.search(songs)
    assert stopped.songs_searched == 6, "after the probe"
    assert stopped.resume_at == machine.clock.now() + timedelta(seconds=40000)
    (partial,) = events(machine, "partial")
    assert "quota" in partial["detail"]
    assert machine.search(songs).songs_searched == 0, "before the time the ledger lets nothing through"
    machine.clock.set(stopped.resume_at)
    assert machine.search(songs).songs_searched == len(songs) - 6
    assert queries(server) == first_queries(songs)


def test_a_pause_is_sat_through(machine, server, songs):
    server.faults.script(faults.too_many_requests("7"), path="/v1/search", nth=3, times=2)
    assert machine.search(songs[:5]).songs_found == 5
    assert len(machine.slept) == 2
    assert queries(server) == first_queries(songs[:5])


# --- what goes wrong ---


@pytest.mark.parametrize("status", [403, 404, 410])
def test_an_app_that_may_not_search_asks_once_a_week(status, world, songs, tmp_path, caplog):
    with Server(world, app="extended", exceptions={"/v1/search": status}) as server:
        machine = Machine(server, tmp_path)
        for _ in range(2):
            result = machine.search(songs)
            assert (result.is_off, result.songs_searched, result.resume_at) == (True, 0, None)
        assert Counter(r.template for r in server.requests)["/v1/search"] == 1
    (off,) = events(machine, "endpoint_off")
    assert (off["endpoint"], off["http_status"]) == ("/v1/search", status)
    assert len([record for record in caplog.records if "off for now" in record.message]) == 1
    with Server(world, app="extended") as server:
        machine.server = server
        machine.authorise()
        machine.clock.advance(timedelta(days=8))
        assert machine.search(songs[:3]).songs_found == 3


@pytest.mark.parametrize("status", [403, 404])
def test_an_app_that_may_search_no_more_finds_out_in_use(status, world, songs, tmp_path):
    with Server(world, app="extended") as server:
        machine = Machine(server, tmp_path)
        machine.search(songs[:3])
        server.faults.script(faults.html(status), path="/v1/search", times=None)
        result = machine.search(songs)
        assert (result.is_off, result.songs_searched) == (True, 0)
        server.requests.reset()
        assert machine.search(songs).is_off
        assert len(server.requests) == 0
    assert len(machine.rows("track_searches")) == 3


@pytest.mark.parametrize("status", [400, 403, 404])
def test_a_song_that_spotify_will_not_search_for_is_left_and_not_asked_for_again(
    status, machine, server, songs
):
    machine.extract([])  # the probe
    server.faults.script(faults.html(status), path="/v1/search", nth=2)
    result = machine.search(songs[:4])
    assert (result.songs_found, result.songs_failed, result.is_off) == (3, 1, False)
    rows = {row["msd_track_id"]: row for row in machine.rows("track_searches")}
    assert rows[songs[1].msd_track_id]["outcome"] == "refused"
    assert rows[songs[1].msd_track_id]["query"] == songs[1].queries[0]
    (noted,) = events(machine, "refused")
    assert (noted["endpoint"], noted["http_status"]) == ("/v1/search", status)
    assert machine.search(songs[:4]).songs_searched == 0


@pytest.mark.parametrize(
    "trouble",
    [
        faults.server_error(502),
        faults.html(),
        faults.empty_body(),
        faults.cut_body(),
        faults.close_connection(),
    ],
    ids=lambda fault: fault.name,
)
def test_a_song_without_an_answer_is_asked_for_by_the_next_run_and_the_others_go_on(
    trouble, machine, server, songs
):
    machine.extract([])  # the probe
    server.faults.script(trouble, path="/v1/search", nth=2, times=4)
    result = machine.search(songs[:4])
    assert (result.songs_found, result.songs_failed) == (3, 1)
    (noted,) = events(machine, "failed")
    assert songs[1].msd_track_id in noted["endpoint"]
    server.requests.reset()
    assert machine.search(songs[:4]).songs_found == 1
    assert queries(server) == [songs[1].queries[0]]


def altered(change):
    return faults.changed_json(lambda answer: answer | {"tracks": change(answer["tracks"])})


def without_ids(page):
    return page | {"items": [{**one, "id": None, "uri": None} for one in page["items"]]}


ODD_ANSWERS = {
    "null entries": (lambda page: page | {"items": [None, *page["items"]]}, "found"),
    "fewer results than it says": (lambda page: page | {"items": page["items"][:1], "total": 99}, "found"),
    "an entry of another type": (
        lambda page: page | {"items": [{"type": "show", "id": "x"}, *page["items"]]},
        "found",
    ),
    "a track twice": (lambda page: page | {"items": page["items"] * 2}, "found"),
    "tracks without ids": (without_ids, "nothing_found"),
    "nothing but null": (lambda page: page | {"items": [None]}, "nothing_found"),
    "no items": (lambda _: {"total": 3}, "unreadable"),
    "no page": (lambda _: None, "unreadable"),
}


@pytest.mark.parametrize("case", ODD_ANSWERS)
def test_odd_answers_are_taken_for_what_they_hold(case, machine, server, songs):
    change, outcome = ODD_ANSWERS[case]
    machine.extract([])  # the probe
    server.faults.script(altered(change), path="/v1/search", times=2)
    result = machine.search(songs[:1])
    (row,) = machine.rows("track_searches")
    assert row["outcome"] == outcome
    assert (result.songs_found, result.songs_not_found, result.songs_failed) == {
        "found": (1, 0, 0),
        "nothing_found": (0, 1, 0),
        "unreadable": (0, 0, 1),
    }[outcome]
    found = machine.rows("track_search_results")
    assert row["result_count"] == len(found)
    if case in ("null entries", "an entry of another type"):
        assert min(one["position"] for one in found) == 1
    quarantined = [one["reason"] for one in machine.rows("quarantined_inputs")]
    assert quarantined == (["invalid_page"] if outcome == "unreadable" else [])
    assert machine.search(songs[:1]).songs_searched == 0


# --- the command, its warehouse, and processes ---


def images(data_dir):
    lake = Lake(str(data_dir / "lake"))
    return {
        table.name: TableImage.of_rows(
            table.name,
            table.schema.names,
            [[row[name] for name in table.schema.names] for row in rows_in(lake, table.name)],
            VOLATILE_COLUMNS | {"observed_at"},
        )
        for table in TABLES
        if table is not EXTRACTION_LOG
    }


@pytest.fixture(scope="module")
def undisturbed(world, songs, tmp_path_factory):
    """The tables after a search that nothing disturbed."""
    data_dir = tmp_path_factory.mktemp("undisturbed") / "data"
    write_songs_to_search(data_dir, [*songs, NOT_THERE])
    with Server(world, app="extended") as server:
        _, log = spotify_extraction(data_dir, server, ("search", "100")).run_to_end()
        assert queries(server) == [*first_queries(songs), *NOT_THERE.queries]
    assert "search spotify: 61/61 [" in log
    return images(data_dir)


@pytest.mark.parametrize(("stage", "nth"), [("probing", 1), ("searching", 20), ("between two queries", 63)])
def test_a_search_killed_at_a_request_is_finished_by_the_next(
    stage, nth, world, songs, undisturbed, tmp_path
):
    data_dir = tmp_path / "data"
    write_songs_to_search(data_dir, [*songs, NOT_THERE])
    with Server(world, app="extended") as server:
        target = spotify_extraction(data_dir, server, ("search", "100"))
        processes = []
        rule = server.faults.script(faults.first_do(lambda: processes[0].kill()), path="/v1/search", nth=nth)
        processes.append(subprocess.Popen(target.command, env=target.environment, stdout=subprocess.DEVNULL))
        assert processes[0].wait(60) == -signal.SIGKILL
        assert rule.used == 1
        before = queries(server)
        target.run_to_end()
        asked = Counter(queries(server))
    print(f"killed: {stage}")
    assert_same_tables(images(data_dir), undisturbed)
    in_flight = {*before[-1:], *(NOT_THERE.queries if stage == "between two queries" else ())}
    assert {query for query, count in asked.items() if count > 1} <= in_flight
    assert list((data_dir / "spotify" / "journals").iterdir()) == []


def test_processes_that_search_at_the_same_time_do_not_exceed_the_day_s_share(world, songs, tmp_path):
    data_dir = tmp_path / "data"
    write_songs_to_search(data_dir, songs)
    with Server(world, app="extended") as server:
        target = spotify_extraction(data_dir, server, ())
        environment = {**target.environment, "SPOTIFY_DAILY_REQUESTS": "30"}
        running = [
            subprocess.Popen(
                [*target.command, "search", "--shard", f"{index}/2"],
                env=environment,
                stdout=subprocess.PIPE,
                text=True,
            )
            for index in (1, 2)
        ]
        shown = [process.communicate(timeout=60)[0] for process in running]
        assert sorted(process.returncode for process in running) == [PARTIAL, PARTIAL], shown
        assert sum(request.path.startswith("/v1/") for request in server.requests) == 18
        assert len(queries(server)) == len(set(queries(server)))


# --- made anew, removed, purged, and seen by dbt ---


@pytest.fixture(scope="module")
def searched(world, songs, tmp_path_factory):
    """A lake and a warehouse with playlists and a search, to be copied, and the server that they are from."""
    with Server(world, app="extended") as server:
        settings = settings_of(server, tmp_path_factory.mktemp("searched") / "data")
        prepare(settings, SOURCES)
        write_songs_to_search(settings.data_dir, [*songs[:20], NOT_THERE])
        clock = SimulatedClock(Machine(server, tmp_path_factory.mktemp("clock")).clock.now())
        result = search_songs(settings, 100, now=clock.now)
        assert (result.songs_found, result.songs_not_found) == (20, 1)
        load(settings, SPOTIFY)
        yield settings, server, clock.now()


@pytest.fixture
def settings(searched, tmp_path):
    return settings_of(searched[1], shutil.copytree(searched[0].data_dir, tmp_path / "data", symlinks=True))


def raw_tables(settings):
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as connection:
        return images_of_schema(connection, "raw_spotify")


def counts(settings):
    return {name: image.row_count for name, image in raw_tables(settings).items() if name in SEARCH_TABLES}


def test_rows_made_anew_from_the_archive_are_those_that_were_there(settings, searched):
    rows = raw_tables(settings)
    assert all(rows[name].row_count for name in SEARCH_TABLES)
    searched[1].requests.reset()
    assert reparse(settings, settings.hash_user).units > 0
    load(settings, SPOTIFY)
    assert_same_tables(raw_tables(settings), rows)
    assert len(searched[1].requests) == 0


def test_retention_removes_what_a_search_found_and_the_song_is_asked_for_again(settings, searched, songs):
    _, server, at = searched
    before = counts(settings)
    assert retain(settings, SPOTIFY, 30, (at + timedelta(days=30)).date()).rows.total() == 0
    assert counts(settings) == before
    later = at + timedelta(days=31)
    retain(settings, SPOTIFY, 30, later.date())
    # That nothing was found says nothing of what Spotify has.
    assert counts(settings) == dict.fromkeys(SEARCH_TABLES, 0) | {"track_searches": 1}
    bodies = [file for file in (settings.data_dir / "lake").rglob("archive/*/*/*") if file.is_file()]
    assert bodies == []
    reparse(settings, settings.hash_user)
    load(settings, SPOTIFY)
    assert counts(settings)["track_searches"] == 1
    server.requests.reset()
    assert search_songs(settings, 100, now=lambda: later).songs_found == 20
    assert queries(server) == first_queries(songs[:20])


def test_a_purge_leaves_searches_as_they_are_for_they_name_nobody(settings, world):
    before = counts(settings)
    purged = purge_user(settings, world.account.user_id)
    assert set(purged.after.values()) == {0}
    assert counts(settings) == before


def test_without_the_table_of_songs_there_is_nothing_to_search_for_and_it_is_said(server, tmp_path, caplog):
    settings = settings_of(server, tmp_path / "data")
    assert search_songs(settings, 100).songs_searched == 0
    prepare(settings, SOURCES)
    assert search_songs(settings, 100).songs_searched == 0
    assert caplog.text.count("nothing to search for before `dbt build`") == 2
    assert {request.template for request in server.requests} == {"/api/token"}


def test_a_warehouse_that_another_process_writes_is_named_and_nothing_is_asked_for(server, songs, tmp_path):
    settings = settings_of(server, tmp_path / "data")
    write_songs_to_search(settings.data_dir, songs)
    holds = "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print(flush=True); sys.stdin.read()"
    command = [sys.executable, "-c", holds, str(settings.warehouse_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        other.stdout.readline()
        with pytest.raises(LoadError, match="open in another process"):
            search_songs(settings, 100)
    assert search_songs(settings, 3).songs_found == 3
    assert queries(server) == first_queries(songs[:3])


def test_a_song_whose_track_is_in_no_playlist_is_found_and_matched(world, pairs, server, tmp_path):
    """From song files to the decision: dbt says what to search for, and decides on what was found."""
    wanted = [song for song in world.songs if song.track_id in pairs][:5]
    songs = tmp_path / "msd"
    write_msd_files(replace(world, songs=tuple(wanted)), songs)
    settings = settings_of(server, tmp_path / "data", MSD_PATH=str(songs), SPOTIFY_DAILY_REQUESTS="100")
    prepare(settings, SOURCES)
    extract(settings, MSD, songs)
    load(settings, MSD)
    run_dbt(tmp_path, "+int_songs_unmatched")

    assert search_songs(settings).songs_found == len(wanted)
    load(settings, SPOTIFY)
    run_dbt(tmp_path, *(f"+{name}" for _, name in MODELS_READ))
    match(settings)
    load(settings, MATCHING)
    run_dbt(tmp_path, "source:matching+,+int_songs_unmatched")

    def query(sql):
        with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
            return warehouse.sql(sql).fetchall()

    assert query("select count(*) from raw_spotify.playlist_tracks") == [(0,)]
    listed, accepted = (
        {
            (song_id, track_id)
            for song_id, track_id in query(f"select msd_track_id, spotify_track_id from {of}")
        }
        for of in (
            "staging.stg_spotify__track_search_results",
            "intermediate.int_song_candidates_decided where is_accepted",
        )
    )
    for song in wanted:
        mine = {(song.track_id, track_id) for track_id in pairs[song.track_id]}
        assert mine & listed & accepted, song
    assert query("select * from intermediate.int_songs_unmatched") == []
