"""What a run has learnt, on its way to the lake: answers by way of the journal, events for the log.

Every answer is in the journal at once; every so often the complete subjects become a unit of the lake,
rows and archive together. A journal that a killed run left behind is taken over by the next one.
"""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from uuid import uuid4

from ingestion.errors import IngestionError
from ingestion.lake import Lake
from ingestion.spotify import answers
from ingestion.spotify.api import Answer, CallRefusedError
from ingestion.spotify.archive import archived
from ingestion.spotify.journal import (
    COMPLETE,
    Entry,
    Journal,
    complete_only,
    leftovers,
    read_entries,
    remove_leftover,
)
from ingestion.spotify.known import SOURCE
from ingestion.spotify.tables import EXTRACTION_LOG

log = logging.getLogger(__name__)

UNIT_ANSWERS = 500
"""Answers per lake unit: some 10,000 items, worth a load."""

UNIT_CHARACTERS = 32_000_000
"""Of all bodies in a unit, which is read into memory at once: some 130 pages of 100 items."""


class Recorder:
    """The record of one run. `folder` is this machine's own; `lake` is everybody's.

    `rows` and `units` count what reached the lake.
    """

    def __init__(
        self, lake: Lake, folder: Path, hash_user: Callable[[str], str], now: Callable[[], datetime]
    ) -> None:
        self.rows: Counter[str] = Counter()
        self.units = 0
        self._lake, self._folder, self._hash_user, self._now = lake, folder / "journals", hash_user, now
        self._run_id = uuid4().hex
        self._events: list[dict] = []
        self._event_count = 0
        self._take_over()
        self._open()

    def keep(self, subject: str, kind: str, answer: Answer) -> None:
        """An answer for a subject."""
        self._journal.add(Entry(subject, kind, answer.url, answer.received_at, answer.body))
        self._answers += 1
        self._characters += len(answer.body)

    def gone(self, subject: str, url: str) -> None:
        """That a subject is not there; nothing more is to come for it."""
        self._journal.add(Entry(subject, answers.GONE, url, self._now()))
        self.complete(subject)

    def complete(self, subject: str) -> None:
        """All answers for a subject are in."""
        self._journal.add(Entry(subject, COMPLETE, "", self._now()))
        if self._answers >= UNIT_ANSWERS or self._characters >= UNIT_CHARACTERS:
            self.commit()

    def note(self, event: str, endpoint: str = "", status: int | None = None, detail: str = "") -> None:
        """Enter something into the extraction log."""
        self._events.append(
            {
                "run_id": self._run_id,
                "event_number": self._event_count,
                "logged_at": self._now(),
                "event": event,
                "endpoint": endpoint,
                "http_status": status,
                "detail": detail[:1000],
            }
        )
        self._event_count += 1

    def endpoint_off(self, error: CallRefusedError) -> None:
        """This app may not call an endpoint: a warning and a line in the extraction log."""
        log.warning("off for now: %s", error)
        self.note("endpoint_off", error.url.partition("?")[0], error.status, error.message)

    def refused(self, error: CallRefusedError) -> None:
        """Spotify refuses one thing: a warning and a line in the extraction log."""
        log.warning("%s", error)
        self.note("refused", error.url.partition("?")[0], error.status, error.message)

    def problem(self, event: str, what: str, error: IngestionError | str) -> None:
        """Something could not be read: a warning and a line in the extraction log."""
        log.warning("%s: %s", what, error)
        self.note(event, what, detail=str(error))

    def commit(self) -> None:
        """What is complete, and the events so far, into the lake; then a new journal."""
        self.close()
        self._open()

    def close(self) -> None:
        """What is complete, and the events so far, into the lake."""
        self._write_unit(self._journal.path)
        self._journal.remove()

    def _open(self) -> None:
        self._journal = Journal(self._folder)
        self._answers = self._characters = 0

    def _take_over(self) -> None:
        """What runs that are no more had complete, into the lake: no request is made twice for it."""
        for path, lock in leftovers(self._folder):
            if _unit_id(path) not in self._lake.done_unit_ids(SOURCE):  # killed before its file was removed
                self._write_unit(path)
            remove_leftover(path, lock)

    def _write_unit(self, journal: Path) -> None:
        """A unit of what is complete in a journal."""
        unit_id = _unit_id(journal)
        entries = complete_only(read_entries(journal), answers.BEGINNINGS)
        if not (entries or self._events):
            return
        rows = answers.rows_of(entries, self._hash_user)
        for event in self._events:
            rows.put(EXTRACTION_LOG, event)
        inputs = [{"subjects": sorted({entry.subject for entry in entries})}]
        with self._lake.write_unit(SOURCE, unit_id, version("music-warehouse"), inputs) as unit:
            for table, batch in rows.tables():
                unit.write(table, batch)
                self.rows[table.name] += batch.num_rows
            for name, content in archived(unit_id, entries):
                unit.attach(name, content)
        self._events.clear()
        self.units += 1


def _unit_id(journal: Path) -> str:
    """The unit that is made of a journal, of whose name it is: twice is once."""
    return journal.stem[:24]
