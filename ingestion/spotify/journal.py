"""The journal: every answer of a run on disk before anything is made of it.

An answer costs a request, and requests are what an extraction has least of. So each is appended to a file
as it comes, and a run that is killed loses none: the next one finds the journal, takes over what
was complete, and asks for nothing twice. In the lake the same lines are the archive, from which
rows can be made anew.

One line is one answer, as JSON: what it was asked for (`subject`, `kind`, `url`), when it
came, and its body as received. A line of kind `complete` says that all answers for a subject are in.
No token is in it, but user ids are: the archive is purged with the rest.
"""

import json
import re
from collections.abc import Container, Iterable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
from filelock import FileLock, Timeout

COMPLETE = "complete"

SUFFIX = ".jsonl"

_USER_IN_PATH = re.compile(r"(/users/)[^/?#]+")


@dataclass(frozen=True)
class Entry:
    """An answer, or that a subject is complete (then without a body).

    `subject` is what several answers belong to: `playlist:ID`, `own_playlists`, `artists:...`.
    """

    subject: str
    kind: str
    url: str
    received_at: datetime
    body: str = ""

    @property
    def answer(self) -> dict:
        """The body as JSON. What is in a journal was JSON when it came."""
        return json_of(self.body)


class Journal:
    """The journal of one run, in a file of its own in `folder`; no other process touches it meanwhile."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"{uuid4().hex}{SUFFIX}"
        self._lock = FileLock(f"{self.path}.lock")
        self._lock.acquire()
        self._file = self.path.open("ab")

    def add(self, entry: Entry) -> None:
        """Append; it is with the operating system when this returns, and survives the process."""
        self._file.write(_line(entry))
        self._file.flush()

    def remove(self) -> None:
        """The entries are in the lake: the file goes."""
        self._file.close()
        _remove(self.path, self._lock)


def leftovers(folder: Path) -> Iterator[tuple[Path, FileLock]]:
    """Journals of runs that are no more, each with its lock held; those of living runs are passed over."""
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        lock = FileLock(f"{path}.lock")
        with suppress(Timeout):
            lock.acquire(timeout=0)
            if path.exists():
                yield path, lock
            lock.release()


def remove_leftover(path: Path, lock: FileLock) -> None:
    """What was complete in it is in the lake: the file goes."""
    _remove(path, lock)


def read_entries(path: Path) -> Iterator[Entry]:
    """The entries of a journal; a last line that a killed process left half is not one."""
    with path.open("rb") as lines:
        for line in lines:
            if not line.endswith(b"\n"):
                return
            yield _entry(line)


def complete_only(entries: Iterable[Entry], beginnings: Container[str]) -> list[Entry]:
    """The answers of the subjects that are complete, and their `complete` lines.

    An entry of a kind in `beginnings` starts its subject anew: what came before was given up.
    """
    waiting: dict[str, list[Entry]] = {}
    complete: list[Entry] = []
    for entry in entries:
        if entry.kind in beginnings:
            waiting[entry.subject] = []
        waiting.setdefault(entry.subject, []).append(entry)
        if entry.kind == COMPLETE:
            complete += waiting.pop(entry.subject)
    return complete


def without_user(url: str) -> str:
    """A URL as it may be shown: of `/v1/users/ID/playlists`, where one's own list goes on, without the id."""
    return _USER_IN_PATH.sub(r"\1...", url)


def json_of(text: str) -> Any:
    """The value of JSON text, of NaN and lone surrogates too, as they do come. Raises ValueError for others.

    What is taken for an answer when it comes is read again from journal and archive: both by this.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


def _line(entry: Entry) -> bytes:
    return orjson.dumps(asdict(entry)) + b"\n"


def _entry(line: bytes) -> Entry:
    fields = orjson.loads(line)
    return Entry(**{**fields, "received_at": datetime.fromisoformat(fields["received_at"])})


def _remove(path: Path, lock: FileLock) -> None:
    path.unlink(missing_ok=True)
    lock.release()
    Path(lock.lock_file).unlink(missing_ok=True)
