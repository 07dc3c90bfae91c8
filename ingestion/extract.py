"""Extraction: from a file source to finished units in the lake, resumable at every unit."""

import logging
from collections import Counter
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path

from ingestion.config import Settings
from ingestion.inputs import source_root
from ingestion.lake import Lake, unit_id
from ingestion.progress import Progress
from ingestion.source import FileSource
from ingestion.tables import QUARANTINED_INPUTS

log = logging.getLogger(__name__)

SHOWN_QUARANTINED = 5
"""Quarantined inputs named in the log of a run; all of them are in the quarantine table."""


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
    Raises FileNotFoundError where `path` holds no file of the source.
    """
    index, count = shard
    lake = Lake(settings.lake_url)
    root = source_root(path)
    result = ExtractResult(source.name)
    done = lake.done_unit_ids(source.name)
    units = []
    for inputs in source.units(path):
        listed = [asdict(file) for file in inputs]
        id_ = unit_id(source.name, source.reader_version, listed)
        if int(id_, 16) % count == index - 1:
            units.append((id_, inputs, listed))
    settings.activate()
    settings.remember_real_data()
    result.files = sum(len(inputs) for _, inputs, _ in units)
    with Progress(f"extract {source.name}", result.files, source.counted_as) as progress:
        for id_, inputs, listed in units:
            if id_ in done:
                result.units_done_before += 1
            else:
                with lake.write_unit(source.name, id_, version("music-warehouse"), listed) as writer:
                    for table, batch in source.read_unit(root, inputs, settings.hash_user):
                        writer.write(table, batch)
                        result.rows[table.name] += batch.num_rows
                        if table is QUARANTINED_INPUTS:
                            _report(batch.to_pylist(), result)
                log.debug("unit %s of %s is done", id_, source.name)
                result.units_extracted += 1
            progress.advance(len(inputs))
    return result


def _report(quarantined: list[dict], result: ExtractResult) -> None:
    for row in quarantined:
        result.quarantined += 1
        if result.quarantined <= SHOWN_QUARANTINED:
            item = f" ({row['item']})" if row["item"] else ""
            log.warning("quarantined %s%s: %s: %s", row["file_path"], item, row["reason"], row["detail"])
