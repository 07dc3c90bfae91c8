"""Checks of what came in that are no dbt tests: they judge a run by a setting."""

from collections.abc import Iterator

import dagster as dg

from ingestion.config import load_settings
from ingestion.msd import MSD
from orchestration.dbt_models import QUARANTINED_SONG_FILES
from orchestration.warehouse import open_to_read, read

BAD_FILES = """
    select
        (select count(*) from staging.stg_msd__files where coalesce(file_kind, '') <> 'archive'),
        (select count(*) from staging.stg_msd__quarantined_inputs where is_whole_file)
"""


@dg.multi_asset_check(
    specs=[
        dg.AssetCheckSpec(
            "few_bad_files",
            asset=dg.AssetKey([MSD.name, "quarantined_inputs"]),
            additional_deps=[QUARANTINED_SONG_FILES],
            description="Of the song files no more than MSD_MAX_BAD_SHARE are in quarantine.",
        )
    ]
)
def few_bad_files() -> Iterator[dg.AssetCheckResult]:
    """Fails the run, once everything that could be read is loaded and built."""
    settings = load_settings()
    with open_to_read(settings) as warehouse:
        files, bad_files = read(warehouse, BAD_FILES)[0]
    share = bad_files / max(files, bad_files, 1)
    limit = settings.msd_max_bad_share
    yield dg.AssetCheckResult(
        passed=share <= limit,
        metadata={"files": files, "bad_files": bad_files, "share": share, "limit": limit},
    )
    if share > limit:
        raise dg.Failure(
            f"{bad_files:,} of {files:,} song files are in quarantine ({share:.2%}), "
            f"more than MSD_MAX_BAD_SHARE={limit:g} allows; all others are in the warehouse"
        )
