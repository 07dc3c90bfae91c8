"""A graph that is run as the real one is, and stops halfway until a file says go on: to be killed there."""

import os
import time
from pathlib import Path

import dagster as dg
import duckdb

from ingestion.config import load_settings
from orchestration.executor import one_process

FOLDER = Path(os.environ["WAREHOUSE_DATA_DIR"])


@dg.asset
def rows() -> None:
    settings = load_settings()
    settings.activate()
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute("create table if not exists songs (song integer primary key)")
        warehouse.execute("begin")
        warehouse.execute("insert or replace into songs select * from range(1000)")
        (FOLDER / f"halfway_{os.getpid()}").touch()
        while not (FOLDER / "go_on").exists():
            time.sleep(0.05)
        warehouse.execute("commit")


whole_graph = dg.define_asset_job("whole_graph", selection=[rows])
defs = dg.Definitions(assets=[rows], jobs=[whole_graph], executor=one_process)

if __name__ == "__main__":
    from orchestration.run import execute

    with dg.DagsterInstance.get() as instance:
        execute(defs.resolve_job_def("whole_graph"), instance)
