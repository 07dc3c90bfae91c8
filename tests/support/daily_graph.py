"""A graph of one small asset, under the timetable that the environment names as the real one is."""

import dagster as dg

from ingestion.config import timetable
from orchestration.schedules import daily_schedule, freshness, overdue_sensor

MARTS = dg.AssetKey(["published", "marts"])


@dg.asset(key=MARTS, freshness_policy=freshness(timetable()))
def marts() -> None:
    pass


whole_graph = dg.define_asset_job("whole_graph", selection=[marts])
defs = dg.Definitions(
    assets=[marts],
    jobs=[whole_graph],
    schedules=[daily_schedule(whole_graph.name, timetable())],
    sensors=[overdue_sensor(whole_graph.name, timetable())],
)
