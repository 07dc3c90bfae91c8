"""Retention as a step of every run: rows of the Web API do not stay in the lake for good.

It comes between lake and raw, so that the marts of the same run are built without what it removes. What
changed in states that are due was derived by earlier runs.
"""

import dagster as dg

from ingestion.config import load_settings
from ingestion.sources import SPOTIFY
from orchestration.lake import lake_key, row_counts

RETENTION_KEY = dg.AssetKey(["lake", "spotify_retention"])


@dg.asset(
    key=RETENTION_KEY,
    deps=[lake_key(SPOTIFY)],
    group_name="lake",
    kinds={"parquet"},
    description="What Spotify's Web API said and has not confirmed for SPOTIFY_RETENTION_DAYS, removed.",
)
def spotify_retention() -> dg.MaterializeResult:
    """Remove expired rows from the lake and from raw."""
    from ingestion.retention import retain  # dlt takes seconds to import; most processes never load

    settings = load_settings()
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
