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

FILES_PER_SMALL_UNIT = 2

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


IN_SMALL_UNITS = f"""
import sys
from dataclasses import replace
from ingestion import __main__ as command
command.MSD = replace(command.MSD, files_per_unit={FILES_PER_SMALL_UNIT})
command.FILE_SOURCES = (command.MSD,)
sys.exit(command.main())
"""
"""The command `python -m ingestion` with units of few songs, so that a test sees several."""


def extraction(data_dir: Path, msd_path: Path | str, **environment: str) -> Target:
    """`python -m ingestion msd`, watched in its data folder."""
    command = [sys.executable, "-c", IN_SMALL_UNITS, "msd", str(msd_path)]
    return Target(command, _environment(data_dir) | environment, data_dir, EXTRACT_STAGES, MOVE_SECONDS / 5)


def loading(data_dir: Path) -> Target:
    """`python -m ingestion load`, watched in its data folder; the lake must be of real sources."""
    return Target(_command("load"), _environment(data_dir), data_dir, LOAD_STAGES)


def _command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "ingestion", *arguments]


def _environment(data_dir: Path) -> dict[str, str]:
    return {**os.environ, "WAREHOUSE_DATA_DIR": str(data_dir)}
