"""Retention as an asset and its daily schedule: rows of the Web API do not stay in the lake for good."""

import dagster as dg
from dagster_dbt import get_asset_key_for_model

from ingestion.config import load_settings
from orchestration.dbt_models import warehouse_models
from orchestration.lake import row_counts


@dg.asset(
    key=["lake", "spotify_retention"],
    deps=[get_asset_key_for_model([warehouse_models], "fct_playlist_track_changes")],
    group_name="lake",
    kinds={"parquet"},
    description="What Spotify's Web API said and has not confirmed for SPOTIFY_RETENTION_DAYS, removed.",
)
def spotify_retention(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """Remove expired rows from the lake and from raw, once dbt has derived what changed in them."""
    from ingestion.retention import retain  # dlt takes seconds to import; most processes never load

    settings = load_settings()
    if settings.is_sandbox:
        context.log.info("the sandbox keeps everything")
        return dg.MaterializeResult()
    result = retain(settings, settings.spotify_retention_days)
    return dg.MaterializeResult(
        metadata={
            "units_rewritten": result.units_rewritten,
            "answers_removed": result.archive_entries,
            "changes_kept": result.changes_kept,
            "playlists_held": result.playlists_held,
            **row_counts(result.rows),
        }
    )


daily_retention = dg.ScheduleDefinition(
    name="daily_retention",
    target=dg.AssetSelection.assets(spotify_retention),
    cron_schedule="0 3 * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Every night, when nobody waits for the marts.",
)
