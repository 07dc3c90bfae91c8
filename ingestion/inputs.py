"""Input files: finding them, grouping them into lake units, recording what became of each.

Knows files and nothing of their content; the readers in the source packages know that.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from ingestion.tables import FILES, QUARANTINED_INPUTS, RawTable

LARGE_FILE_BYTES = 4 * 2**20
"""A file this large makes a unit of its own: its reading time, not its count, is what is lost on a kill."""


@dataclass(frozen=True, order=True)
class InputFile:
    """A file below a source root: `path` is relative to the root, with forward slashes."""

    path: str
    size_bytes: int
    modified_ns: int

    @property
    def modified_at(self) -> datetime:
        """Modification time, UTC, cut to the microsecond."""
        return datetime.fromtimestamp(self.modified_ns // 1000 / 1e6, tz=UTC)


class UnreadableInputError(Exception):
    """An input, or an item in it, that goes to quarantine: a short reason code and a detail for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def source_root(path: Path) -> Path:
    """The folder that input paths are relative to: `path` itself, or the folder of a single file."""
    path = path.expanduser().resolve()
    return path if path.is_dir() else path.parent


def find_inputs(path: Path, suffixes: Iterable[str]) -> list[InputFile]:
    """Every file at or below `path` with one of the suffixes (lower case, any case matches), sorted by path.

    Hidden files and folders are passed over. Raises FileNotFoundError where nothing is there
    or nothing of that kind is found: a mistyped path must not look like an empty source.
    """
    path = path.expanduser().resolve()
    wanted = tuple(suffixes)
    root = source_root(path)
    if path.is_file():
        found = [path]
    elif path.is_dir():
        found = [
            entry
            for entry in path.rglob("*")
            if entry.name.lower().endswith(wanted)
            and entry.is_file()
            and not any(part.startswith(".") for part in entry.relative_to(root).parts)
        ]
    else:
        raise FileNotFoundError(f"{path} does not exist")
    if not found:
        raise FileNotFoundError(f"no {' or '.join(wanted)} file at or below {path}")
    inputs = []
    for entry in found:
        stat = entry.stat()
        # A name that is not UTF-8 cannot be stored; with U+FFFD in it the file is not found again,
        # and so goes to quarantine under a name that a person can recognise.
        path = os.fsencode(entry.relative_to(root).as_posix()).decode("utf-8", "replace")
        inputs.append(InputFile(path, stat.st_size, stat.st_mtime_ns))
    return sorted(inputs)


def group_into_units(inputs: Sequence[InputFile], mean_files: int) -> Iterator[list[InputFile]]:
    """Runs of neighbouring files, about `mean_files` each and at most four times that.

    A run ends where the hash of a file's own path says so, so a file that comes or goes
    changes the run it is in and at most the next. A large file is a run of its own.
    """
    run: list[InputFile] = []
    for file in inputs:
        if file.size_bytes >= LARGE_FILE_BYTES:
            if run:
                yield run
                run = []
            yield [file]
            continue
        run.append(file)
        digest = hashlib.blake2b(file.path.encode(), digest_size=8).digest()
        if int.from_bytes(digest) % mean_files == 0 or len(run) >= 4 * mean_files:
            yield run
            run = []
    if run:
        yield run


def quarantine_row(root: Path, file: InputFile, error: UnreadableInputError, item: str = "") -> dict:
    """A row of `quarantined_inputs`; `item` names the part of the file, '' the whole file."""
    return {
        "file_path": file.path,
        "item": item,
        "source_root": str(root),
        "size_bytes": file.size_bytes,
        "reason": error.reason,
        "detail": error.detail[:1000],
    }


def file_row(
    root: Path, file: InputFile, kind: str | None, record_count: int, quarantined_count: int
) -> dict:
    """A row of `files`: what the file is and how many records came out of it."""
    return {
        "file_path": file.path,
        "source_root": str(root),
        "size_bytes": file.size_bytes,
        "modified_at": file.modified_at,
        "file_kind": kind,
        "record_count": record_count,
        "quarantined_count": quarantined_count,
    }


def accounting(files: list[dict], quarantined: list[dict]) -> Iterator[tuple[RawTable, pa.Table]]:
    """The batches that every reader ends a unit with: its files, and what was quarantined."""
    yield FILES, FILES.from_rows(files)
    if quarantined:
        yield QUARANTINED_INPUTS, QUARANTINED_INPUTS.from_rows(quarantined)
