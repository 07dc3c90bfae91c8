"""Publishing as the last step: what readers see from this run on, or what they keep."""

from datetime import UTC, datetime

import dagster as dg

from ingestion.config import load_settings, timetable
from ingestion.sources import SOURCES
from orchestration.dbt_models import matched_models
from orchestration.lake import lake_key
from orchestration.schedules import freshness

PUBLISHED = dg.AssetKey(["published", "marts"])

COUNTED_AS = {"files": "source", "playlists_seen": "playlists_read"}
"""What the extraction of a source calls the number of inputs that it found, in its metadata, and what stands
beside it where it looked at all."""


class PublishConfig(dg.Config):
    """How a run publishes."""

    accept_changes: bool = False
    """Also where rows, columns or sources differ from the current version beyond their bounds."""


@dg.asset(
    key=PUBLISHED,
    deps=sorted(matched_models.keys),
    group_name="published",
    kinds={"parquet"},
    freshness_policy=freshness(timetable()),
    description="The marts as readers see them: audited, copied as a version, and switched to in one step. "
    "What does not pass the audit fails here, and readers keep the version that they have.",
)
def published_marts(context: dg.AssetExecutionContext, config: PublishConfig) -> dg.MaterializeResult:
    """A version of what was built; where nothing was, the current one is confirmed."""
    from publishing import publish

    settings = load_settings()
    looks = _looks(context.instance)
    result = publish(settings, looks, config.accept_changes)
    manifest = result.manifest
    if result.held_since:
        context.log.warning(
            "readers are held at %s since %s: python -m publishing resume", manifest.name, result.held_since
        )
    return dg.MaterializeResult(
        metadata={
            "version": manifest.name,
            "is_new": result.is_new,
            "is_held": result.held_since is not None,
            "dagster/row_count": sum(manifest.rows.values()),
            "data_to": dg.MetadataValue.timestamp(manifest.data_to),
            "rows": dg.MetadataValue.table(
                [dg.TableRecord({"mart": name, "rows": rows}) for name, rows in manifest.rows.items()]
            ),
        }
    )


def _looks(instance: dg.DagsterInstance) -> dict:
    """What was found where the data comes from, by source: as the last extraction of each said."""
    from publishing.manifest import SourceLook

    looks = {}
    for source in SOURCES:
        event = instance.get_latest_materialization_event(lake_key(source))
        metadata = event.asset_materialization.metadata if event else {}
        for name, said_by in COUNTED_AS.items():
            if name in metadata and said_by in metadata and "resume_at" not in metadata:
                at = datetime.fromtimestamp(event.timestamp, UTC)
                looks[source.name] = SourceLook(at, metadata[name].value)
    return looks
