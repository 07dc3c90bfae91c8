"""Retention: what a source said is kept for as many days as are set for it, then removed.

Days count from when something was last confirmed, which the rules of each source define (`web_api.py`,
`playlist_files.py`). Lake and raw are rewritten; marts follow with the next `dbt build`. What changed in
playlists is kept before the states that it is derived from go: a state whose changes dbt has not derived yet
stays until it has, and so does what was seen after it; what was seen before goes.
"""

import logging
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import version

import pyarrow as pa

from ingestion.config import Settings
from ingestion.lake import Lake, unit_id
from ingestion.load import load
from ingestion.progress import Progress
from ingestion.retention import playlist_files, web_api
from ingestion.retention.result import RetentionResult
from ingestion.retention.survivors import Rules, survivors
from ingestion.retention.units import remove_expired
from ingestion.rewriting import lake_to_rewrite
from ingestion.source import Source
from ingestion.warehouse_file import compact_where_worthwhile

__all__ = ["RetentionResult", "retain"]

log = logging.getLogger(__name__)

RULES = {rules.source.name: rules for rules in (playlist_files.RULES, web_api.RULES)}


def retain(
    settings: Settings, source: Source, days: int | None, today: date | None = None
) -> RetentionResult:
    """Remove what the source last confirmed more than `days` days before `today` (UTC), and load the rest.

    Without `days` everything is kept, and in the sandbox, whose days are long ago. Twice is as good as
    once, and where it was killed the next time completes it. Raises LoadError where the warehouse is
    held by another process, and KeyError for a source that nothing confirms.
    """
    rules = RULES[source.name]
    if settings.is_sandbox:
        log.info("the sandbox keeps everything")
        return RetentionResult()
    if days is None:
        return RetentionResult()
    cutoff = (today or datetime.now(UTC).date()) - timedelta(days=days)
    result = RetentionResult(cutoff)
    with lake_to_rewrite(settings, source) as lake:
        units = lake.current_revisions(source.name)  # before the load, so that raw holds every one
        load(settings, source)
        with survivors(settings, rules, cutoff) as surviving:
            result.playlists_held = surviving.playlists_held
            if result.playlists_held:
                log.warning(
                    "%s playlists hold states that are due to be removed and of which no changes were "
                    "derived yet: they stay until `dbt build` was run",
                    f"{result.playlists_held:,}",
                )
            result.changes_kept = _keep_changes(lake, rules, surviving.changes)
            with Progress(f"retention {source.name}", len(units), "units") as progress:
                for id_, revision in units.items():
                    remove_expired(lake, lake.done_record(source.name, id_, revision), surviving, result)
                    progress.advance(1)
    if result.units_rewritten or result.changes_kept:
        load(settings, source)
    if result.units_rewritten and settings.target == "duckdb":
        compact_where_worthwhile(settings)  # Redshift does by itself (VACUUM DELETE)
    log.info(
        "retention %s: before %s, %s rows and %s answers removed; %s changes kept",
        source.name,
        cutoff,
        f"{result.rows.total():,}",
        f"{result.archive_entries:,}",
        f"{result.changes_kept:,}",
    )
    return result


def _keep_changes(lake: Lake, rules: Rules, changes: pa.Table) -> int:
    """Write the changes into a unit of their own, the same one for the same changes."""
    if changes.num_rows:
        source, table = rules.source.name, rules.kept_in
        id_ = unit_id(source, 1, changes.select(table.primary_key).to_pylist())
        with lake.write_unit(source, id_, version("music-warehouse"), [{"derived_by": "dbt"}]) as unit:
            unit.write(table, changes)
    return changes.num_rows
