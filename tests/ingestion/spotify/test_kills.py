"""Killed anywhere and run again, the extraction ends as if nothing had happened, and asks for nothing twice.

Real processes are killed: by the server, at a request; or where the traces of a stage are seen. `make
faults` adds random moments under pauses and quota stops.
"""

import random
import signal
import subprocess
import time
from collections import Counter

import pytest

from ingestion.lake import Lake
from ingestion.spotify.tables import EXTRACTION_LOG, TABLES
from ingestion.tables import VOLATILE_COLUMNS
from sandbox.spotify_api import SpotifyApi as Server
from sandbox.spotify_api import faults
from tests.support.row_hash import TableImage, assert_same_tables
from tests.support.spotify_machine import rows_in
from tests.support.spotify_stages import spotify_extraction

A_PLAYLIST = f"/v1/playlists/{'?' * 22}"
A_PAGE = f"{A_PLAYLIST}/tracks"

TIMES = VOLATILE_COLUMNS | {"observed_at", "read_at"}
"""When an answer came is all that may differ."""

PARTIAL = 3
"""The exit status of a run that a limit ended."""

RANDOM_KILLS = 20
ATTEMPTS = 5
"""A stage of milliseconds can slip by; a kill that missed does not count and is tried again."""


@pytest.fixture
def server(world):
    """Legacy access has every endpoint that an extraction asks."""
    with Server(world, app="legacy") as server:
        yield server


@pytest.fixture(scope="module")
def ids(world):
    """Twelve playlists, the third and the ninth of them with more than one page."""
    day = world.days[-1]
    sizes = {one.playlist_id: len(one.versions[day].items) for one in world.playlists_on(day)}
    short = [id_ for id_, size in sizes.items() if size <= 100]
    long = [id_ for id_, size in sizes.items() if size > 100]
    return [*short[:2], long[0], *short[2:7], long[1], *short[7:10]]


@pytest.fixture(scope="module")
def undisturbed(world, ids, tmp_path_factory):
    """The tables after a run over `ids` that nothing disturbed."""
    _, found = run_undisturbed(world, tmp_path_factory.mktemp("undisturbed") / "data", ids)
    return found


def run_undisturbed(world, data_dir, ids):
    """The seconds that it took, and the tables."""
    with Server(world, app="legacy") as server:
        seconds, log = spotify_extraction(data_dir, server, ids).run_to_end()
        asked = asked_playlists(server)
    assert len(asked) == len(set(asked))
    assert f"extract spotify: {len(asked)}/{len(asked)} [" in log
    found = images(data_dir)
    assert found["playlists"].row_count == len(asked) >= 12
    return seconds, found


def images(data_dir):
    lake = Lake(str(data_dir / "lake"))
    return {
        table.name: TableImage.of_rows(
            table.name,
            table.schema.names,
            [[row[name] for name in table.schema.names] for row in rows_in(lake, table.name)],
            TIMES,
        )
        for table in TABLES
        if table is not EXTRACTION_LOG
    }


def kill_at_request(target, server, path, nth):
    """Run the command; the server kills it when it gets the n-th request for that path."""
    processes = []
    rule = server.faults.script(faults.first_do(lambda: processes[0].kill()), path=path, nth=nth)
    processes.append(subprocess.Popen(target.command, env=target.environment, stdout=subprocess.DEVNULL))
    assert processes[0].wait(60) == -signal.SIGKILL
    assert rule.used == 1


def asked_playlists(server):
    return [r.path for r in server.requests if r.template == "/v1/playlists/{id}" and r.status == 200]


def assert_finished_as_if_undisturbed(target, server, undisturbed):
    """No playlist was asked for twice but the one that was being read when the process died."""
    data_dir, before = target.folder, asked_playlists(server)
    target.run_to_end()
    assert_same_tables(images(data_dir), undisturbed)
    repeated = [path for path, count in Counter(asked_playlists(server)).items() if count > 1]
    assert set(repeated) <= set(before[-1:])
    assert list((data_dir / "spotify" / "journals").iterdir()) == []


@pytest.mark.parametrize(
    ("stage", "path", "nth"),
    [
        ("probing", "/v1/audio-features", 1),
        ("between playlists", A_PLAYLIST, 8),
        ("between pages", A_PAGE, 2),
        ("asking for artists", "/v1/artists", 3),
        ("asking for audio features", "/v1/audio-features", 4),
    ],
)
def test_an_extraction_killed_at_a_request_is_finished_by_the_next(
    stage, path, nth, server, ids, undisturbed, tmp_path
):
    target = spotify_extraction(tmp_path / "data", server, ids)
    kill_at_request(target, server, path, nth)
    print(f"killed: {stage}")
    assert_finished_as_if_undisturbed(target, server, undisturbed)


def test_an_extraction_killed_while_it_writes_a_unit_is_finished_by_the_next(
    server, ids, undisturbed, tmp_path
):
    for attempt in range(ATTEMPTS):
        server.requests.reset()
        target = spotify_extraction(tmp_path / f"attempt_{attempt}" / "data", server, ids)
        report = target.kill_in("a unit is being written")
        if report.hit:
            break
    assert report.hit, report
    assert_finished_as_if_undisturbed(target, server, undisturbed)
    assert len(asked_playlists(server)) == len(set(asked_playlists(server))), "all were in the journal"


def test_a_journal_whose_unit_is_done_already_is_not_taken_over_twice(server, ids, undisturbed, tmp_path):
    """As after a kill between the unit's done-record and the removal of the journal."""
    data_dir = tmp_path / "data"
    journals = data_dir / "spotify" / "journals"
    target = spotify_extraction(data_dir, server, ids)
    kill_at_request(target, server, A_PLAYLIST, 8)
    (journal,) = journals.glob("*.jsonl")
    content = journal.read_bytes()
    target.run_to_end()
    assert journal.stem[:24] in Lake(str(data_dir / "lake")).done_unit_ids("spotify")
    journal.write_bytes(content)
    server.requests.reset()
    assert_finished_as_if_undisturbed(target, server, undisturbed)
    assert asked_playlists(server) == []


def test_a_journal_with_a_half_written_line_gives_what_stands_before_it(server, ids, undisturbed, tmp_path):
    target = spotify_extraction(tmp_path / "data", server, ids)
    kill_at_request(target, server, A_PLAYLIST, 8)
    (journal,) = (target.folder / "spotify" / "journals").glob("*.jsonl")
    journal.write_bytes(journal.read_bytes() + b'{"subject":"playlist:x","kind":"playl')
    assert_finished_as_if_undisturbed(target, server, undisturbed)


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_extractions_killed_at_random_times_among_pauses_and_quota_stops_are_finished(world, tmp_path):
    seconds, undisturbed = run_undisturbed(world, tmp_path / "undisturbed" / "data", ())
    chance = random.Random(1)
    hits = Counter()
    for number in range(3 * RANDOM_KILLS):
        data_dir = tmp_path / f"random_{number}" / "data"
        with Server(world, app="legacy") as server:
            server.faults.storm(0.01, number, faults.quota_exceeded("2"))
            server.faults.storm(0.03, number)
            report = spotify_extraction(data_dir, server).kill_after(chance.uniform(0, seconds))
            finished = asked_playlists(server)[:-1]
            if report.hit:
                run_until_done(spotify_extraction(data_dir, server))
                assert_same_tables(images(data_dir), undisturbed)
                asked = Counter(asked_playlists(server))
                assert [path for path in finished if asked[path] > 1] == []
        hits[report.stage] += 1
        if hits.total() - hits[None] == RANDOM_KILLS:
            break
    for stage, count in hits.most_common():
        print(f"{count:>4} x {stage or 'it had ended before'}")
    assert hits.total() - hits[None] == RANDOM_KILLS


def run_until_done(target):
    """Run the command again for as long as limits end it."""
    for _ in range(20):
        done = subprocess.run(target.command, env=target.environment, capture_output=True, text=True)
        if done.returncode != PARTIAL:
            break
        time.sleep(2)
    assert done.returncode == 0, done.stderr
