"""Checks of what came in that are no dbt tests: they judge a run by a setting."""

from collections.abc import Iterator

import dagster as dg

from ingestion.config import load_settings
from ingestion.extract import too_much_is_bad
from ingestion.msd import MSD
from orchestration.dbt_models import QUARANTINED_SONG_FILES
from orchestration.lake import lake_key

FEW_BAD_FILES = dg.AssetCheckKey(dg.AssetKey([MSD.name, "quarantined_inputs"]), "few_bad_files")


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            FEW_BAD_FILES.name,
            asset=FEW_BAD_FILES.asset_key,
            additional_deps=[QUARANTINED_SONG_FILES],
            description="Of the song files that the last extraction found no more than MSD_MAX_BAD_SHARE are "
            "in quarantine, and no archive.",
        )
    ]
)
def few_bad_files(context: dg.AssetCheckExecutionContext) -> Iterator[dg.AssetCheckResult]:
    """Fails the run, once everything that could be read is loaded and built.

    What counts is what the last extraction found where the songs lie: the warehouse remembers files that
    are there no more.
    """
    event = context.instance.get_latest_materialization_event(lake_key(MSD))
    found = (
        {name: entry.value for name, entry in event.asset_materialization.metadata.items()} if event else {}
    )
    files, bad_files = found.get("files", 0), found.get("bad_files", 0)
    bad_archives = found.get("bad_archives", [])
    limit = load_settings().msd_max_bad_share
    problem = too_much_is_bad(files, bad_files, bad_archives, limit)
    yield dg.AssetCheckResult(
        passed=problem is None,
        metadata={
            "files": files,
            "bad_files": bad_files,
            "bad_archives": bad_archives,
            "share": bad_files / max(files, 1),
            "limit": limit,
        },
    )
    if problem:
        raise dg.Failure(f"{problem}; all that could be read is in the warehouse")
