"""Where `python -m ingestion` can be killed: its commands as targets, their stages by their traces.

The markers are what the lake and dlt's working folder look like while a stage lasts; the order is
the precedence (`tests/support/kill.py`): in a later stage the traces of earlier ones remain.
"""

import os
import sys
from pathlib import Path

from tests.support.kill import Stage, Target

EXTRACT_STAGES = (
    Stage("started", glob="in_use"),
    Stage("a unit is done", glob="lake/*/done/*.json"),
    Stage("a unit is being written", glob="lake/.writing/*/*"),
    Stage("a part is in place", glob="lake/msd/*/*.parquet", without="lake/msd/done/{stem}.json"),
    Stage("ended", log="^next: "),
)

MOVE_SECONDS = 0.001
"""How long the parts of a small unit take to move into the lake: the shortest stage by far."""

_JOBS = "loader/msd/load/normalized/*"
LOAD_STAGES = (
    Stage("started", glob="loader.lock"),
    Stage("raw tables being created", glob="loader/msd/normalize/*"),
    Stage("dlt extracts", log="raw_msd: reading"),
    Stage("dlt normalizes", log="raw_msd: reading", glob="loader/msd/normalize/extracted/*"),
    Stage("load jobs are running", log="raw_msd: merging", glob=f"{_JOBS}/started_jobs/*.parquet"),
    Stage("merging", log="raw_msd: merging", glob=f"{_JOBS}/*_jobs/*.sql"),
    Stage("a table is merged", log="raw_msd: merging", glob=f"{_JOBS}/completed_jobs/*.sql"),
    Stage("package closed", log="raw_msd: .* rows loaded$"),
    Stage("ended", log="^warehouse: "),
)


def extraction(data_dir: Path, msd_path: Path) -> Target:
    """`python -m ingestion msd`, watched in its data folder."""
    command = _command("msd", str(msd_path))
    return Target(command, _environment(data_dir), data_dir, EXTRACT_STAGES, MOVE_SECONDS / 5)


def loading(data_dir: Path) -> Target:
    """`python -m ingestion load`, watched in its data folder; the lake must be of real sources."""
    return Target(_command("load"), _environment(data_dir), data_dir, LOAD_STAGES)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ingestion", *arguments]


def _environment(data_dir: Path) -> dict[str, str]:
    return {**os.environ, "WAREHOUSE_DATA_DIR": str(data_dir)}
