"""Retention: what a source said is kept for as many days as are set for it, then removed.

Days count from when something was last confirmed: `spotify.py` says what that means for Spotify's Web API,
`files.py` for files. Lake and raw are rewritten; marts follow with the next `dbt build`. What changed in
playlists is kept before the states that it is derived from go.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version

import pyarrow as pa

from ingestion.config import Settings
from ingestion.lake import DoneRecord, Lake, unit_id
from ingestion.load import load
from ingestion.progress import Progress
from ingestion.retention import files, spotify, spotify_survivors
from ingestion.retention.result import RetentionResult
from ingestion.retention.survivors import Rules, Survivors, survivors
from ingestion.rewriting import lake_to_rewrite
from ingestion.source import FileSource, Source

__all__ = ["RetentionResult", "retain"]

log = logging.getLogger(__name__)

RULES = {rules.source.name: rules for rules in (spotify_survivors.RULES, files.RULES)}
"""Of the sources that have playlists, and with them a history."""

KEPT_CHANGES = {"derived_by": "dbt"}
"""The input of a unit that holds changes kept from retention: it is never due itself."""


def retain(
    settings: Settings, source: Source, days: int | None, today: date | None = None
) -> RetentionResult:
    """Remove what the source last confirmed more than `days` days before `today` (UTC), and load the rest.

    Without `days` everything is kept, and in the sandbox, whose days are long ago. Twice is as good as
    once, and where it was killed the next time completes it. Raises LoadError where the warehouse is
    held by another process.
    """
    if settings.is_sandbox:
        log.info("the sandbox keeps everything")
        return RetentionResult()
    if days is None:
        return RetentionResult()
    cutoff = (today or datetime.now(UTC).date()) - timedelta(days=days)
    result = RetentionResult(cutoff)
    with lake_to_rewrite(settings, source) as lake:
        revisions = lake.current_revisions(source.name)  # before the load, so that raw holds every one
        load(settings, source)
        with _survivors(settings, source, cutoff) as surviving:
            if surviving is not None:
                result.playlists_held = surviving.playlists_held
                result.changes_kept = _keep_changes(lake, RULES[source.name], surviving.changes)
            if result.playlists_held:
                log.warning(
                    "%s playlists hold states that are due to be removed and of which no changes were "
                    "derived yet: they stay until `dbt build` was run",
                    f"{result.playlists_held:,}",
                )
            with Progress(f"retention {source.name}", len(revisions), "units") as progress:
                for id_, revision in revisions.items():
                    unit = lake.done_record(source.name, id_, revision)
                    if not isinstance(source, FileSource):
                        spotify.remove_expired(lake, unit, surviving, result)
                    elif _is_due(unit, cutoff):
                        files.remove_expired(lake, source, unit, surviving, result)
                    progress.advance(1)
    if result.units_rewritten or result.changes_kept:
        load(settings, source)
    log.info(
        "retention %s: before %s, %s rows and %s answers removed; %s changes kept",
        source.name,
        cutoff,
        f"{result.rows.total():,}",
        f"{result.archive_entries:,}",
        f"{result.changes_kept:,}",
    )
    return result


def _is_due(unit: DoneRecord, cutoff: date) -> bool:
    return unit.extracted_at.date() < cutoff and bool(unit.parts) and KEPT_CHANGES not in unit.inputs


@contextmanager
def _survivors(settings: Settings, source: Source, cutoff: date) -> Iterator[Survivors | None]:
    """What survives of a source that has playlists; None of one that has none."""
    if source.name not in RULES:
        yield None
        return
    with survivors(settings, RULES[source.name], cutoff) as surviving:
        yield surviving


def _keep_changes(lake: Lake, rules: Rules, changes: pa.Table) -> int:
    """Write the changes into a unit of their own, the same one for the same changes."""
    if changes.num_rows:
        source, table = rules.source.name, rules.kept_in
        id_ = unit_id(source, 1, changes.select(table.primary_key).to_pylist())
        with lake.write_unit(source, id_, version("music-warehouse"), [KEPT_CHANGES]) as unit:
            unit.write(table, changes)
    return changes.num_rows
