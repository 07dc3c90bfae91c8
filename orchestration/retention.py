"""Retention as a step of every run: what has had its time leaves lake and raw.

It comes between lake and raw, so that the marts of the same run are built without what it removes. What
changed in states that are due was derived by earlier runs.
"""

import dagster as dg

from ingestion.config import RETENTION_DAYS, load_settings, retention_variable
from ingestion.source import Source
from orchestration.lake import lake_key, row_counts


def has_retention(source: Source) -> bool:
    """Whether what a source says ages."""
    return source.name in RETENTION_DAYS


def last_key_in_lake(source: Source) -> dg.AssetKey:
    """The asset key of what comes before loading: a source's retention, or its part of the lake."""
    return _retention_key(source) if has_retention(source) else lake_key(source)


def _retention_key(source: Source) -> dg.AssetKey:
    return dg.AssetKey(["lake", f"{source.name}_retention"])


def retention_asset(source: Source) -> dg.AssetsDefinition:
    """The retention of one source; without a number of days it removes nothing."""

    @dg.asset(
        key=_retention_key(source),
        deps=[lake_key(source)],
        group_name="lake",
        kinds={"parquet"},
        description=f"Rows not confirmed for ${retention_variable(source.name)}, removed from lake and raw.",
    )
    def expired_rows() -> dg.MaterializeResult:
        from ingestion.retention import retain  # dlt takes seconds to import; most processes never load

        settings = load_settings()
        result = retain(settings, source, settings.retention_days[source.name])
        return dg.MaterializeResult(
            metadata={
                "units_rewritten": result.units_rewritten,
                "answers_removed": result.archive_entries,
                "changes_kept": result.changes_kept,
                "playlists_held": result.playlists_held,
                **row_counts(result.rows),
            }
        )

    return expired_rows
