"""Extraction: from a file source to finished units in the lake, resumable at every unit."""

import logging
import os
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from loky import ProcessPoolExecutor, cpu_count
from loky.process_executor import TerminatedWorkerError

from ingestion.config import Settings
from ingestion.errors import ReaderCrashError
from ingestion.hash_key import has_users, require_same_key
from ingestion.inputs import (
    InputFile,
    UnreadableInputError,
    accounting,
    file_row,
    quarantine_row,
    source_root,
)
from ingestion.lake import Lake, unit_id
from ingestion.progress import Progress
from ingestion.source import Batches, FileSource
from ingestion.tables import QUARANTINED_INPUTS

log = logging.getLogger(__name__)

SHOWN_QUARANTINED = 5
"""Quarantined inputs named in the log of a run; all of them are in the quarantine table."""

UNEXPLAINED_CRASHES = 3
"""Crashes without a culprit after which a unit is given up for this run; it stays to be read."""


@dataclass
class ExtractResult:
    """What one extraction did. `rows` counts what was newly written, per raw table."""

    source: str
    files: int = 0
    units_done_before: int = 0
    units_extracted: int = 0
    rows: Counter = field(default_factory=Counter)
    quarantined: int = 0


@dataclass(frozen=True)
class _Unit:
    """Files that are extracted together, and the id that they give the unit."""

    unit_id: str
    files: list[InputFile]


@dataclass
class _Written:
    """What one unit brought into the lake: rows per raw table, and the first rows of the quarantine table."""

    rows: Counter = field(default_factory=Counter)
    quarantined: list[dict] = field(default_factory=list)


def extract(
    settings: Settings, source: FileSource, path: Path, shard: tuple[int, int] = (1, 1)
) -> ExtractResult:
    """Write every unit of the files at `path` that the lake does not hold yet.

    `shard` (i, n), 1 <= i <= n, takes the i-th of n disjoint shares of the units, so that n
    extractors share the work. Unreadable inputs become rows of `quarantined_inputs`.
    Raises FileNotFoundError where `path` holds no file of the source, and ConfigError where the
    source has users and the lake was made with another key for their hashes.
    """
    index, count = shard
    result = ExtractResult(source.name)
    lake = Lake(settings.lake_url)
    done = lake.done_unit_ids(source.name)
    units = []
    for files in source.units(path):
        unit = _Unit(unit_id(source.name, source.reader_version, [asdict(file) for file in files]), files)
        if int(unit.unit_id, 16) % count == index - 1:
            units.append(unit)
    settings.activate()
    settings.remember_real_data()
    if has_users(source):
        require_same_key(settings, lake)
    result.files = sum(len(unit.files) for unit in units)
    with Progress(f"extract {source.name}", result.files, source.counted_as) as progress:
        new = []
        for unit in units:
            if unit.unit_id in done:
                result.units_done_before += 1
                progress.advance(len(unit.files))
            else:
                new.append(unit)
        for unit, written in _write_units(settings, source, source_root(path), new):
            result.units_extracted += 1
            result.rows += written.rows
            _report(written, result)
            progress.advance(len(unit.files))
    return result


def _report(written: _Written, result: ExtractResult) -> None:
    shown = SHOWN_QUARANTINED - result.quarantined
    result.quarantined += written.rows[QUARANTINED_INPUTS.name]
    for row in written.quarantined[: max(shown, 0)]:
        item = f" ({row['item']})" if row["item"] else ""
        log.warning("quarantined %s%s: %s: %s", row["file_path"], item, row["reason"], row["detail"])


def _write_units(
    settings: Settings, source: FileSource, root: Path, units: Sequence[_Unit]
) -> Iterator[tuple[_Unit, _Written]]:
    """Write the units; where the reader may crash, in processes of their own, one per core."""
    if not source.may_crash:
        for unit in units:
            yield unit, _write_unit(settings, source, root, unit)
        return
    processes = min(cpu_count(), len(units))
    pending = list(units)
    while pending:
        with _processes(processes) as pool:
            futures = []
            # One that crashes at once keeps the others from being submitted.
            with suppress(TerminatedWorkerError):
                for unit in pending:
                    futures.append(pool.submit(_write_unit, settings, source, root, unit))
            suspects = []
            for unit, future in zip(pending, futures, strict=False):
                try:
                    yield unit, future.result()
                except TerminatedWorkerError as error:  # whichever unit it was, all that were not done say so
                    _raise_if_killed(error)
                    suspects.append(unit)
            suspects += pending[len(futures) :]
        pending = suspects[processes:]
        for unit in suspects[:processes]:
            yield unit, _write_unit_that_may_crash(settings, source, root, unit)


def _write_unit(
    settings: Settings, source: FileSource, root: Path, unit: _Unit, crashing: Sequence[InputFile] = ()
) -> _Written:
    """Write one unit; of its files, those that crash the reader are quarantined unread."""
    written = _Written()
    inputs = [asdict(file) for file in unit.files]
    with Lake(settings.lake_url).write_unit(
        source.name, unit.unit_id, version("music-warehouse"), inputs
    ) as writer:
        for table, batch in _batches(settings, source, root, unit, crashing):
            writer.write(table, batch)
            written.rows[table.name] += batch.num_rows
            if table is QUARANTINED_INPUTS:
                written.quarantined += batch.slice(length=SHOWN_QUARANTINED).to_pylist()
    return written


def _batches(
    settings: Settings, source: FileSource, root: Path, unit: _Unit, crashing: Sequence[InputFile]
) -> Batches:
    readable = [file for file in unit.files if file not in crashing]
    yield from source.read_unit(root, readable, settings.hash_user)
    if crashing:
        error = UnreadableInputError("reader_crashed", "reading it ends the process")
        yield from accounting(
            [file_row(root, file, None, 0, 1) for file in crashing],
            [quarantine_row(root, file, error) for file in crashing],
        )


def _write_unit_that_may_crash(settings: Settings, source: FileSource, root: Path, unit: _Unit) -> _Written:
    """Write a unit that was being read when a process died, without the files at fault if there are any.

    Raises ReaderCrashError where it goes on crashing and no file can be shown to be at fault.
    """
    crashing: list[InputFile] = []
    unexplained = 0
    while True:
        try:
            with _processes(1) as pool:
                return pool.submit(_write_unit, settings, source, root, unit, crashing).result()
        except TerminatedWorkerError as error:
            _raise_if_killed(error)
            culprit = _crashing_file(settings, source, root, [f for f in unit.files if f not in crashing])
            if culprit is not None:
                crashing.append(culprit)
                continue
            unexplained += 1
            if unexplained == UNEXPLAINED_CRASHES:
                raise ReaderCrashError(
                    f"reading {len(unit.files)} files from {unit.files[0].path} on ended the process "
                    f"{unexplained} times, and no file of them could be shown to be at fault: run again"
                ) from error


def _crashing_file(
    settings: Settings, source: FileSource, root: Path, files: Sequence[InputFile]
) -> InputFile | None:
    """The file with which the reader crashes and without which it does not, found by halving.

    None where that is not so each time it is tried: a healthy file must not be blamed.
    """

    def crashes(count: int) -> bool:
        try:
            with _processes(1) as pool:
                pool.submit(_read, settings, source, root, files[:count]).result()
        except TerminatedWorkerError as error:
            _raise_if_killed(error)
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


def _raise_if_killed(error: TerminatedWorkerError) -> None:
    """A process that was killed from outside, for want of memory say, is no fault of what it read."""
    for signal in ("SIGKILL", "SIGTERM"):
        if signal in str(error):
            raise ReaderCrashError(
                f"a reading process was killed ({signal}): the system may be out of memory"
            ) from error


def _read(settings: Settings, source: FileSource, root: Path, files: Sequence[InputFile]) -> None:
    for _ in source.read_unit(root, files, settings.hash_user):
        pass


@contextmanager
def _processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes of their own for readers in C: one that dies is noticed and takes nothing with it."""
    pool = ProcessPoolExecutor(max_workers=count, initializer=_end_with, initargs=(os.getpid(),))
    try:
        yield pool
    finally:
        pool.shutdown(kill_workers=True)


def _end_with(parent: int) -> None:
    """End this process soon after its parent: killed, the parent cannot see to it."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
