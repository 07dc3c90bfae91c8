"""The whole platform on one screen: from the lake through the raw schemas to every dbt model."""

import dagster as dg

from ingestion.config import msd_shards, timetable
from ingestion.sources import FILE_SOURCES, SOURCES
from orchestration.alerts.sensors import alert_sensors
from orchestration.checks import few_bad_files
from orchestration.dbt_models import dbt_cli, matched_models, models_to_match
from orchestration.executor import one_process
from orchestration.forecast import ready_in_time
from orchestration.lake import file_lake_asset, msd_shard_job, spotify_lake_asset
from orchestration.matching import candidates_lake_asset
from orchestration.publishing import published_marts
from orchestration.raw import raw_assets
from orchestration.retention import has_retention, retention_asset
from orchestration.schedules import daily_schedule, overdue_sensor

whole_graph = dg.define_asset_job(
    "whole_graph", selection=dg.AssetSelection.all(), description="From the sources to the marts."
)

defs = dg.Definitions(
    assets=[
        *(file_lake_asset(source) for source in FILE_SOURCES),
        spotify_lake_asset,
        *(retention_asset(source) for source in filter(has_retention, SOURCES)),
        *(raw_assets(source) for source in SOURCES),
        models_to_match,
        candidates_lake_asset,
        matched_models,
        published_marts,
    ],
    asset_checks=[few_bad_files, ready_in_time],
    jobs=[whole_graph, msd_shard_job(msd_shards())],
    schedules=[daily_schedule(whole_graph.name, timetable())],
    sensors=[overdue_sensor(whole_graph.name, timetable()), *alert_sensors()],
    resources={"dbt": dbt_cli},
    executor=one_process,
)
