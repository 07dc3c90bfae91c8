"""Extraction: from a file source to finished units in the lake, resumable at every unit."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.config import Settings
from ingestion.errors import BadInputError, SourceError
from ingestion.hash_key import has_users, require_same_key
from ingestion.lake import Lake
from ingestion.progress import Progress
from ingestion.source import FileSource, Place, Stream
from ingestion.streams import UnitRead, write_stream
from ingestion.tables import QUARANTINED_INPUTS
from ingestion.units import SHOWN_QUARANTINED, Unit, Written, is_in_shard, write_units

log = logging.getLogger(__name__)


@dataclass
class ExtractResult:
    """What one extraction did.

    `rows` counts what was newly written, per raw table, and `quarantined` the rows of the quarantine among
    it. `bad_files` are those of the `files` that are in quarantine as a whole, whenever they were read;
    `bad_archives` says of each of the `archives` that could not be read to its end why that is.
    """

    source: str
    files: int = 0
    units_done_before: int = 0
    units_extracted: int = 0
    rows: Counter = field(default_factory=Counter)
    quarantined: int = 0
    bad_files: int = 0
    archives: int = 0
    bad_archives: list[str] = field(default_factory=list)

    @property
    def bad_share(self) -> float:
        """The share of the files that is in quarantine."""
        return self.bad_files / max(self.files, 1)


def extract(
    settings: Settings, source: FileSource, path: Path | str, shard: tuple[int, int] = (1, 1)
) -> ExtractResult:
    """Write every unit of the files at `path` that the lake does not hold yet.

    `shard` (i, n), 1 <= i <= n, takes the i-th of n disjoint shares of the units, so that n
    extractors share the work. Unreadable inputs become rows of `quarantined_inputs`; those that could
    not be had, whatever they hold, are tried again.
    Raises FileNotFoundError where `path` holds no file of the source, SourceError where it is archives
    that hold none, and ConfigError where the source has users and the lake was made with another key
    for their hashes.
    """
    place = source.place(path)
    extraction = _Extraction(settings, source, shard)
    if isinstance(place, Stream):
        extraction.take_stream(place)
    else:
        extraction.take_place(place)
        for stream in place.streams:
            extraction.take_stream(stream)
    extraction.require_files()
    return extraction.result


def require_few_bad_files(settings: Settings, result: ExtractResult) -> None:
    """Raises BadInputError where more is in quarantine than the settings allow, as `too_much_is_bad` says."""
    problem = too_much_is_bad(result.files, result.bad_files, result.bad_archives, settings.msd_max_bad_share)
    if result.source.startswith("msd") and problem:
        raise BadInputError(f"{result.source}: {problem}; all that could be read is in the lake")


def too_much_is_bad(files: int, bad_files: int, bad_archives: Sequence[str], limit: float) -> str | None:
    """What is wrong with the input as a whole; None if no more than a few files.

    That is a share of bad files above `limit`, and any archive that could not be read to its end: nobody
    knows how many songs are missing.
    """
    problems = list(bad_archives)
    share = bad_files / max(files, 1)
    if share > limit:
        problems.append(
            f"{bad_files:,} of {files:,} song files are in quarantine ({share:.2%}), "
            f"more than MSD_MAX_BAD_SHARE={limit:g} allows"
        )
    return "; ".join(problems) or None


class _Extraction:
    """One extraction under way: places and streams, one after the other."""

    def __init__(self, settings: Settings, source: FileSource, shard: tuple[int, int]) -> None:
        self._settings, self._source, self._shard = settings, source, shard
        self._lake = Lake(settings.lake_url)
        self._done = self._lake.done_unit_ids(source.name)
        self._with_quarantined = self._lake.units_with(source.name, QUARANTINED_INPUTS.name)
        self._files_in_all_shards = 0
        self._without_files: list[str] = []
        self.result = ExtractResult(source.name)

    def take_place(self, place: Place) -> None:
        """Extract what is new of a place's own files."""
        new, files_done_before = [], 0
        for unit in (Unit.of(self._source, files) for files in self._source.units(place)):
            self._files_in_all_shards += unit.file_count
            if not is_in_shard(unit.unit_id, self._shard):
                continue
            self.result.files += unit.file_count
            if unit.unit_id in self._done:
                self.result.units_done_before += 1
                files_done_before += unit.file_count
                unit = self._left_to_read(unit)
                if unit is None:
                    continue
                files_done_before -= unit.file_count
            new.append(unit)
        self._begin()
        if not self._files_in_all_shards:
            return
        with Progress(f"extract {self._source.name}", self.result.files, self._source.counted_as) as progress:
            progress.skip(files_done_before)
            for unit, written in write_units(self._settings, self._source, place, new):
                self._count(written)
                self.result.bad_files += written.bad_files
                progress.advance(unit.file_count)

    def take_stream(self, stream: Stream) -> None:
        """Extract what is new of the files in a stream."""
        self._begin()
        self.result.archives += 1
        files_in_all_shards = files = 0
        bad_before = len(self.result.bad_archives)
        with Progress(f"extract {self._source.name}", None, self._source.counted_as) as progress:
            for unit in write_stream(self._settings, self._source, stream, self._shard):
                if unit.is_end:
                    self._take_end(stream, unit)
                    continue
                files_in_all_shards += unit.files
                if not unit.is_mine:
                    continue
                files += unit.files
                if unit.share_read:
                    progress.expect(round(files / unit.share_read))
                if unit.written is None:
                    self.result.units_done_before += 1
                    self.result.bad_files += _whole_files(self._quarantined(unit.unit_id))
                    progress.skip(unit.files)
                else:
                    self._count(unit.written)
                    self.result.bad_files += unit.written.bad_files
                    progress.advance(unit.files)
        self.result.files += files
        self._files_in_all_shards += files_in_all_shards
        if not files_in_all_shards and len(self.result.bad_archives) == bad_before:
            self._without_files.append(stream.root)
            log.warning("no %s file in %s", " or ".join(self._source.suffixes), stream.root)

    def require_files(self) -> None:
        """Raises SourceError where all that was found are archives without files of the source."""
        if self._without_files and not self._files_in_all_shards:
            raise SourceError(
                f"no {' or '.join(self._source.suffixes)} file in {', '.join(self._without_files)}"
            )

    def _take_end(self, stream: Stream, unit: UnitRead) -> None:
        if unit.passed_over:
            log.info(
                "%s: %s other files passed over, such as %s",
                stream.file.path,
                f"{unit.passed_over:,}",
                ", ".join(unit.passed_over_names),
            )
        if unit.archives_inside:
            log.warning(
                "%s holds archives, which are not looked into (%s): unpack it and give the folder",
                stream.root,
                ", ".join(unit.archives_inside),
            )
        if not unit.is_mine:
            return
        if unit.written is None:
            self.result.units_done_before += 1
            rows = self._quarantined(unit.unit_id)
        else:
            self._count(unit.written)
            rows = unit.written.quarantined
        self.result.bad_archives += [f"{stream.root}: {row['reason']}: {row['detail']}" for row in rows]

    def _left_to_read(self, unit: Unit) -> Unit | None:
        """Files of a finished unit that could not be had, as a unit of their own; None if there are none.

        Counts the others that are in quarantine. What could not be had then either is the next such unit.
        """
        while unit.unit_id in self._done:
            rows = [row for row in self._quarantined(unit.unit_id) if not row["item"]]
            unread = {row["file_path"] for row in rows if row["reason"] in self._source.unread_reasons}
            self.result.bad_files += len(rows) - len(unread)
            if not unread:
                return None
            unit = Unit.again(self._source, unit, [file for file in unit.files if file.path in unread])
        return unit

    def _quarantined(self, unit_id: str) -> list[dict]:
        """What a finished unit holds in quarantine."""
        if unit_id not in self._with_quarantined:
            return []
        record = self._lake.done_record(self._source.name, unit_id, self._with_quarantined[unit_id])
        return [
            row
            for part in record.parts
            if part.table == QUARANTINED_INPUTS.name
            for batch in self._lake.read_columns(part, ["file_path", "item", "reason", "detail"])
            for row in batch.to_pylist()
        ]

    def _begin(self) -> None:
        """Leave the marks of a first extraction: something was found that can be extracted."""
        self._settings.activate()
        self._settings.remember_real_data()
        if has_users(self._source):
            require_same_key(self._settings, self._lake)

    def _count(self, written: Written) -> None:
        result = self.result
        if written.rows:
            result.units_extracted += 1
        result.rows += written.rows
        shown = SHOWN_QUARANTINED - result.quarantined
        result.quarantined += written.rows[QUARANTINED_INPUTS.name]
        for row in written.quarantined[: max(shown, 0)]:
            item = f" ({row['item']})" if row["item"] else ""
            log.warning("quarantined %s%s: %s: %s", row["file_path"], item, row["reason"], row["detail"])


def _whole_files(quarantined: Sequence[dict]) -> int:
    return sum(not row["item"] for row in quarantined)
