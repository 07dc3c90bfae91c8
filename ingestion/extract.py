"""Extraction: from a file source to finished units in the lake, resumable at every unit."""

import logging
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.config import Settings
from ingestion.errors import BadInputError
from ingestion.hash_key import has_users, require_same_key
from ingestion.lake import Lake
from ingestion.progress import Progress
from ingestion.source import FileSource, Place, Stream
from ingestion.streams import write_stream
from ingestion.tables import QUARANTINED_INPUTS
from ingestion.units import SHOWN_QUARANTINED, Unit, Written, is_in_shard, write_units

log = logging.getLogger(__name__)


@dataclass
class ExtractResult:
    """What one extraction did.

    `rows` counts what was newly written, per raw table, and `quarantined` the rows of the quarantine among
    it. `bad_files` are those of the `files` that are in quarantine as a whole, whenever they were read.
    """

    source: str
    files: int = 0
    units_done_before: int = 0
    units_extracted: int = 0
    rows: Counter = field(default_factory=Counter)
    quarantined: int = 0
    bad_files: int = 0

    @property
    def bad_share(self) -> float:
        """The share of the files that is in quarantine."""
        return self.bad_files / max(self.files, self.bad_files, 1)


def extract(
    settings: Settings, source: FileSource, path: Path | str, shard: tuple[int, int] = (1, 1)
) -> ExtractResult:
    """Write every unit of the files at `path` that the lake does not hold yet.

    `shard` (i, n), 1 <= i <= n, takes the i-th of n disjoint shares of the units, so that n
    extractors share the work. Unreadable inputs become rows of `quarantined_inputs`.
    Raises FileNotFoundError where `path` holds no file of the source, and ConfigError where the
    source has users and the lake was made with another key for their hashes.
    """
    result = ExtractResult(source.name)
    lake = Lake(settings.lake_url)
    place = source.place(path)
    done_before: list[str] = []
    if isinstance(place, Stream):
        _extract_stream(settings, source, place, shard, result, done_before)
    else:
        _extract_place(settings, source, place, shard, result, done_before)
    result.units_done_before = len(done_before)
    result.bad_files += _bad_files(lake, source, done_before)
    return result


def require_few_bad_files(settings: Settings, result: ExtractResult) -> None:
    """Raises BadInputError where a larger share of song files is in quarantine than the settings allow."""
    limit = settings.msd_max_bad_share
    if result.source.startswith("msd") and result.bad_share > limit:
        raise BadInputError(
            f"{result.source}: {result.bad_files:,} of {result.files:,} files are in quarantine "
            f"({result.bad_share:.2%}), more than MSD_MAX_BAD_SHARE={limit:g} allows; "
            "all others are in the lake"
        )


def _extract_place(
    settings: Settings,
    source: FileSource,
    place: Place,
    shard: tuple[int, int],
    result: ExtractResult,
    done_before: list[str],
) -> None:
    lake = Lake(settings.lake_url)
    done = lake.done_unit_ids(source.name)
    new, files_done_before = [], 0
    for unit in (Unit.of(source, files) for files in source.units(place)):
        if not is_in_shard(unit.unit_id, shard):
            continue
        result.files += unit.file_count
        if unit.unit_id in done:
            done_before.append(unit.unit_id)
            files_done_before += unit.file_count
        else:
            new.append(unit)
    _begin(settings, source, lake)
    with Progress(f"extract {source.name}", result.files, source.counted_as) as progress:
        progress.skip(files_done_before)
        for unit, written in write_units(settings, source, place, new):
            _count(written, result)
            progress.advance(unit.file_count)


def _extract_stream(
    settings: Settings,
    source: FileSource,
    stream: Stream,
    shard: tuple[int, int],
    result: ExtractResult,
    done_before: list[str],
) -> None:
    _begin(settings, source, Lake(settings.lake_url))
    with Progress(f"extract {source.name}", None, source.counted_as) as progress:
        for unit in write_stream(settings, source, stream, shard):
            if unit.passed_over:
                log.info(
                    "%s: %s other files passed over, such as %s",
                    stream.file.path,
                    f"{unit.passed_over:,}",
                    ", ".join(unit.passed_over_names),
                )
            if not unit.is_mine:
                continue
            result.files += unit.files
            if unit.share_read:
                progress.expect(round(result.files / unit.share_read))
            if unit.written is None:
                done_before.append(unit.unit_id)
                progress.skip(unit.files)
            else:
                _count(unit.written, result)
                progress.advance(unit.files)


def _begin(settings: Settings, source: FileSource, lake: Lake) -> None:
    """Leave the marks of a first extraction: something was found that can be extracted."""
    settings.activate()
    settings.remember_real_data()
    if has_users(source):
        require_same_key(settings, lake)


def _count(written: Written, result: ExtractResult) -> None:
    result.units_extracted += 1
    result.rows += written.rows
    shown = SHOWN_QUARANTINED - result.quarantined
    result.quarantined += written.rows[QUARANTINED_INPUTS.name]
    result.bad_files += written.bad_files
    for row in written.quarantined[: max(shown, 0)]:
        item = f" ({row['item']})" if row["item"] else ""
        log.warning("quarantined %s%s: %s: %s", row["file_path"], item, row["reason"], row["detail"])


def _bad_files(lake: Lake, source: FileSource, unit_ids: Iterable[str]) -> int:
    """Files in these finished units that are in quarantine as a whole."""
    table = QUARANTINED_INPUTS.name
    with_bad = lake.units_with(source.name, table)
    count = 0
    for id_ in unit_ids:
        if id_ in with_bad:
            for part in lake.done_record(source.name, id_, with_bad[id_]).parts:
                if part.table == table:
                    items = [
                        item
                        for batch in lake.read_columns(part, ["item"])
                        for item in batch["item"].to_pylist()
                    ]
                    count += items.count("")
    return count
