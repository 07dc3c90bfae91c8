"""When the day's run starts, by Dagster's own scheduler, sensors and freshness under a turned clock."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster import DagsterRunStatus
from dagster._core.remote_origin import InProcessCodeLocationOrigin
from dagster._core.test_utils import InProcessTestWorkspaceLoadTarget, freeze_time
from dagster._core.types.loadable_target_origin import LoadableTargetOrigin
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._daemon.freshness import FreshnessDaemon
from dagster._daemon.sensor import execute_sensor_iteration
from dagster._scheduler.scheduler import launch_scheduled_runs

from orchestration.schedules import DAY
from tests.support.checkout import ROOT
from tests.support.clock import SimulatedClock

BERLIN, NEW_YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
LOG = logging.getLogger("daemon")


class Machine:
    """A machine with the daemon: it looks when a test says so, each time as if it had just been started."""

    def __init__(
        self, instance: dg.DagsterInstance, zone: ZoneInfo, workspace: WorkspaceProcessContext
    ) -> None:
        self.instance, self.zone, self._workspace = instance, zone, workspace
        self.clock = SimulatedClock(datetime(2026, 1, 1, tzinfo=UTC))

    def look(self, *moment: int) -> None:
        """Be on at a local time."""
        self.clock.set(datetime(*moment, tzinfo=self.zone))
        self.look_now()

    def look_now(self) -> None:
        """Be on: the scheduler looks first, then the sensors."""
        now = self.clock.now()
        with freeze_time(now):
            list(launch_scheduled_runs(self._workspace, LOG, end_datetime_utc=now, iteration_times={}))
            list(execute_sensor_iteration(self._workspace, LOG, None, None))

    def runs(self) -> list[dg.DagsterRun]:
        """All runs, oldest first."""
        return [record.dagster_run for record in reversed(self.instance.get_run_records())]

    def days(self) -> list[str]:
        """The days of the runs that were started, in order."""
        return [run.tags[DAY] for run in self.runs() if DAY in run.tags]

    def end_all(self) -> None:
        """Have every run end."""
        for run in self.runs():
            if not run.is_finished:
                self.instance.report_run_canceled(run)

    def last_skip(self) -> str:
        """Why the schedule last passed a day over."""
        (state,) = [one for one in self.instance.all_instigator_state() if one.instigator_name == "every_day"]
        (tick,) = self.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
        return tick.skip_reason or ""

    def publish(self, *moment: int) -> None:
        """Publish at a local time."""
        self.clock.set(datetime(*moment, tzinfo=self.zone))
        with freeze_time(self.clock.now()):
            marts = dg.AssetMaterialization(["published", "marts"])
            self.instance.report_runless_asset_event(marts)

    def is_fresh(self, *moment: int) -> bool:
        """What the freshness daemon finds at a local time."""
        self.clock.set(datetime(*moment, tzinfo=self.zone))
        with freeze_time(self.clock.now()):
            list(FreshnessDaemon().run_iteration(self._workspace))
        key = dg.AssetKey(["published", "marts"])
        state = self.instance.get_freshness_state_records([key])[key].freshness_state.value
        assert state in ("PASS", "FAIL")
        return state == "PASS"


@pytest.fixture
def machine(tmp_path, monkeypatch) -> Callable[..., AbstractContextManager[Machine]]:
    """A machine in a time zone, with the times that are given."""

    @contextmanager
    def start(zone: ZoneInfo, **times: str) -> Iterator[Machine]:
        shutil.copy(ROOT / "orchestration/dagster.yaml", tmp_path)
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
        monkeypatch.setenv("WAREHOUSE_TIME_ZONE", zone.key)
        for name, value in times.items():
            monkeypatch.setenv(f"WAREHOUSE_{name.upper()}", value)
        # A file of its own: Dagster would take one that it has loaded for the same, whatever the environment.
        file = shutil.copy(ROOT / "tests/support/daily_graph.py", tmp_path)
        graph = LoadableTargetOrigin(python_file=str(file))
        target = InProcessTestWorkspaceLoadTarget(InProcessCodeLocationOrigin(graph))
        with dg.DagsterInstance.get() as instance, WorkspaceProcessContext(instance, target) as workspace:
            yield Machine(instance, zone, workspace)

    return start


def test_the_day_starts_at_four_where_the_operator_is(machine):
    with machine(BERLIN) as daemon:
        daemon.look(2026, 7, 1, 3, 59)
        assert daemon.days() == []
        daemon.look(2026, 7, 1, 4, 0)
        daemon.look(2026, 7, 1, 4, 1)
        assert daemon.days() == ["2026-07-01"]
        (run,) = daemon.runs()
        assert (run.job_name, run.status) == ("whole_graph", DagsterRunStatus.QUEUED)


def test_a_new_instance_waits_for_the_first_start_time(machine):
    with machine(BERLIN) as daemon:
        for hour in (10, 11, 23):
            daemon.look(2026, 7, 1, hour)
        assert daemon.days() == []


def test_a_machine_that_was_off_runs_when_it_comes_back(machine):
    with machine(BERLIN) as daemon:
        daemon.look(2026, 7, 1, 22)
        daemon.look(2026, 7, 2, 9, 17)
        assert daemon.days() == ["2026-07-02"]


def test_after_three_days_off_it_runs_once_for_the_last_of_them(machine):
    with machine(BERLIN) as daemon:
        daemon.look(2026, 7, 1, 22)
        daemon.look(2026, 7, 5, 2, 30)
        daemon.look(2026, 7, 5, 2, 31)
        assert daemon.days() == ["2026-07-04"]
        daemon.end_all()
        daemon.look(2026, 7, 5, 4)
        assert daemon.days() == ["2026-07-04", "2026-07-05"]


@pytest.mark.parametrize(
    ("started_by", "status"),
    [
        ("schedule", DagsterRunStatus.QUEUED),
        ("schedule", DagsterRunStatus.STARTED),
        ("hand", DagsterRunStatus.STARTED),
        ("hand", DagsterRunStatus.CANCELING),
    ],
    ids=str,
)
def test_a_run_that_is_still_going_is_not_joined_by_a_second_and_the_day_follows_it(
    machine, started_by, status
):
    with machine(BERLIN) as daemon:
        daemon.look(2026, 7, 1, 3)
        if started_by == "schedule":
            daemon.look(2026, 7, 1, 4)
            (late,) = daemon.runs()
            before = ["2026-07-01"]
        else:
            late = daemon.instance.create_run_for_job(dg.job(name="whole_graph")(lambda: None))
            before = []
        set_status(daemon.instance, late, status)
        daemon.look(2026, 7, 2, 4)
        assert late.run_id in daemon.last_skip()
        for minute in (1, 30):
            daemon.look(2026, 7, 2, 4, minute)
        assert len(daemon.runs()) == 1
        daemon.end_all()
        daemon.look(2026, 7, 2, 4, 45)
        daemon.look(2026, 7, 2, 4, 46)
        assert daemon.days() == [*before, "2026-07-02"]
        daemon.end_all()
        daemon.look(2026, 7, 3, 4)
        assert daemon.days()[-1] == "2026-07-03"


def set_status(instance: dg.DagsterInstance, run: dg.DagsterRun, status: DagsterRunStatus) -> None:
    kinds = {
        DagsterRunStatus.QUEUED: dg.DagsterEventType.PIPELINE_ENQUEUED,
        DagsterRunStatus.STARTED: dg.DagsterEventType.PIPELINE_START,
        DagsterRunStatus.CANCELING: dg.DagsterEventType.PIPELINE_CANCELING,
    }
    event = dg.DagsterEvent(kinds[status].value, run.job_name)
    instance.report_dagster_event(event, run.run_id)
    assert instance.get_run_by_id(run.run_id).status is status


def test_a_run_that_never_came_to_be_submitted_is_in_nobodys_way(machine):
    with machine(BERLIN) as daemon:
        daemon.look(2026, 7, 1, 3)
        daemon.instance.create_run_for_job(dg.job(name="whole_graph")(lambda: None))
        daemon.look(2026, 7, 1, 4)
        assert daemon.runs()[-1].tags[DAY] == "2026-07-01"


@pytest.mark.parametrize(
    ("zone", "day", "start_at"),
    [
        (BERLIN, date(2026, 3, 29), "02:30"),
        (BERLIN, date(2026, 10, 25), "02:30"),
        (BERLIN, date(2026, 10, 25), "04:00"),
        (NEW_YORK, date(2026, 3, 8), "02:00"),
        (NEW_YORK, date(2026, 11, 1), "01:30"),
        (ZoneInfo("America/Santiago"), date(2026, 9, 6), "00:00"),  # there is no midnight
        (ZoneInfo("Australia/Lord_Howe"), date(2026, 10, 4), "02:00"),  # by half an hour
    ],
    ids=lambda value: getattr(value, "key", str(value)),
)
def test_a_day_on_which_the_clock_is_put_forward_or_back_has_one_run(machine, zone, day, start_at):
    start = datetime.combine(day, time.fromisoformat(start_at), zone).astimezone(UTC)
    with machine(zone, start_at=start_at) as daemon:
        for minutes in (-90, *range(-60, 150, 30), 26 * 60):
            daemon.clock.set(start + timedelta(minutes=minutes))
            daemon.look_now()
            daemon.end_all()
        assert daemon.days() == [day.isoformat(), (day + timedelta(days=1)).isoformat()]


@pytest.mark.parametrize(
    ("zone", "start_at"),
    [("Pacific/Kiritimati", "00:00"), ("Pacific/Pago_Pago", "23:59"), ("Asia/Kathmandu", "00:00")],
)
def test_the_day_is_that_of_the_operator_around_midnight_and_in_february(machine, zone, start_at):
    with machine(ZoneInfo(zone), start_at=start_at) as daemon:
        for moment in ((28, 12, 0), (28, 23, 58), (28, 23, 59), (29, 0, 0), (29, 12, 0), (29, 23, 59)):
            daemon.look(2028, 2, *moment)
            daemon.end_all()
        daemon.look(2028, 3, 1, 0, 0)
        days = ["2028-02-28", "2028-02-29", "2028-03-01"]
        assert daemon.days() == (days[1:] if start_at == "00:00" else days[:-1])


def test_what_this_morning_published_is_fresh_from_the_deadline_on_and_yesterdays_is_not(machine):
    with machine(BERLIN) as daemon:
        daemon.publish(2026, 7, 1, 4, 20)
        assert daemon.is_fresh(2026, 7, 1, 7, 1)
        assert daemon.is_fresh(2026, 7, 2, 6, 59)
        assert not daemon.is_fresh(2026, 7, 2, 7, 1)
        daemon.publish(2026, 7, 2, 8)
        assert daemon.is_fresh(2026, 7, 2, 8, 1)
        daemon.publish(2026, 7, 3, 3, 59)  # the run of the day before was late, or this one by hand
        assert not daemon.is_fresh(2026, 7, 3, 7, 1)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["forward", "back"])
def test_the_clock_between_start_and_deadline_makes_nothing_stale(machine, day):
    with machine(BERLIN, start_at="01:00") as daemon:
        daemon.publish(day.year, day.month, day.day - 1, 1, 30)
        assert not daemon.is_fresh(day.year, day.month, day.day, 7, 1)
        daemon.publish(day.year, day.month, day.day, 1, 10)
        assert daemon.is_fresh(day.year, day.month, day.day, 7, 2)
