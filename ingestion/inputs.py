"""Input files: finding them, grouping them into lake units, recording what became of each.

Knows files and nothing of their content; the readers in the source packages know that.
"""

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from stat import S_ISREG

import pyarrow as pa

from ingestion.tables import FILES, QUARANTINED_INPUTS, RawTable

log = logging.getLogger(__name__)

LARGE_FILE_BYTES = 4 * 2**20
"""A file this large makes a unit of its own: its reading time, not its count, is what is lost on a kill."""


SHOWN_PASSED_OVER = 5
"""Names in the log of links that were passed over."""


@dataclass(frozen=True, order=True, slots=True)
class InputFile:
    """A file of a source: `path` is relative to the source's root, with forward slashes.

    `etag` is what a bucket says of an object's content, '' elsewhere.
    """

    path: str
    size_bytes: int
    modified_ns: int
    etag: str = ""

    @property
    def modified_at(self) -> datetime:
        """Modification time, UTC, cut to the microsecond."""
        return datetime.fromtimestamp(self.modified_ns // 1000 / 1e6, tz=UTC)

    @property
    def identity(self) -> dict:
        """What says that it is this file, unchanged: an object copied to another bucket keeps its ETag."""
        if self.etag:
            return {"path": self.path, "size_bytes": self.size_bytes, "etag": self.etag}
        return {"path": self.path, "size_bytes": self.size_bytes, "modified_ns": self.modified_ns}


class UnreadableInputError(Exception):
    """An input, or an item in it, that goes to quarantine: a short reason code and a detail for people."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def storable(path: str) -> str:
    """A path as it can be stored.

    A name that is not UTF-8 cannot; with U+FFFD in it the file is not found again, and so goes to
    quarantine under a name that a person can recognise.
    """
    return os.fsencode(path).decode("utf-8", "replace")


def is_hidden(path: str) -> bool:
    """Whether a name on the relative path begins with a dot: macOS leaves a `._X.h5` beside each `X.h5`."""
    return path.startswith(".") or "/." in path


def source_root(path: Path) -> Path:
    """The folder that input paths are relative to: `path` itself, or the folder of a single file."""
    path = path.expanduser().resolve()
    return path if path.is_dir() else path.parent


def find_inputs(path: Path, suffixes: Iterable[str]) -> Iterator[InputFile]:
    """Every file at or below `path` with one of the suffixes, as `list_inputs` gives them.

    Raises FileNotFoundError where nothing is there or nothing of that kind is found: a mistyped path must not
    look like an empty source.
    """
    wanted = tuple(suffixes)
    is_empty = True
    for file in list_inputs(path, wanted):
        is_empty = False
        yield file
    if is_empty:
        raise FileNotFoundError(f"no {' or '.join(wanted)} file at or below {path.expanduser().resolve()}")


def list_inputs(path: Path, suffixes: Iterable[str]) -> Iterator[InputFile]:
    """Every file at or below `path` with one of the suffixes (lower case, any case matches), in path order.

    They come one by one, so that a listing of millions takes no memory. Hidden files and folders are
    passed over. Links to files are followed; links to folders are not, and counted in the log. A file of
    which the system says nothing (a right is missing, a link leads to itself, a disk fails) is an input of
    0 bytes all the same, and so is a folder that cannot be listed: who reads it finds the error.
    Raises FileNotFoundError where nothing is at `path`.
    """
    path = path.expanduser().resolve()
    if path.is_file():
        yield input_file(path.name, path.stat())
        return
    if not path.is_dir():
        raise FileNotFoundError(f"{path} does not exist")
    passed_over: list[str] = []
    yield from _walk(os.fspath(path), "", tuple(suffixes), passed_over)
    if passed_over:
        shown = ", ".join(storable(name) for name in passed_over[:SHOWN_PASSED_OVER])
        log.warning(
            "%s: %s links and the like passed over, to folders or to nothing, such as %s",
            path,
            f"{len(passed_over):,}",
            shown,
        )


def input_file(path: str, stat: os.stat_result) -> InputFile:
    """A local file as an input."""
    return InputFile(storable(path), stat.st_size, stat.st_mtime_ns)


def _walk(folder: str, prefix: str, wanted: tuple[str, ...], passed_over: list[str]) -> Iterator[InputFile]:
    names = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                if entry.is_dir(follow_symlinks=False):
                    names.append(f"{entry.name}/")  # a folder sorts as its contents do
                elif entry.name.lower().endswith(wanted):
                    names.append(entry.name)
                elif entry.is_symlink() and os.path.isdir(entry.path):  # noqa: PTH112, as below
                    passed_over.append(f"{prefix}{entry.name}")
    except FileNotFoundError:  # gone meanwhile
        return
    except OSError as error:
        if not prefix:
            raise
        log.warning("%s cannot be listed: %s", folder, error.strerror)
        yield InputFile(storable(prefix.rstrip("/")), 0, 0)
    for name in sorted(names):
        path = f"{folder}/{name}"
        if name.endswith("/"):
            yield from _walk(path.rstrip("/"), f"{prefix}{name}", wanted, passed_over)
            continue
        try:
            found = os.stat(path)  # noqa: PTH116, a Path for each of a million files costs more than the call
        except FileNotFoundError:
            if os.path.islink(path):  # noqa: PTH114
                passed_over.append(f"{prefix}{name}")
            continue
        except OSError:
            yield InputFile(storable(f"{prefix}{name}"), 0, 0)
            continue
        if S_ISREG(found.st_mode):
            yield input_file(f"{prefix}{name}", found)
        else:
            passed_over.append(f"{prefix}{name}")


def group_into_units(inputs: Iterable[InputFile], mean_files: int) -> Iterator[list[InputFile]]:
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


def quarantine_row(root: Path | str, file: InputFile, error: UnreadableInputError, item: str = "") -> dict:
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
    root: Path | str, file: InputFile, kind: str | None, record_count: int, quarantined_count: int
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
