"""The archive: answers as received, in the lake beside the rows that were made of them.

    spotify/archive/<date>/<kind>/<unit_id>.jsonl.zst

One line is one journal entry (`journal.py`); the date is the UTC day of the answer, the kind what was
asked for. A new column is had by making the rows of the archive anew.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

import orjson
import pyarrow as pa

from ingestion.lake import DoneRecord, Lake
from ingestion.spotify.journal import COMPLETE, Entry

CODEC = "zstd"


def archived(unit_id: str, entries: Sequence[Entry]) -> Iterator[tuple[str, bytes]]:
    """The files that hold these entries: path below the source's folder, and content.

    What says that a subject is complete is left out, for nothing else gets here.
    """
    lines: dict[tuple[str, str], list[bytes]] = defaultdict(list)
    for number, entry in enumerate(entries):
        if entry.kind != COMPLETE:
            day = entry.received_at.astimezone(UTC).date().isoformat()
            lines[day, entry.kind].append(orjson.dumps({"number": number, **asdict(entry)}) + b"\n")
    for (day, kind), content in lines.items():
        sink = pa.BufferOutputStream()
        with pa.CompressedOutputStream(sink, CODEC) as stream:
            stream.write(b"".join(content))
        yield f"archive/{day}/{kind}/{unit_id}.jsonl.zst", sink.getvalue().to_pybytes()


def unarchived(lake: Lake, unit: DoneRecord) -> list[Entry]:
    """The entries of a unit, in the order in which they came, each subject complete at the end.

    Raises LakeError where a file is missing or damaged.
    """
    numbered = []
    for part in unit.parts:
        if "/archive/" in part.path:
            content = pa.CompressedInputStream(pa.BufferReader(lake.read_bytes(part)), CODEC).read()
            for line in content.splitlines():
                fields = orjson.loads(line)
                at = datetime.fromisoformat(fields.pop("received_at"))
                numbered.append((fields.pop("number"), Entry(**fields, received_at=at)))
    entries = [entry for _, entry in sorted(numbered, key=lambda one: one[0])]
    ends = {entry.subject: entry.received_at for entry in entries}
    return entries + [Entry(subject, COMPLETE, "", at) for subject, at in ends.items()]
