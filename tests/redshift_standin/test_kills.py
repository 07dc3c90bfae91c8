"""A load into the stand-in, killed in any stage of its work, is finished by the next."""

import os
import sys
from pathlib import Path

import pytest

from ingestion.config import Settings
from ingestion.load import load
from tests.redshift_standin.lab import LAB, song, write_unit
from tests.redshift_standin.server import RedshiftStandIn
from tests.support.kill import KillReport, Stage, Target

_JOBS = "loader/lab/load/normalized/*"
STAGES = (
    Stage("started", glob="loader.lock"),
    Stage("rows are copied", log="raw_lab: merging", glob=f"{_JOBS}/started_jobs/*"),
    Stage("tables are merged", log="raw_lab: merging", glob=f"{_JOBS}/*_jobs/*.sql"),
    Stage("a table is merged", log="raw_lab: merging", glob=f"{_JOBS}/completed_jobs/*.sql"),
    Stage("ended", log="rows loaded$"),
)
SONGS = 2_000
ATTEMPTS = 5
"""A stage can slip by; a kill that missed does not count and is tried again."""


def kill_load(stage: str, stand_in: RedshiftStandIn, where: Settings) -> KillReport:
    environment = {
        **os.environ,
        **stand_in.environment,
        "WAREHOUSE_DATA_DIR": str(where.data_dir),
        "WAREHOUSE_LAKE_URL": where.lake_url,
    }
    command = [sys.executable, "-m", "tests.redshift_standin.lab"]
    return Target(command, environment, where.data_dir, STAGES).kill_in(stage)


@pytest.mark.parametrize("stage", [stage.name for stage in STAGES[1:-1]])
def test_a_load_killed_in_any_stage_is_finished_by_the_next(stage, stand_in, warehouse, query):
    units = []
    for attempt in range(ATTEMPTS):
        for place in ("known", "new"):
            units.append(f"{attempt}_{place}")
            write_unit(
                warehouse,
                units[-1],
                songs=[song(f"{number:05}", units[-1]) for number in range(SONGS)],
                terms=[{"song_id": units[-1], "position": number, "term": "t"} for number in range(SONGS)],
            )
            if place == "known":
                load(warehouse, LAB)
        (warehouse.data_dir / "loader.lock").unlink()
        report = kill_load(stage, stand_in, warehouse)
        if report.hit:
            break
    assert report.hit, report
    print(f"killed: {report.stage}")
    load(warehouse, LAB)
    assert query("select title, count(*), count(distinct song_id) from raw_lab.songs group by title") == [
        (units[-1], SONGS, SONGS)
    ]
    assert query("select count(*), count(distinct song_id) from raw_lab.terms") == [
        (len(units) * SONGS, len(units))
    ]
    loaded = query(
        "select unit_id from raw_lab._loaded_units where _dlt_load_id in "
        "(select load_id from raw_lab._dlt_loads where status = 0) order by unit_id"
    )
    assert loaded == [(unit,) for unit in sorted(units)]
    assert load(warehouse, LAB).units == 0
    assert not Path(warehouse.loader_dir).exists()
