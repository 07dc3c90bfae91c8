"""The whole platform on one screen: from the lake through the raw schemas to every dbt model."""

import dagster as dg

from ingestion.sources import FILE_SOURCES, SOURCES
from orchestration.dbt_models import dbt_cli, warehouse_models
from orchestration.lake import file_lake_asset, spotify_lake_asset
from orchestration.raw import raw_assets
from orchestration.retention import daily_retention, spotify_retention

defs = dg.Definitions(
    assets=[
        *(file_lake_asset(source) for source in FILE_SOURCES),
        spotify_lake_asset,
        *(raw_assets(source) for source in SOURCES),
        warehouse_models,
        spotify_retention,
    ],
    jobs=[
        dg.define_asset_job(
            "whole_graph", selection=dg.AssetSelection.all(), description="From the sources to the marts."
        )
    ],
    schedules=[daily_retention],
    resources={"dbt": dbt_cli},
    # DuckDB has one writer, and every further process imports all of this anew: all steps in one process.
    executor=dg.in_process_executor,
)
