"""When the graph runs by itself: once a day, and by when it has to be through.

A day is known by its date where the operator is, on the tag `DAY` of its run. Dagster's scheduler knows when
it is due: it starts one run for all days that were missed, moves a time that the clock skips to the next that
there is, and of a time that the clock shows twice takes one.
"""

from datetime import UTC, date, datetime, time, timedelta

import dagster as dg
from dagster import DagsterRunStatus

from ingestion.config import Timetable

DAY = "warehouse/day"
"""The tag of a day's run: the date, say 2026-03-29."""

RESTARTED_ONCE = {
    "dagster/max_retries": "1",
    "dagster/retry_on_asset_or_op_failure": "false",
    "dagster/retry_strategy": "ALL_STEPS",
}
"""A day's run whose process died is started again, with all steps: what was done before is found done. One
that failed is not: its steps have tried again what may help."""

GOING = [
    DagsterRunStatus.QUEUED,
    DagsterRunStatus.STARTING,
    DagsterRunStatus.STARTED,
    DagsterRunStatus.SUSPENDED,
    DagsterRunStatus.CANCELING,
]
"""All that are not finished but NOT_STARTED: that was never submitted, and its tick is done again."""


def daily_schedule(job_name: str, timetable: Timetable) -> dg.ScheduleDefinition:
    """The schedule that starts the job once a day; one that is still going is not joined by a second."""

    @dg.schedule(
        name="every_day",
        job_name=job_name,
        cron_schedule=_cron(timetable.start_at),
        execution_timezone=timetable.time_zone.key,
        default_status=dg.DefaultScheduleStatus.RUNNING,
        description=f"The day's run, at {timetable.start_at:%H:%M} in {timetable.time_zone}: new looks at "
        f"playlists, retention, and marts by {timetable.ready_by:%H:%M}.",
    )
    def every_day(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        due_at = context.scheduled_execution_time.astimezone(timetable.time_zone)
        return _run_of(due_at.date(), context.instance, job_name)

    return every_day


def overdue_sensor(job_name: str, timetable: Timetable) -> dg.SensorDefinition:
    """The sensor that starts the day's run once the one has ended for which the schedule passed it over."""

    @dg.sensor(
        name="overdue_day",
        job_name=job_name,
        minimum_interval_seconds=60,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="The day's run, where an earlier one was still going when it was due.",
    )
    def overdue_day(context: dg.SensorEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        for state in context.instance.all_instigator_state():
            if state.instigator_name == "every_day" and state.status.value != "STOPPED":
                ticks = context.instance.get_ticks(state.instigator_origin_id, state.selector_id, limit=1)
                if ticks and ticks[0].status.value == "SKIPPED":
                    due_at = datetime.fromtimestamp(ticks[0].timestamp, timetable.time_zone)
                    return _run_of(due_at.date(), context.instance, job_name)
        return dg.SkipReason("no day was passed over")

    return overdue_day


def _run_of(day: date, instance: dg.DagsterInstance, job_name: str) -> dg.RunRequest | dg.SkipReason:
    """A day's run, unless it was, or another is in its way."""
    for run in instance.get_runs(dg.RunsFilter(job_name=job_name, tags={DAY: day.isoformat()})):
        if run.status != DagsterRunStatus.NOT_STARTED:
            return dg.SkipReason(f"{day} has its run: {run.run_id}")
    for run in instance.get_runs(dg.RunsFilter(job_name=job_name, statuses=GOING), limit=1):
        return dg.SkipReason(
            f"run {run.run_id} is still going ({run.status.value}): that of {day} starts when it has ended"
        )
    return dg.RunRequest(run_key=day.isoformat(), tags={DAY: day.isoformat(), **RESTARTED_ONCE})


def next_start(timetable: Timetable, now: datetime) -> datetime:
    """When the next day's run is due after a moment."""
    return _next(timetable, timetable.start_at, now)


def deadline(timetable: Timetable, start: datetime) -> datetime:
    """By when the marts of a run that starts then are to be published."""
    return _next(timetable, timetable.ready_by, start)


def freshness(timetable: Timetable) -> dg.FreshnessPolicy:
    """From each deadline on, what was published before that day's run was due is stale.

    The window is the longest that lies between start and deadline in a year: an hour more than the clock
    shows where it is put back in between.
    """
    now = datetime.now(timetable.time_zone)
    starts = (next_start(timetable, now + timedelta(days=days)) for days in range(366))
    window = max(deadline(timetable, start) - start for start in starts)
    return dg.FreshnessPolicy.cron(
        deadline_cron=_cron(timetable.ready_by),
        lower_bound_delta=min(window, timedelta(days=1)),
        timezone=timetable.time_zone.key,
    )


def _next(timetable: Timetable, at: time, after: datetime) -> datetime:
    """The first moment after another, in UTC, at which it is that time of day."""
    day = after.astimezone(timetable.time_zone).date()
    days = (day + timedelta(days=number) for number in range(-1, 3))
    return min(moment for day in days if (moment := _moment(timetable, day, at)) > after)


def _moment(timetable: Timetable, day: date, at: time) -> datetime:
    """When it is that time on a day; the later one where the clock shows it twice, or skips it."""
    moments = (datetime.combine(day, at, timetable.time_zone).replace(fold=fold) for fold in (0, 1))
    return max(moment.astimezone(UTC) for moment in moments)


def _cron(at: time) -> str:
    return f"{at.minute} {at.hour} * * *"
