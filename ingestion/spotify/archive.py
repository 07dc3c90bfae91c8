"""The archive: answers as received, in the lake beside the rows that were made of them.

    spotify/archive/<date>/<kind>/<unit_id>.jsonl.zst

One line is one journal entry (`journal.py`); the date is the UTC day of the answer, the kind what was
asked for. A new column is had by making the rows of the archive anew (`reparse.py`).
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime

import orjson
import pyarrow as pa

from ingestion.inputs import UnreadableInputError
from ingestion.lake import DoneRecord, Lake, Part
from ingestion.spotify import answers, parse
from ingestion.spotify.journal import COMPLETE, Entry

CODEC = "zstd"


def archived(unit_name: str, entries: Iterable[Entry]) -> Iterator[tuple[str, bytes]]:
    """The files that hold these entries: path below the source's folder, and content.

    `unit_name` is that of the unit's revision. What says that a subject is complete is left out, for
    nothing else gets here.
    """
    lines: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for number, entry in enumerate(entries):
        if entry.kind != COMPLETE:
            day = _day(entry).isoformat()
            lines[day, entry.kind].append(orjson.dumps({"number": number, **asdict(entry)}) + b"\n")
    for (day, kind), content in lines.items():
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, CODEC) as stream:
            stream.write(b"".join(content))
        yield f"archive/{day}/{kind}/{unit_name}.jsonl.zst", sink.getvalue().to_pybytes()


def unarchived(lake: Lake, unit: DoneRecord) -> list[Entry]:
    """The entries of a unit, in the order in which they came, each subject complete at the end.

    Raises LakeError where a file is missing or damaged.
    """
    numbered = []
    for part in archive_of(unit):
        content = pa.CompressedInputStream(pa.BufferReader(lake.read_bytes(part)), CODEC).read()
        for line in content.splitlines():
            fields = orjson.loads(line)
            at = datetime.fromisoformat(fields.pop("received_at"))
            numbered.append((fields.pop("number"), Entry(**fields, received_at=at)))
    entries = [entry for _, entry in sorted(numbered, key=lambda one: one[0])]
    ends = {entry.subject: entry.received_at for entry in entries}
    return entries + [Entry(subject, COMPLETE, "", at) for subject, at in ends.items()]


def archive_of(unit: DoneRecord) -> list[Part]:
    """The archive files of a unit."""
    return [part for part in unit.parts if part.path.startswith(f"{unit.source}/archive/")]


def archived_on(part: Part) -> date:
    """The UTC day of the answers in an archive file."""
    return date.fromisoformat(part.path.split("/")[2])


def without_expired(
    entries: Iterable[Entry], before: date, survives: Callable[[str, str], bool]
) -> list[Entry]:
    """The entries received on that UTC day or later, and the answers of states that survive.

    `survives` is asked with a playlist id and a snapshot id.
    """
    kept: list[Entry] = []
    is_of_survivor: dict[str, bool] = {}
    for entry in entries:
        if entry.kind in answers.BEGINNINGS:
            is_of_survivor[entry.subject] = entry.kind == answers.PLAYLIST and _survives(entry, survives)
        if _day(entry) >= before or is_of_survivor.get(entry.subject, False):
            kept.append(entry)
    return kept


def _survives(entry: Entry, survives: Callable[[str, str], bool]) -> bool:
    try:
        head = parse.playlist_head(entry.answer, lambda _: "")
    except UnreadableInputError:
        return False
    return survives(head.playlist_id, head.snapshot_id)


def _day(entry: Entry) -> date:
    return entry.received_at.astimezone(UTC).date()
