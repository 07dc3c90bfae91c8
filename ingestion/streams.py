"""Units of files that lie end to end in a stream, an archive: a process of its own reads and writes them.

Units are runs of so many files, known by what the archive is and by their number, so that they can be
told to be done before their files are known. The last unit holds the archive itself: once it is
done, how many units there are is known without reading.
"""

import os
import signal
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count, islice
from multiprocessing.connection import Connection

from loky.backend import get_context

from ingestion.config import Settings
from ingestion.errors import ReaderCrashError
from ingestion.inputs import InputFile, accounting, file_row, quarantine_row
from ingestion.lake import Lake, unit_id
from ingestion.source import FileSource, Reading, Stream
from ingestion.units import (
    UNEXPLAINED_CRASHES,
    Unit,
    Written,
    end_with,
    is_in_shard,
    raise_if_killed,
    write_batches,
    write_unit_that_may_crash,
)


@dataclass(frozen=True)
class UnitRead:
    """A unit of a stream that was passed.

    `written` is None where that was not for this extractor to do: the unit was done before, or is in
    another's share (`is_mine`). `share_read` is how much of the stream was read so far, from 0 to 1;
    the last unit, `is_end`, is that of the stream itself: it says what else was there.
    """

    unit_id: str
    files: int
    is_mine: bool
    written: Written | None
    share_read: float
    is_end: bool = False
    passed_over: int = 0
    passed_over_names: tuple[str, ...] = ()
    archives_inside: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Begun:
    """A unit is being read from here on."""

    number: int


def write_stream(
    settings: Settings, source: FileSource, stream: Stream, shard: tuple[int, int]
) -> Iterator[UnitRead]:
    """Write those units of a stream that are in the shard and not done; gives every unit that there is.

    All that lies in the stream is read, whatever the shard, unless it is known to be done. Raises
    ReaderCrashError where reading it goes on crashing.
    """
    passed: set[str] = set()
    unexplained = 0
    while True:
        if units := _known_units(settings, source, stream, shard):
            yield from (unit for unit in units if unit.unit_id not in passed)
            return
        number = None
        for message in _messages(settings, source, stream, shard):
            if isinstance(message, _Begun):
                number = message.number
            elif isinstance(message, UnitRead):
                number = None
                if message.unit_id not in passed:
                    passed.add(message.unit_id)
                    yield message
            else:
                break
        else:
            return
        unexplained += 1
        if number is None:
            if unexplained == UNEXPLAINED_CRASHES:
                raise ReaderCrashError(
                    f"reading {stream.root} ended the process {unexplained} times: run again"
                )
            continue
        unexplained = 0
        unit = _unit(source, stream, number)
        written = write_unit_that_may_crash(settings, source, stream, unit)
        passed.add(unit.unit_id)
        yield UnitRead(unit.unit_id, unit.file_count, True, written, 0)


def _messages(
    settings: Settings, source: FileSource, stream: Stream, shard: tuple[int, int]
) -> Iterator[_Begun | UnitRead | str]:
    """What the reading process says; where it dies, its name for that last. Raises what it raises."""
    context = get_context("loky")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(
        target=_read_through, args=(os.getpid(), sender, settings, source, stream, shard)
    )
    process.start()
    sender.close()
    try:
        while True:
            try:
                message = receiver.recv()
            except EOFError:
                break
            if isinstance(message, BaseException):
                raise message
            if message is None:
                return
            yield message
        process.join()
        died_of = signal.Signals(-process.exitcode).name if process.exitcode < 0 else "an error"
        raise_if_killed(died_of)
        yield died_of
    finally:
        receiver.close()
        if process.is_alive():
            os.kill(process.pid, signal.SIGKILL)
        process.join()


def _read_through(
    parent: int,
    sender: Connection,
    settings: Settings,
    source: FileSource,
    stream: Stream,
    shard: tuple[int, int],
) -> None:
    """Read the stream and write its units, and say so: None at the end, or the error that ended it."""
    end_with(parent)
    try:
        for message in _write(settings, source, stream, shard):
            sender.send(message)
        sender.send(None)
    except BrokenPipeError:  # nobody listens any more
        pass
    except Exception as error:
        error.add_note(traceback.format_exc())
        sender.send(error)


def _write(
    settings: Settings, source: FileSource, stream: Stream, shard: tuple[int, int]
) -> Iterator[_Begun | UnitRead]:
    done = Lake(settings.lake_url).done_unit_ids(source.name)
    reading = stream.read()
    members = reading.members()
    seen = 0
    for number in count():
        first = next(members, None)
        if first is None:
            break
        files = 0

        def counted(unit: Iterable) -> Iterator:
            nonlocal files
            for member in unit:
                files += 1
                yield member

        unit = counted(chain([first], islice(members, source.files_per_unit - 1)))
        inputs = [_unit_input(source, stream, number)]
        id_ = unit_id(source.name, source.reader_version, inputs)
        is_mine = is_in_shard(id_, shard)
        written = None
        if is_mine and id_ not in done:
            yield _Begun(number)
            batches = source.read_unit(stream.next_unit(unit), (), settings.hash_user)
            written = write_batches(settings, source, id_, inputs, batches)
        else:
            for _ in unit:
                pass
        seen += files
        yield UnitRead(id_, files, is_mine, written, reading.position / max(1, stream.file.size_bytes))
    end = _end_id(source, stream)
    written = None
    if is_in_shard(end, shard) and end not in done:
        written = _write_end(settings, source, stream, reading, number, seen)
    yield UnitRead(
        end,
        0,
        is_in_shard(end, shard),
        written,
        1.0,
        is_end=True,
        passed_over=reading.passed_over,
        passed_over_names=tuple(reading.passed_over_names),
        archives_inside=tuple(reading.archives_inside),
    )


def _write_end(
    settings: Settings, source: FileSource, stream: Stream, reading: Reading, units: int, files: int
) -> Written:
    """The last unit: the archive itself, what is wrong with it, and how many units there are."""
    quarantined = [quarantine_row(stream.folder, stream.file, reading.error)] if reading.error else []
    row = file_row(stream.folder, stream.file, "archive", files, len(quarantined))
    inputs = [{**stream.file.identity, "units": units, "files": files}]
    batches = accounting([row], quarantined)
    return write_batches(settings, source, _end_id(source, stream), inputs, batches)


def _known_units(
    settings: Settings, source: FileSource, stream: Stream, shard: tuple[int, int]
) -> list[UnitRead]:
    """All units of a stream that was read to its end, where those in the shard are done; else none."""
    lake = Lake(settings.lake_url)
    done = lake.done_unit_ids(source.name)
    end = _end_id(source, stream)
    if end not in done:
        return []
    (known,) = lake.done_record(source.name, end).inputs
    units = [UnitRead(end, 0, is_in_shard(end, shard), None, 1.0, is_end=True)]
    for number in range(known["units"]):
        id_ = unit_id(source.name, source.reader_version, [_unit_input(source, stream, number)])
        is_mine = is_in_shard(id_, shard)
        if is_mine and id_ not in done:
            return []
        files = min(source.files_per_unit, known["files"] - number * source.files_per_unit)
        units.append(UnitRead(id_, files, is_mine, None, 1.0))
    return units


def _unit(source: FileSource, stream: Stream, number: int) -> Unit:
    """The unit of that number, its files found by reading over all before them."""
    start = number * source.files_per_unit
    members = islice(stream.read().members(), start, start + source.files_per_unit)
    files: list[InputFile] = [member.file for member in members]
    return Unit.of(source, files, _unit_input(source, stream, number))


def _unit_input(source: FileSource, stream: Stream, number: int) -> dict:
    return {**stream.file.identity, "unit": number, "files_per_unit": source.files_per_unit}


def _end_id(source: FileSource, stream: Stream) -> str:
    return unit_id(source.name, source.reader_version, [{**stream.file.identity, "unit": "end"}])
