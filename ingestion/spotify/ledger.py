"""The ledger of requests: what every extractor of this machine has asked on one Spotify account.

Spotify counts requests per account, in a short window and over about a day, and publishes neither
number. Extractors that count for themselves run into both; so all of them, hand-started ones too, write each
request into one SQLite file before they send it, and a pause that one was told binds the others.
Which account an app belongs to Spotify tells nobody: without a name for it, an app is taken for one.
Knows nothing of HTTP.
"""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum
from pathlib import Path
from threading import Lock
from urllib.parse import quote

from filelock import FileLock

from ingestion.errors import IngestionError

WINDOW = timedelta(seconds=30)
DAY = timedelta(hours=24)

LOCK_SECONDS = 60.0
"""An extractor holds the file for less than a millisecond; one that holds it for so long is stuck."""


class Priority(Enum):
    """What a request is for; its value is the share of the day's budget that may be spent on such.

    What comes later in a run must not take what the next run's playlists need.
    """

    PLAYLISTS = 1.0
    ENRICHMENT = 0.8
    SEARCH = 0.6


class OutOfRequestsError(IngestionError):
    """No request may be sent before `resume_at` (UTC): what is complete stays, the next run goes on."""

    def __init__(self, reason: str, resume_at: datetime) -> None:
        super().__init__(f"{reason}; go on after {resume_at:%Y-%m-%d %H:%M:%S} UTC")
        self.reason = reason
        self.resume_at = resume_at


@dataclass(frozen=True)
class Limits:
    """How many requests this machine may send: `window` in any 30 seconds, `day` in any 24 hours.

    None is no limit of our own. Where several machines share an account, each gets its share.
    `longest_pause` is what an extractor sits through; a longer one ends its run.
    """

    window: int | None = None
    day: int | None = None
    longest_pause: timedelta = timedelta(minutes=5)


def ledger_file(folder: Path, account: str) -> Path:
    """The file of an account's ledger in the folder of them: the limits of another one are others."""
    return folder / f"requests-{quote(account, safe='')}.sqlite"


class Ledger:
    """The requests of one account, in the SQLite file at `path`; safe among processes and threads."""

    def __init__(
        self,
        path: Path,
        limits: Limits,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._limits, self._now, self._sleep = limits, now, sleep
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = Lock()
        self._connection = sqlite3.connect(
            path, timeout=LOCK_SECONDS, isolation_level=None, check_same_thread=False
        )
        # SQLite does not wait where two processes change the mode of a new file at once.
        with FileLock(f"{path}.lock", timeout=LOCK_SECONDS):
            # Without a wait for the disk at each request: a process that is killed loses nothing by it.
            self._connection.execute("pragma journal_mode = wal")
            self._connection.execute("pragma synchronous = normal")
            with self._transaction() as ledger:
                ledger.execute("create table if not exists requests (sent_at real not null)")
                ledger.execute("create index if not exists requests_by_time on requests (sent_at)")
                ledger.execute(
                    "create table if not exists pauses (until real not null, reason text not null)"
                )

    def take(self, priority: Priority = Priority.PLAYLISTS) -> None:
        """Enter one request, when there is room for it; waits for the window and for short pauses.

        Raises OutOfRequestsError where the wait is longer than an extractor sits through.
        """
        while True:
            wait = self._try_to_take(priority)
            if wait is None:
                return
            reason, until = wait
            seconds = (until - self._now()).total_seconds()
            if seconds > self._limits.longest_pause.total_seconds():
                raise OutOfRequestsError(reason, until)
            self._sleep(max(seconds, 0.01))

    def pause(self, until: datetime, reason: str) -> None:
        """Keep every extractor of the account from sending before `until`."""
        with self._transaction() as ledger:
            ledger.execute("insert into pauses values (?, ?)", (until.timestamp(), reason))

    def _try_to_take(self, priority: Priority) -> tuple[str, datetime] | None:
        """None where the request was entered, else why not and until when."""
        now = self._now()
        with self._transaction() as ledger:
            ledger.execute("delete from requests where sent_at <= ?", ((now - DAY).timestamp(),))
            ledger.execute("delete from pauses where until <= ?", (now.timestamp(),))
            pause = ledger.execute("select until, reason from pauses order by until desc limit 1").fetchone()
            if pause:
                return pause[1], datetime.fromtimestamp(pause[0], UTC)
            if self._limits.day is not None:
                allowed = int(self._limits.day * priority.value)
                free_at = self._free_at(ledger, allowed, DAY)
                if free_at:
                    return f"the day's {allowed:,} requests for {priority.name.lower()} are spent", free_at
            if self._limits.window is not None:
                free_at = self._free_at(ledger, self._limits.window, WINDOW)
                if free_at:
                    return f"{self._limits.window} requests in {WINDOW.seconds} seconds", free_at
            ledger.execute("insert into requests values (?)", (now.timestamp(),))
        return None

    def _free_at(self, ledger: sqlite3.Connection, allowed: int, span: timedelta) -> datetime | None:
        """When the span has room for one more request, None where it has now."""
        if self._count_since(ledger, self._now() - span) < allowed:
            return None
        last_allowed = ledger.execute(
            "select sent_at from requests where rowid = (select max(rowid) from requests) - ?", (allowed - 1,)
        ).fetchone()
        return (datetime.fromtimestamp(last_allowed[0], UTC) if last_allowed else self._now()) + span

    @staticmethod
    def _count_since(ledger: sqlite3.Connection, since: datetime) -> int:
        """Requests since then: they are numbered in the order of time, and only the oldest are removed."""
        first = ledger.execute(
            "select (select max(rowid) from requests) - rowid + 1 from requests "
            "where sent_at > ? order by sent_at, rowid limit 1",
            (since.timestamp(),),
        ).fetchone()
        return first[0] if first else 0

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            # The lock of the file comes first: two processes must not both see room.
            self._connection.execute("begin immediate")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("rollback")
                raise
            self._connection.execute("commit")
