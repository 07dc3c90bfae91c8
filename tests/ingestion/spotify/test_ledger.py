"""The ledger: no more requests than allowed, whoever sends them."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest

from ingestion.spotify.ledger import Ledger, Limits, OutOfRequestsError, Priority, ledger_file
from tests.support.clock import SimulatedClock

START = datetime(2026, 1, 5, 6, tzinfo=UTC)


class Waiting:
    """A ledger on a simulated clock, which sleeping moves on."""

    def __init__(self, path, **limits) -> None:
        self.clock = SimulatedClock(START)
        self.ledger = Ledger(path, Limits(**limits), self.clock.now, self._sleep)

    def _sleep(self, seconds: float) -> None:
        self.clock.advance(timedelta(seconds=seconds))

    @property
    def waited(self) -> timedelta:
        return self.clock.now() - START


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spotify" / "requests.sqlite"


def test_without_limits_nobody_waits(path):
    waiting = Waiting(path)
    for _ in range(200):
        waiting.ledger.take()
    assert waiting.waited == timedelta(0)


def test_no_thirty_seconds_hold_more_requests_than_the_window_allows(path):
    waiting = Waiting(path, window=5)
    sent = []
    for number in range(23):
        waiting.ledger.take()
        sent.append(waiting.clock.now())
        waiting.clock.advance(timedelta(seconds=number % 4))
    for at in sent:
        assert sum(at - timedelta(seconds=30) < other <= at for other in sent) <= 5


def test_a_spent_day_ends_the_run_and_says_when_to_go_on(path):
    waiting = Waiting(path, day=3)
    for _ in range(3):
        waiting.ledger.take()
        waiting.clock.advance(timedelta(hours=1))
    with pytest.raises(OutOfRequestsError, match="2026-01-06 06:00:00 UTC") as caught:
        waiting.ledger.take()
    assert caught.value.resume_at == START + timedelta(days=1)
    waiting.clock.set(caught.value.resume_at)
    waiting.ledger.take()


def test_search_leaves_requests_for_enrichment_and_that_for_the_playlists(path):
    waiting = Waiting(path, day=10)
    spent = {}
    for priority in (Priority.SEARCH, Priority.ENRICHMENT, Priority.PLAYLISTS):
        spent[priority] = 0
        with pytest.raises(OutOfRequestsError):
            while True:
                waiting.ledger.take(priority)
                spent[priority] += 1
    assert spent == {Priority.SEARCH: 6, Priority.ENRICHMENT: 2, Priority.PLAYLISTS: 2}


def test_a_short_pause_is_sat_through_by_every_extractor(path):
    first, second = Waiting(path), Waiting(path)
    first.ledger.pause(START + timedelta(seconds=40), "Retry-After")
    second.ledger.take()
    assert second.waited == timedelta(seconds=40)


def test_a_long_pause_ends_the_run(path):
    waiting = Waiting(path, longest_pause=timedelta(minutes=1))
    waiting.ledger.pause(START + timedelta(hours=3), "QUOTA_EXCEEDED")
    with pytest.raises(OutOfRequestsError, match="QUOTA_EXCEEDED; go on after 2026-01-05 09:00:00 UTC"):
        waiting.ledger.take()


def test_of_two_pauses_the_longer_one_counts(path):
    waiting = Waiting(path)
    waiting.ledger.pause(START + timedelta(seconds=60), "long")
    waiting.ledger.pause(START + timedelta(seconds=10), "short")
    waiting.ledger.take()
    assert waiting.waited == timedelta(seconds=60)


def test_another_app_in_the_same_folder_has_limits_and_pauses_of_its_own(tmp_path):
    first, second = (Waiting(ledger_file(tmp_path, app), day=2) for app in ("an app", "../another"))
    first.ledger.take()
    first.ledger.pause(START + timedelta(hours=3), "QUOTA_EXCEEDED")
    second.ledger.take()
    second.ledger.take()
    assert second.waited == timedelta(0)
    assert {file.parent for file in tmp_path.rglob("*.sqlite")} == {tmp_path}


def test_extractors_may_start_at_the_same_time(tmp_path):
    """Whichever opens the file first makes it; no other is told that it is locked."""
    start = Barrier(8)

    def open_and_take(path):
        start.wait()
        Ledger(path, Limits()).take()

    with ThreadPoolExecutor(8) as extractors:
        for number in range(50):
            list(extractors.map(open_and_take, [tmp_path / str(number) / "requests.sqlite"] * 8))


TAKES_TWENTY = """
import sys
from pathlib import Path
from ingestion.spotify.ledger import Ledger, Limits, OutOfRequestsError
taken = 0
try:
    ledger = Ledger(Path(sys.argv[1]), Limits(day=50))
    while taken < 20:
        ledger.take()
        taken += 1
except OutOfRequestsError:
    pass
print(taken)
"""


def test_processes_share_one_budget(path):
    processes = [
        subprocess.Popen([sys.executable, "-c", TAKES_TWENTY, str(path)], stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outputs = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0] * 4
    assert sum(map(int, outputs)) == 50
