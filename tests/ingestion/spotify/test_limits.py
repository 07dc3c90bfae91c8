"""Spotify's limits: pauses are sat through or end a run, of all extractors of an account; nothing is lost."""

import os
import re
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from ingestion.errors import ConfigError
from ingestion.spotify.api import LONGEST_WAIT, retry_after
from ingestion.spotify.authorisation import keep_refresh_token
from ingestion.spotify.ledger import Limits, ledger_file
from sandbox.spotify_api import SpotifyApi as Server
from sandbox.spotify_api import faults
from tests.support.spotify_machine import Machine
from tests.support.spotify_replay import look, settings_of

A_PLAYLIST = f"/v1/playlists/{'?' * 22}"
NOW = datetime(2026, 1, 5, 6, tzinfo=UTC)


def existing(world, server, count):
    return [one.playlist_id for one in world.playlists if server.day in one.versions][:count]


def playlist_requests(server, status=200):
    return [r.path for r in server.requests if r.template == "/v1/playlists/{id}" and r.status == status]


HEADERS = {
    "30": 30,
    " 30 ": 30,
    "1.5": 1.5,
    "0": 1,
    "-5": 1,
    "Mon, 05 Jan 2026 06:02:00 GMT": 120,
    "Mon, 05 Jan 2026 06:02:00 -0000": 120,
    "Mon, 05 Jan 2026 05:00:00 GMT": 1,
    "Monday, 05-Jan-26 06:02:00 GMT": 120,
    "Fri, 31 Dec 9999 23:59:59 GMT": LONGEST_WAIT.total_seconds(),
    "1e9": LONGEST_WAIT.total_seconds(),
    "1e14": None,
    "inf": None,
    "nan": None,
    "soon": None,
    "": None,
    "99999999999999999999": None,
    "Mon, 99 Foo 2026 06:02:00 GMT": None,
}


@pytest.mark.parametrize("header", HEADERS)
def test_a_retry_after_is_understood_in_every_form(header):
    wait = retry_after(header, NOW)
    assert (wait and wait.total_seconds()) == HEADERS[header]


@pytest.mark.parametrize("body", ["json", "text"])
@pytest.mark.parametrize("kind", ["seconds", "fraction", "date", "missing", "negative", "nonsense"])
def test_a_storm_of_short_pauses_is_sat_through(kind, body, world, server, machine):
    ids = existing(world, server, 4)
    at = format_datetime(machine.clock.now() + timedelta(seconds=20), usegmt=True)
    value = {
        "seconds": "7",
        "fraction": "2.5",
        "date": at,
        "missing": None,
        "negative": "-5",
        "nonsense": "soon",
    }
    asked = {"seconds": 7, "fraction": 2.5, "missing": 2, "negative": 1, "nonsense": 2}.get(kind)
    server.faults.script(faults.too_many_requests(value[kind], body), path=A_PLAYLIST, times=3)
    result = machine.extract(ids)
    assert (result.playlists_read, result.playlists_failed, result.resume_at) == (4, 0, None)
    assert len(playlist_requests(server, 429)) == 3
    if kind == "date":
        assert 20 <= machine.slept[0] <= 22
    elif kind in ("missing", "nonsense"):
        waits = zip((2, 4, 8), machine.slept, strict=True)
        assert all(least <= slept <= least * 1.1 for least, slept in waits)
    else:
        assert len(machine.slept) == 3
        assert all(asked <= slept <= asked * 1.1 for slept in machine.slept)


def test_pauses_differ_so_that_not_all_extractors_come_back_at_once(world, server, machine):
    server.faults.script(faults.too_many_requests("100"), path=A_PLAYLIST, times=8)
    machine.extract(existing(world, server, 1))
    assert len(set(machine.slept)) == 8


def test_a_long_pause_ends_the_run_and_binds_the_next_one_until_it_is_over(world, server, machine):
    ids = existing(world, server, 6)
    server.faults.script(faults.too_many_requests("3600"), path=A_PLAYLIST, nth=4)
    stopped = machine.extract(ids)
    wait = stopped.resume_at - machine.clock.now()
    assert timedelta(seconds=3600) <= wait <= timedelta(seconds=3630)
    assert (stopped.playlists_read, len(machine.rows("playlists")), machine.slept) == (3, 3, [])
    (event,) = [row for row in machine.rows("extraction_log") if row["event"] == "partial"]
    assert f"{stopped.resume_at:%Y-%m-%d %H:%M:%S}" in event["detail"]
    server.requests.reset()
    refused = machine.extract(ids)
    assert (len(server.requests), refused.resume_at) == (0, stopped.resume_at)
    machine.clock.set(stopped.resume_at)
    assert machine.extract(ids).playlists_read == 3
    assert sorted(playlist_requests(server)) == sorted(f"/v1/playlists/{id_}" for id_ in ids[3:])


def test_a_pause_just_short_enough_is_sat_through(world, server, tmp_path):
    machine = Machine(server, tmp_path, Limits(longest_pause=timedelta(seconds=120)))
    server.faults.script(faults.too_many_requests("100"), path=A_PLAYLIST)
    assert machine.extract(existing(world, server, 1)).playlists_read == 1
    assert 100 <= machine.slept[0] <= 110


def test_pauses_without_end_end_the_run(world, server, machine):
    server.faults.script(faults.too_many_requests("2"), path=A_PLAYLIST, times=None)
    ids = existing(world, server, 2)
    stopped = machine.extract(ids)
    assert stopped.playlists_read == 0
    assert "one pause after the other" in stopped.stopped_by
    server.requests.reset()
    server.faults.clear()
    assert machine.extract(ids).resume_at == stopped.resume_at
    assert len(server.requests) == 0
    machine.clock.set(stopped.resume_at)
    assert machine.extract(ids).playlists_read == 2


@pytest.mark.parametrize("retry", ["48925", None, "1e9"])
def test_a_quota_stop_is_remembered_for_as_long_as_it_says(retry, world, server, machine):
    ids = existing(world, server, 3)
    server.faults.script(faults.quota_exceeded(retry), path=A_PLAYLIST, nth=2)
    stopped = machine.extract(ids)
    seconds = {"48925": 48925, None: 3600, "1e9": LONGEST_WAIT.total_seconds()}[retry]
    assert stopped.resume_at == machine.clock.now() + timedelta(seconds=seconds)
    assert stopped.playlists_read == 1
    machine.clock.set(stopped.resume_at)
    assert machine.extract(ids).playlists_read == 2


def test_a_quota_stop_while_enriching_keeps_what_was_enriched(world, tmp_path):
    with Server(world, app="development") as server:
        machine = Machine(server, tmp_path)
        server.faults.script(faults.quota_exceeded("7200"), path="/v1/artists/*", nth=11)
        stopped = machine.extract()
        full = {row["artist_id"] for row in machine.rows("artists") if row["is_full"]}
        assert len(full) == 10
        machine.clock.set(stopped.resume_at)
        machine.extract()
        asked = Counter(
            r.path for r in server.requests if r.template == "/v1/artists/{id}" and r.status == 200
        )
    artists = {row["artist_id"] for row in machine.rows("artists")}
    assert asked == dict.fromkeys((f"/v1/artists/{id_}" for id_ in artists), 1)


def test_a_day_s_budget_is_spent_on_playlists_first(world, tmp_path):
    """Of 20 requests the probe takes 3; enrichment ends at 16, and leaves the rest to the playlists."""
    with Server(world, app="development") as server:
        short = [
            one.playlist_id
            for one in world.playlists
            if one.owner_id == world.account.user_id
            and server.day in one.versions
            and len(one.versions[server.day].items) <= 100
        ]
        machine = Machine(server, tmp_path, Limits(day=20))
        first = machine.extract(short[:6])
        assert "16 requests for enrichment are spent" in first.stopped_by
        assert first.playlists_read == 6
        assert len(server.requests) - 1 == 16, "one request was for the token"
        second = machine.extract(short[:12])
        assert "20 requests for playlists are spent" in second.stopped_by
        assert second.playlists_read == 4
        assert second.resume_at == machine.clock.now() + timedelta(days=1)


def test_machines_that_share_an_account_each_keep_to_their_share(world, tmp_path):
    with Server(world, app="extended", daily_quota=60) as server:
        machines = [Machine(server, tmp_path / name, Limits(day=30)) for name in "ab"]
        results = [
            machine.extract(existing(world, server, 200), shard=(number, 2))
            for number, machine in enumerate(machines, 1)
        ]
        assert all("are spent" in result.stopped_by for result in results)
        statuses = Counter(request.status for request in server.requests)
    assert statuses[429] == 0, "the server's quota was never reached"
    assert statuses[200] + statuses[403] == 62, "30 each and a token each"


def test_the_rate_window_keeps_the_server_from_asking_for_pauses(world, tmp_path):
    clock = []
    with Server(world, app="extended", rate_limit=10, clock=lambda: clock[0]().timestamp()) as server:
        clock.append(lambda: datetime(2026, 1, 14, 6, tzinfo=UTC))
        machine = Machine(server, tmp_path, Limits(window=10))
        clock[0] = machine.clock.now
        assert machine.extract(existing(world, server, 30)).playlists_read == 30
        assert Counter(request.status for request in server.requests)[429] == 0
    assert sum(machine.slept) >= 60


def test_two_data_folders_of_one_machine_share_what_may_be_sent(world, server, tmp_path):
    shared = {"SPOTIFY_LEDGER_DIR": str(tmp_path / "ledger"), "SPOTIFY_DAILY_REQUESTS": "20"}
    first, second = (settings_of(server, tmp_path / name, **shared) for name in ("one", "another"))
    ids = existing(world, server, 40)
    assert look(first, server, server.day, ids).resume_at
    sent = len(list(server.requests))
    partial = look(second, server, server.day, ids)
    assert (partial.playlists_read, partial.resume_at is None) == (0, False)
    assert {request.template for request in list(server.requests)[sent:]} <= {"/api/token"}


def test_apps_of_one_account_share_what_may_be_sent_once_it_has_a_name(world, server, tmp_path):
    shared = {"SPOTIFY_LEDGER_DIR": str(tmp_path / "ledger"), "SPOTIFY_DAILY_REQUESTS": "20"}
    ids = existing(world, server, 40)
    with Server(world, app="extended", client_id="another-client") as another:
        another.day = server.day
        for account, is_shared in (("", False), ("ada", True)):
            named = shared | {"SPOTIFY_ACCOUNT": account}
            first = settings_of(server, tmp_path / f"one {account}", **named)
            second = settings_of(another, tmp_path / f"another {account}", **named)
            look(first, server, server.day, ids)
            assert (look(second, another, server.day, ids).playlists_read == 0) is is_shared


def test_a_folder_where_requests_cannot_be_counted_is_named(world, server, tmp_path):
    (tmp_path / "ledger").write_text("a file where the folder should be")
    settings = settings_of(server, tmp_path / "data", SPOTIFY_LEDGER_DIR=str(tmp_path / "ledger" / "below"))
    with pytest.raises(ConfigError, match="SPOTIFY_LEDGER_DIR"):
        look(settings, server, server.day, existing(world, server, 1))


def test_a_file_that_holds_no_ledger_is_named(world, server, tmp_path):
    settings = settings_of(server, tmp_path / "data", SPOTIFY_LEDGER_DIR=str(tmp_path))
    file = ledger_file(tmp_path, server.client_id)
    file.write_bytes(b"cut by a full disk, or written by something else " * 100)
    with pytest.raises(ConfigError, match=re.escape(str(file))):
        look(settings, server, server.day, existing(world, server, 1))


def test_two_processes_at_once_share_one_ledger_and_do_each_playlist_once(world, server, tmp_path):
    data_dir = tmp_path / "data"
    token = data_dir / "spotify" / "token.json"
    keep_refresh_token(token, server.client_id, server.refresh_token(), datetime.now(UTC))
    ids = existing(world, server, 80)  # more than a day's requests in either share
    wanted = tmp_path / "ids.txt"
    wanted.write_text("\n".join(ids))
    environment = {
        **os.environ,
        "WAREHOUSE_DATA_DIR": str(data_dir),
        "SPOTIPY_CLIENT_ID": server.client_id,
        "SPOTIPY_CLIENT_SECRET": server.client_secret,
        "SPOTIFY_API_URL": server.url,
        "SPOTIFY_ACCOUNTS_URL": server.url,
        "SPOTIFY_PLAYLIST_IDS": str(wanted),
        "SPOTIFY_DAILY_REQUESTS": "25",
    }
    processes = [
        subprocess.Popen(
            [sys.executable, "-m", "ingestion", "spotify", "--shard", f"{index}/2"],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for index in (1, 2)
    ]
    outputs = [process.communicate(timeout=60)[0] for process in processes]
    assert [process.returncode for process in processes] == [3, 3], outputs
    assert all("partial: the day's 25 requests for playlists are spent" in output for output in outputs)
    sent = [request for request in server.requests if request.template != "/api/token"]
    assert len(sent) == 25
    asked = playlist_requests(server)
    assert len(asked) == len(set(asked))
    assert set(asked) <= {f"/v1/playlists/{id_}" for id_ in ids}


def test_when_spotify_is_down_the_run_ends_and_says_when_to_try_again(world, server, machine):
    machine.extract([])
    server.requests.reset()
    server.faults.script(faults.server_error(503), times=None, path="/v1/*")
    result = machine.extract(existing(world, server, 60))
    assert "did not answer 10 calls in a row" in result.stopped_by
    assert result.playlists_failed == 9
    assert len(server.requests) == 1 + 10 * 4 + 1, "a token, each call tried four times, and the search"
    server.faults.clear()
    server.requests.reset()
    other = machine.extract(existing(world, server, 60))
    assert (len(server.requests), other.resume_at) == (0, result.resume_at), "others keep off too"
    machine.clock.set(result.resume_at)
    assert machine.extract(existing(world, server, 60)).playlists_read == 60


@pytest.mark.parametrize("probed", [None, faults.html(403), faults.too_many_requests("1")])
def test_playlists_that_fail_while_spotify_is_up_end_no_run(probed, world, server, machine):
    machine.extract([])
    ids = existing(world, server, 26)
    for playlist_id in ids[:24]:
        server.faults.script(faults.server_error(500), path=f"/v1/playlists/{playlist_id}", times=None)
    if probed:
        server.faults.script(probed, path="/v1/search", times=None)
    server.requests.reset()
    result = machine.extract(ids)
    assert (result.stopped_by, result.playlists_failed, result.playlists_read) == (None, 24, 2)
    assert Counter(r.template for r in server.requests)["/v1/search"] == 2, "once for ten calls"


def test_a_server_that_hangs_is_given_up_after_the_timeout(world, server, machine, monkeypatch):
    ids = existing(world, server, 2)
    rule = server.faults.script(faults.hang(), path=A_PLAYLIST, times=2)
    api = machine.api()
    api.spotify.requests_timeout = (1, 0.2)
    monkeypatch.setattr(machine, "api", lambda: api)
    assert machine.extract(ids).playlists_read == 2
    assert rule.used == 2
