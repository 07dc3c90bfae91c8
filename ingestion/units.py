"""Units of input files: read and written to the lake, where the reader may crash in processes of their own.

A process that dies is noticed and takes nothing with it; the file at fault is found, and quarantined.
"""

import os
import threading
import time
import zlib
from collections import Counter, deque
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from importlib.metadata import version
from itertools import chain, islice

import orjson
import pyarrow.compute as pc
from loky import ProcessPoolExecutor, cpu_count
from loky.process_executor import TerminatedWorkerError

from ingestion.config import Settings
from ingestion.errors import ReaderCrashError
from ingestion.inputs import InputFile, UnreadableInputError, accounting, file_row, quarantine_row
from ingestion.lake import Lake, unit_id
from ingestion.source import Batches, FileSource, Place
from ingestion.tables import FILES, QUARANTINED_INPUTS

SHOWN_QUARANTINED = 5
"""Quarantined inputs named in the log of a run; all of them are in the quarantine table."""

UNEXPLAINED_CRASHES = 3
"""Crashes without a culprit after which a unit is given up for this run; it stays to be read."""

IN_FLIGHT = 2
"""Units per process that are being read or next in turn: the rest waits where it takes no memory."""


@dataclass(frozen=True, slots=True)
class Unit:
    """Files that are extracted together, and the id that they give the unit.

    The files are kept packed: a million wait in 13 MB instead of 200.
    """

    unit_id: str
    file_count: int
    packed: bytes
    stated_inputs: tuple[dict, ...] = ()
    is_read_again: bool = False

    @classmethod
    def of(cls, source: FileSource, files: Sequence[InputFile], *inputs: dict) -> "Unit":
        """The unit that these files make; `inputs`, where given, say what they are in their place."""
        id_ = unit_id(source.name, source.reader_version, list(inputs) or [file.identity for file in files])
        packed = [[file.path, file.size_bytes, file.modified_ns, file.etag] for file in files]
        return cls(id_, len(files), zlib.compress(orjson.dumps(packed), level=1), inputs)

    @classmethod
    def again(cls, source: FileSource, unit: "Unit", files: Sequence[InputFile]) -> "Unit":
        """Files of a finished unit that could not be had, to be tried again."""
        inputs = [{"again_after": unit.unit_id}, *(file.identity for file in files)]
        return replace(cls.of(source, files, *inputs), is_read_again=True)

    @property
    def files(self) -> list[InputFile]:
        """The files, in the order of their paths."""
        return [InputFile(*file) for file in orjson.loads(zlib.decompress(self.packed))]

    @property
    def inputs(self) -> list[dict]:
        """What the done-record says it was made of."""
        return list(self.stated_inputs) or [file.identity for file in self.files]


@dataclass
class Written:
    """What one unit brought into the lake.

    Rows per raw table, the first rows of the quarantine table, how many files are in quarantine as a whole,
    and how many of these because they could not be had.
    """

    rows: Counter = field(default_factory=Counter)
    quarantined: list[dict] = field(default_factory=list)
    bad_files: int = 0
    unread_files: int = 0


class _NothingReadError(Exception):
    """Of a unit that is read again nothing could be had again: it would say nothing new."""


def is_in_shard(unit_id: str, shard: tuple[int, int]) -> bool:
    """Whether a unit belongs to share i of n."""
    index, count = shard
    return int(unit_id, 16) % count == index - 1


def write_units(
    settings: Settings, source: FileSource, place: Place, units: Iterable[Unit]
) -> Iterator[tuple[Unit, Written]]:
    """Write the units; where the reader may crash, in processes of their own, one per core."""
    if not source.may_crash:
        for unit in units:
            yield unit, write_files(settings, source, place, unit)
        return
    waiting = iter(units)
    while True:
        suspects, waiting = yield from _write_side_by_side(settings, source, place, waiting)
        if not suspects:
            return
        # Those that were sent first were being read, and one of them ended its process.
        waiting = chain(suspects[cpu_count() :], waiting)
        for unit in suspects[: cpu_count()]:
            yield unit, write_unit_that_may_crash(settings, source, place, unit)


def _write_side_by_side(
    settings: Settings, source: FileSource, place: Place, waiting: Iterator[Unit]
) -> Generator[tuple[Unit, Written], None, tuple[list[Unit], Iterator[Unit]]]:
    """Write units until there are none left, or a process dies; returns the suspects, and what still waits.

    Whichever unit a process died of, all that were on their way then say so.
    """
    first = list(islice(waiting, cpu_count()))
    waiting = chain(first, waiting)
    in_flight: deque[tuple[Unit, Future | None]] = deque()
    with _processes(max(1, len(first))) as pool:
        try:
            while True:
                for unit in islice(waiting, IN_FLIGHT * len(first) - len(in_flight)):
                    in_flight.append((unit, None))  # submitting fails once a process has died
                    in_flight[-1] = (unit, pool.submit(write_files, settings, source, place, unit))
                if not in_flight:
                    return [], waiting
                unit, future = in_flight[0]
                written = future.result()
                in_flight.popleft()
                yield unit, written
        except TerminatedWorkerError as error:
            raise_if_killed(error)
            suspects = []
            for unit, future in in_flight:
                if future and future.done() and not future.exception():
                    yield unit, future.result()
                else:
                    suspects.append(unit)
            return suspects, waiting


def write_files(
    settings: Settings, source: FileSource, place: Place, unit: Unit, crashing: Sequence[InputFile] = ()
) -> Written:
    """Write one unit; of its files, those that crash the reader are quarantined unread."""
    batches = _batches(settings, source, place, unit.files, crashing)
    return write_batches(settings, source, unit.unit_id, unit.inputs, batches, unit.is_read_again)


def write_batches(
    settings: Settings,
    source: FileSource,
    unit_id: str,
    inputs: list[dict],
    batches: Batches,
    is_read_again: bool = False,
) -> Written:
    """Write the rows of a unit, its done-record last.

    Of a unit that is read again nothing is written where no file of it could be had this time either.
    """
    written = Written()
    with (
        suppress(_NothingReadError),
        Lake(settings.lake_url).write_unit(
            source.name, unit_id, version("music-warehouse"), inputs
        ) as writer,
    ):
        for table, batch in batches:
            writer.write(table, batch)
            written.rows[table.name] += batch.num_rows
            if table is QUARANTINED_INPUTS:
                written.quarantined += batch.slice(length=SHOWN_QUARANTINED).to_pylist()
                reasons = batch["reason"].filter(pc.equal(batch["item"], "")).to_pylist()
                written.bad_files += len(reasons)
                written.unread_files += sum(reason in source.unread_reasons for reason in reasons)
        if is_read_again and written.unread_files == written.rows[FILES.name]:
            written.rows.clear()
            raise _NothingReadError
    return written


def _batches(
    settings: Settings,
    source: FileSource,
    place: Place,
    files: Sequence[InputFile],
    crashing: Sequence[InputFile],
) -> Batches:
    readable = [file for file in files if file not in crashing]
    yield from source.read_unit(place, readable, settings.hash_user)
    if crashing:
        error = UnreadableInputError("reader_crashed", "reading it ends the process")
        yield from accounting(
            [file_row(place.root, file, None, 0, 1) for file in crashing],
            [quarantine_row(place.root, file, error) for file in crashing],
        )


def write_unit_that_may_crash(settings: Settings, source: FileSource, place: Place, unit: Unit) -> Written:
    """Write a unit that was being read when a process died, without the files at fault if there are any.

    Raises ReaderCrashError where it goes on crashing and no file can be shown to be at fault.
    """
    files = unit.files
    crashing: list[InputFile] = []
    unexplained = 0
    while True:
        try:
            with _processes(1) as pool:
                return pool.submit(write_files, settings, source, place, unit, crashing).result()
        except TerminatedWorkerError as error:
            raise_if_killed(error)
            culprit = _crashing_file(settings, source, place, [f for f in files if f not in crashing])
            if culprit is not None:
                crashing.append(culprit)
                continue
            unexplained += 1
            if unexplained == UNEXPLAINED_CRASHES:
                raise ReaderCrashError(
                    f"reading {len(files)} files from {files[0].path} on ended the process "
                    f"{unexplained} times, and no file of them could be shown to be at fault: run again"
                ) from error


def _crashing_file(
    settings: Settings, source: FileSource, place: Place, files: Sequence[InputFile]
) -> InputFile | None:
    """The file with which the reader crashes and without which it does not, found by halving.

    None where that is not so each time it is tried: a healthy file must not be blamed.
    """

    def crashes(count: int) -> bool:
        try:
            with _processes(1) as pool:
                pool.submit(_read, settings, source, place, files[:count]).result()
        except TerminatedWorkerError as error:
            raise_if_killed(error)
            return True
        return False

    harmless, crashing = 0, len(files)
    while crashing - harmless > 1:
        tried = (harmless + crashing) // 2
        if crashes(tried):
            crashing = tried
        else:
            harmless = tried
    is_proven = crashes(crashing) and not crashes(crashing - 1) and crashes(crashing)
    return files[crashing - 1] if is_proven else None


def raise_if_killed(error: object) -> None:
    """A process that was killed from outside, for want of memory say, is no fault of what it read."""
    for signal in ("SIGKILL", "SIGTERM"):
        if signal in str(error):
            raise ReaderCrashError(
                f"a reading process was killed ({signal}): the system may be out of memory"
            ) from (error if isinstance(error, Exception) else None)


def _read(settings: Settings, source: FileSource, place: Place, files: Sequence[InputFile]) -> None:
    for _ in source.read_unit(place, files, settings.hash_user):
        pass


@contextmanager
def _processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes of their own for readers in C: one that dies is noticed and takes nothing with it."""
    pool = ProcessPoolExecutor(max_workers=count, initializer=end_with, initargs=(os.getpid(),))
    try:
        yield pool
    finally:
        pool.shutdown(kill_workers=True)


def end_with(parent: int) -> None:
    """End this process soon after its parent: killed, the parent cannot see to it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
