"""Whether tomorrow's marts will be there in time: forecast from the lengths of the last days' runs."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import combinations
from statistics import median

import dagster as dg

from ingestion.config import timetable
from orchestration.publishing import PUBLISHED
from orchestration.schedules import DAY, deadline, next_start

RUNS = 14
"""A fortnight: each day of the week counts twice, and one of the two can be forgiven."""


@dataclass(frozen=True)
class Forecast:
    """How long the next run will take, and so when its marts will be there."""

    length: timedelta
    start_at: datetime
    ready_by: datetime

    @property
    def ready_at(self) -> datetime:
        """When the marts will be there."""
        return self.start_at + self.length

    @property
    def is_in_time(self) -> bool:
        """Whether that is by the deadline."""
        return self.ready_at <= self.ready_by


def forecast(lengths: Sequence[timedelta], start_at: datetime, ready_by: datetime) -> Forecast:
    """The forecast of a run that starts at `start_at`, from the lengths of earlier ones, the oldest first.

    Each of the last `RUNS` says what the next would take, had runs grown from there on as they usually do
    (the median of the growth per run between all pairs, and never a shrinking). Counted is the second longest
    of these: one freak run in a fortnight is no reason to wake somebody, two are. The last one is never
    forgiven, for what made it slow may have come to stay. Raises ValueError without a length.
    """
    seconds = [length.total_seconds() for length in lengths[-RUNS:]]
    if not seconds:
        raise ValueError("no run to go by")
    pairs = combinations(enumerate(seconds), 2)
    growth = max(0, median([(later - earlier) / (j - i) for (i, earlier), (j, later) in pairs] or [0]))
    expected = [length + growth * (len(seconds) - index) for index, length in enumerate(seconds)]
    second_longest = sorted(expected)[-2:][0]
    return Forecast(timedelta(seconds=max(second_longest, expected[-1])), start_at, ready_by)


@dg.asset_check(
    asset=PUBLISHED,
    description="The next day's run, as long as the last ones took and were growing, is through "
    "by WAREHOUSE_READY_BY.",
)
def ready_in_time(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    """A warning the day before; the run that has it counts as if it ended here."""
    when = timetable()
    start_at = next_start(when, datetime.now(UTC))
    lengths = lengths_of_days(context.instance, context.run.run_id)
    if not lengths:
        return dg.AssetCheckResult(passed=True, metadata={"days": 0})
    found = forecast(lengths, start_at, deadline(when, start_at))
    return dg.AssetCheckResult(
        passed=found.is_in_time,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"The run of {start_at.astimezone(when.time_zone):%Y-%m-%d %H:%M} is expected to take "
        f"{_minutes(found.length)} and to be through at {found.ready_at.astimezone(when.time_zone):%H:%M}; "
        f"to be met is {when.ready_by:%H:%M} ({when.time_zone}).",
        metadata={
            "days": min(len(lengths), RUNS),
            "last_minutes": lengths[-1].total_seconds() / 60,
            "expected_minutes": found.length.total_seconds() / 60,
            "ready_at": dg.MetadataValue.timestamp(found.ready_at),
            "ready_by": dg.MetadataValue.timestamp(found.ready_by),
        },
    )


def lengths_of_days(instance: dg.DagsterInstance, run_id: str) -> list[timedelta]:
    """How long the last days' runs took that were through, and this run if it is a day's, oldest first.

    Runs started by hand say little about the night, and one that was started again found work done.
    """
    now = datetime.now(UTC)
    days = [(now + timedelta(days=1 - number)).date().isoformat() for number in range(3 * RUNS)]
    statuses = [dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.SUCCESS]
    records = instance.get_run_records(dg.RunsFilter(tags={DAY: days}, statuses=statuses))
    runs = [(record, record.dagster_run) for record in reversed(records)]
    return [
        timedelta(seconds=(record.end_time or now.timestamp()) - record.start_time)
        for record, run in runs
        if not run.parent_run_id and (run.is_success or run.run_id == run_id)
    ]


def _minutes(length: timedelta) -> str:
    return f"{length.total_seconds() / 60:,.0f} minutes"
