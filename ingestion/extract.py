"""Extraction: from a file source to finished units in the lake, resumable at every unit."""

import logging
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.config import Settings
from ingestion.hash_key import has_users, require_same_key
from ingestion.lake import Lake
from ingestion.progress import Progress
from ingestion.source import FileSource
from ingestion.tables import QUARANTINED_INPUTS
from ingestion.units import SHOWN_QUARANTINED, Unit, Written, write_units

log = logging.getLogger(__name__)


@dataclass
class ExtractResult:
    """What one extraction did. `rows` counts what was newly written, per raw table."""

    source: str
    files: int = 0
    units_done_before: int = 0
    units_extracted: int = 0
    rows: Counter = field(default_factory=Counter)
    quarantined: int = 0


def extract(
    settings: Settings, source: FileSource, path: Path, shard: tuple[int, int] = (1, 1)
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
    done = lake.done_unit_ids(source.name)
    new, files_done_before = [], 0
    for unit in (Unit.of(source, files) for files in source.units(place)):
        if not is_in_shard(unit.unit_id, shard):
            continue
        result.files += unit.file_count
        if unit.unit_id in done:
            result.units_done_before += 1
            files_done_before += unit.file_count
        else:
            new.append(unit)
    _begin(settings, source, lake)
    with Progress(f"extract {source.name}", result.files, source.counted_as) as progress:
        progress.skip(files_done_before)
        for unit, written in write_units(settings, source, place, new):
            _count(written, result)
            progress.advance(unit.file_count)
    return result


def is_in_shard(unit_id: str, shard: tuple[int, int]) -> bool:
    """Whether a unit belongs to share i of n."""
    index, count = shard
    return int(unit_id, 16) % count == index - 1


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
    for row in written.quarantined[: max(shown, 0)]:
        item = f" ({row['item']})" if row["item"] else ""
        log.warning("quarantined %s%s: %s: %s", row["file_path"], item, row["reason"], row["detail"])
