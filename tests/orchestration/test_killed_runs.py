"""A run whose process is killed: found dead, started again once if it was the day's, and in nobody's way."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dagster as dg
import duckdb
import pytest

from ingestion.config import load_settings
from orchestration.liveness import WatchedRunLauncher
from orchestration.schedules import DAY, RESTARTED_ONCE
from tests.support.checkout import ROOT

GRAPH = str(ROOT / "tests/support/slow_graph.py")
WAIT_SECONDS = 90


def wait_for(what: str, condition: Callable):
    """The first true value of the condition."""
    deadline = time.monotonic() + WAIT_SECONDS
    while time.monotonic() < deadline:
        if value := condition():
            return value
        time.sleep(0.1)
    raise AssertionError(f"waited {WAIT_SECONDS} s for {what}")


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    """The folder of an instance and of a warehouse."""
    shutil.copy(ROOT / "orchestration/dagster.yaml", tmp_path)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


@pytest.fixture
def instance(home) -> Iterator[dg.DagsterInstance]:  # noqa: ARG001
    with dg.DagsterInstance.get() as instance:
        yield instance


@contextmanager
def started(home: Path, *command: str) -> Iterator[subprocess.Popen]:
    """A process in a session of its own, killed in the end with all that it started."""
    with (home / "log").open("a") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def daemon(home: Path):
    return started(home, sys.executable, "-m", "dagster._daemon", "run", "-f", GRAPH)


def workers(home: Path) -> set[int]:
    """Processes that were halfway through a run."""
    return {int(file.name.removeprefix("halfway_")) for file in home.glob("halfway_*")}


def launch(tags: dict[str, str]) -> None:
    command = ["dagster", "job", "launch", "-f", GRAPH, "-j", "whole_graph", "--tags", json.dumps(tags)]
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=True, capture_output=True)


def statuses(instance: dg.DagsterInstance) -> list[str]:
    """Of all runs, oldest first."""
    return [record.dagster_run.status.value for record in reversed(instance.get_run_records())]


def test_a_daemon_killed_in_mid_run_starts_the_days_run_again_once_and_then_the_next(home, instance):
    day = {DAY: "2026-07-01", **RESTARTED_ONCE}
    launch(day)
    with daemon(home):
        (worker,) = wait_for("the run", lambda: workers(home))
        launch({})
        os.kill(worker, signal.SIGKILL)  # it is in no session of the daemon's
    assert statuses(instance) == ["STARTED", "QUEUED"]
    (home / "go_on").touch()
    with daemon(home):
        wait_for("all runs", lambda: statuses(instance).count("SUCCESS") == 2)
    assert statuses(instance) == ["FAILURE", "SUCCESS", "SUCCESS"]
    first, *others = (record.dagster_run for record in reversed(instance.get_run_records()))
    (again,) = [run for run in others if run.parent_run_id == first.run_id]
    assert again.tags[DAY] == "2026-07-01"
    with duckdb.connect(str(load_settings().warehouse_path)) as warehouse:
        assert warehouse.execute("select count(*) from songs").fetchone() == (1000,)


def test_a_run_without_a_daemon_counts_as_dead_once_its_process_is_gone(home, instance):
    launcher = instance.run_launcher
    assert isinstance(launcher, WatchedRunLauncher)
    with started(home, sys.executable, GRAPH):
        wait_for("the run", lambda: workers(home))
        (record,) = instance.get_run_records()
        run = record.dagster_run
        assert (run.status.value, launcher.check_run_worker_health(run).status.value) == (
            "STARTED",
            "RUNNING",
        )
    assert launcher.check_run_worker_health(run).status.value == "NOT_FOUND"
