"""Which runs have a process: what tells one that takes its time from one whose process was killed.

The process that executes a run keeps a file of the run locked for as long as it lives. The system lets go of
the lock when the process is gone, however that came about; its number may be another's by then. A run that
nobody has is failed by Dagster's run monitoring, and blocks no other.
"""

import fcntl
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

import dagster as dg
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus

ALIVE_FILE = "alive"

GRACE = timedelta(minutes=1)
"""Between the start of a run and its lock lie milliseconds."""

_kept: list[TextIO] = []
"""The locks of this process: closing one would let go of it before the run's end is on record."""


def mark_alive(instance: dg.DagsterInstance, run_id: str) -> None:
    """Show until the end of this process that it executes a run."""
    file = _alive_file(instance, run_id)
    file.parent.mkdir(parents=True, exist_ok=True)
    fresh = file.with_name(f".{ALIVE_FILE}.{os.getpid()}")
    lock = fresh.open("w")
    fcntl.flock(lock, fcntl.LOCK_EX)
    fresh.replace(file)  # nobody ever sees it without its lock
    _kept.append(lock)


def is_alive(instance: dg.DagsterInstance, run_id: str) -> bool | None:
    """Whether a process executes a run; None where none ever showed."""
    try:
        with _alive_file(instance, run_id).open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except FileNotFoundError:
        return None
    except BlockingIOError:
        return True
    return False


def _alive_file(instance: dg.DagsterInstance, run_id: str) -> Path:
    return Path(instance.storage_directory()) / run_id / ALIVE_FILE


class WatchedRunLauncher(dg.DefaultRunLauncher):
    """Dagster's own launcher, which does not know what became of what it launched; this one looks."""

    supports_check_run_worker_health = True

    def check_run_worker_health(self, run: dg.DagsterRun) -> CheckRunHealthResult:
        """Whether a run that has started still has its process, whoever launched it."""
        alive = is_alive(self._instance, run.run_id)
        if alive is None:
            record = self._instance.get_run_record_by_id(run.run_id)
            started_at = datetime.fromtimestamp((record and record.start_time) or 0, UTC)
            alive = datetime.now(UTC) - started_at < GRACE
        if alive:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        return CheckRunHealthResult(WorkerStatus.NOT_FOUND, "the process that had it is gone")
