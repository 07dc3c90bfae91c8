"""What is wrong now, as the graph's history tells: a function per kind of alert, without a memory of its own.

Nothing here reads the warehouse, so that it can be asked every half minute, also while a run has it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import dagster as dg
from dagster._core.storage.asset_check_execution_record import (
    COMPLETED_ASSET_CHECK_EXECUTION_RECORD_STATUSES as JUDGED,
)
from dagster._core.storage.tags import WILL_RETRY_TAG

from ingestion.config import AlertSettings, Timetable
from ingestion.sources import FILE_SOURCES, SPOTIFY
from orchestration.alerts import texts
from orchestration.alerts.alert import shown
from orchestration.alerts.texts import Kind, Text
from orchestration.checks import FEW_BAD_FILES, few_bad_files
from orchestration.lake import SHARD_JOB, lake_key
from orchestration.publishing import PUBLISHED

READY_IN_TIME = dg.AssetCheckKey(PUBLISHED, "ready_in_time")
"""The forecast: its metadata `ready_by` is the deadline that it speaks of."""

WHOLE_GRAPH = "whole_graph"
"""The job whose success ends a failure."""

RUNS_LOOKED_AT = 100
"""The newest of a status: more than there are shares of the songs (MSD_SHARDS), which are passed over."""

OWN_PACKAGES = ("ingestion.", "matching.", "publishing.")
"""Whose errors have messages for operators."""

DBT_ERRORS = "Errors parsed from dbt logs:"
"""What comes before the errors, after the command line, in what dagster-dbt says of a dbt that failed."""

LONGEST_HELD = timedelta(days=1)
"""A rollback answers what was published this morning; tomorrow's readers expect tomorrow's marts."""


@dataclass(frozen=True)
class Problem:
    """Something that is wrong now.

    What is wrong `about` the same thing is one problem as long as it lasts; a new `occurrence` of it is told
    anew.
    """

    occurrence: str
    since: datetime
    text: Text
    about: str = ""


@dataclass(frozen=True)
class Watch:
    """What a condition is judged by; it is watched since `began`, whatever happened before."""

    instance: dg.DagsterInstance
    settings: AlertSettings
    timetable: Timetable
    now: datetime
    began: datetime

    def materialised(self, key: dg.AssetKey) -> tuple[datetime, Mapping[str, Any]] | None:
        """When an asset was last materialised, and what was said of it."""
        event = self.instance.get_latest_materialization_event(key)
        if event is None:
            return None
        metadata = {name: entry.value for name, entry in event.asset_materialization.metadata.items()}
        return datetime.fromtimestamp(event.timestamp, UTC), metadata

    def judged(self, key: dg.AssetCheckKey) -> tuple[datetime, dg.AssetCheckEvaluation] | None:
        """When a check last came to a result, and to which."""
        found = self.instance.event_log_storage.get_asset_check_execution_history(key, limit=1, status=JUDGED)
        if not found or found[0].event is None:
            return None
        event = found[0].event
        return datetime.fromtimestamp(event.timestamp, UTC), event.dagster_event.asset_check_evaluation_data

    def runs(self, *statuses: dg.DagsterRunStatus) -> list[dg.RunRecord]:
        """The newest runs with such a status, without shares of the songs: the whole graph tells of these."""
        found = self.instance.get_run_records(dg.RunsFilter(statuses=statuses), limit=RUNS_LOOKED_AT)
        return [record for record in found if record.dagster_run.job_name != SHARD_JOB]

    def deadline(self) -> tuple[datetime, datetime]:
        """The last READY_BY that has passed, and the START_AT before it, from which on a publication counts.

        Where the clock shows a time twice, or skips it, the deadline is the later and the start the earlier
        moment that can be meant: better an alert that comes late than a false one.
        """
        start_at, ready_by = self.timetable.start_at, self.timetable.ready_by
        day = self.now.astimezone(self.timetable.time_zone).date()
        if max(self._moments(day, ready_by)) > self.now:
            day -= timedelta(days=1)
        started_on = day - timedelta(days=start_at >= ready_by)
        return max(self._moments(day, ready_by)), min(self._moments(started_on, start_at))

    def next_start(self, after: datetime) -> datetime:
        """The first START_AT at or after a moment."""
        today = after.astimezone(self.timetable.time_zone).date()
        days = (today + timedelta(days=number) for number in range(2))
        starts = [min(self._moments(day, self.timetable.start_at)) for day in days]
        return next(start for start in starts if start >= after)

    def _moments(self, day: date, clock: time) -> list[datetime]:
        """When it is that time on a day, in UTC: as the clock is read before, and after, it is put."""
        there = datetime.combine(day, clock, self.timetable.time_zone)
        return [there.replace(fold=fold).astimezone(UTC) for fold in (0, 1)]


Condition = Callable[[Watch], list[Problem]]


def failed_runs(watch: Watch) -> list[Problem]:
    """The last run that failed, if no whole one has succeeded since.

    A run that failed by `few_bad_files` alone does not count, of which there is an alert of its own, nor one
    that Dagster starts again.
    """
    failures = watch.runs(dg.DagsterRunStatus.FAILURE)
    if not failures:
        return []
    whole = dg.RunsFilter(job_name=WHOLE_GRAPH, statuses=[dg.DagsterRunStatus.SUCCESS])
    succeeded = max(
        (record.storage_id for record in watch.instance.get_run_records(whole, limit=1)), default=0
    )
    for record in failures:
        run = record.dagster_run
        if record.storage_id < succeeded:
            return []
        if run.tags.get(WILL_RETRY_TAG) == "true":
            continue
        steps = watch.instance.all_logs(run.run_id, of_type=dg.DagsterEventType.STEP_FAILURE)
        names = [entry.dagster_event.step_key for entry in steps]
        if names == [few_bad_files.op.name]:
            continue
        error, is_audit = _error_of(steps[0]) if steps else (_end_of(watch.instance, run.run_id), False)
        since = datetime.fromtimestamp(record.end_time, UTC) if record.end_time else watch.now
        job = run.job_name if not run.job_name.startswith("__") else "assets chosen by hand"
        return [Problem(run.run_id, since, texts.failure(job, run.run_id, names, error, is_audit))]
    return []


def _error_of(entry: dg.EventLogEntry) -> tuple[str, bool]:
    """The message of a step's error, without its class and traceback; whether it is that of an audit."""
    failure = entry.dagster_event.step_failure_data
    chain, error = [], failure.error
    while error:
        chain.append(error)
        error = error.cause
    # Errors of ours, and what a step says itself, are written for operators; of others one line is enough.
    ours = [error for error in chain if error.message.startswith(OWN_PACKAGES)]
    if ours:
        text = _message(ours[0])
    elif failure.user_failure_data and failure.user_failure_data.description:
        text = failure.user_failure_data.description.rpartition(DBT_ERRORS)[2]
    else:
        text = next(map(_message, chain[1:] or chain), "").partition("\n")[0]
    lines = (line.rstrip() for line in text.splitlines())
    return _without_logins("\n".join(filter(None, lines))), text.startswith("not published, ")


def _message(error: Any) -> str:
    """What an exception said, without its class."""
    return re.sub(r"^[\w.]+: ", "", error.message.strip())


def _end_of(instance: dg.DagsterInstance, run_id: str) -> str:
    """What is said of a run that broke off outside its steps."""
    said = instance.all_logs(
        run_id, of_type={dg.DagsterEventType.ENGINE_EVENT, dg.DagsterEventType.RUN_FAILURE}
    )
    events = [entry.dagster_event for entry in said]
    errors = [data.error for event in events if (data := event.event_specific_data) and data.error]
    texts_said = [_message(error) for error in errors] or [event.message or "" for event in events]
    return _without_logins(texts_said[-1].partition("\n")[0]) if texts_said else ""


def _without_logins(text: str) -> str:
    """A text in which an address may stand, without user and password."""
    return re.sub(r"://[^/\s@]+@", "://***@", text)


def late_marts(watch: Watch) -> list[Problem]:
    """That READY_BY has passed and nothing was published since the day's run was due.

    Readers who are held see an earlier version all the same; that is no lateness.
    """
    ready_by, due = watch.deadline()
    published = watch.materialised(PUBLISHED)
    if published and published[0] >= due:
        return []
    if published is None and ready_by < watch.began:
        return []  # a new installation was not asked for anything yesterday
    day = ready_by.astimezone(watch.timetable.time_zone).date()
    runs, is_running = _runs_since(watch, due)
    return [
        Problem(day.isoformat(), ready_by, texts.lateness(day, watch.timetable.ready_by, runs, is_running))
    ]


def _runs_since(watch: Watch, due: datetime) -> tuple[str, bool]:
    """What the runs of a day do, and whether one is at work."""
    for at_work in watch.runs(*_AT_WORK):
        since = (
            datetime.fromtimestamp(at_work.start_time, UTC)
            if at_work.start_time
            else at_work.create_timestamp
        )
        return texts.run_at_work(at_work.dagster_run.run_id, since, watch.timetable.time_zone), True
    for ended in watch.runs(*_ENDED):
        if (ended.end_time or 0) >= due.timestamp():
            has_failed = ended.dagster_run.status == dg.DagsterRunStatus.FAILURE
            return texts.RUN_FAILED if has_failed else texts.RUN_ENDED, False
    return texts.NO_RUN, False


_ENDED = (dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
_AT_WORK = tuple(
    status for status in dg.DagsterRunStatus if status not in (*_ENDED, dg.DagsterRunStatus.MANAGED)
)


def late_tomorrow(watch: Watch) -> list[Problem]:
    """That the forecast, a check of what is published, says the next marts will be late."""
    found = watch.judged(READY_IN_TIME)
    if found is None or found[1].passed:
        return []
    at, evaluation = found
    ready_by = datetime.fromtimestamp(evaluation.metadata["ready_by"].value, watch.timetable.time_zone)
    text = texts.forecast(ready_by.date(), watch.timetable.ready_by, evaluation.description or "")
    return [Problem(ready_by.date().isoformat(), at, text)]


def partial_extraction(watch: Watch) -> list[Problem]:
    """That the last extraction from Spotify ended before its work did, or could not begin.

    A search for songs that did is none: it gets what playlists leave of the requests.
    """
    found = watch.materialised(lake_key(SPOTIFY))
    if found is None:
        return []
    at, said = found
    if "problem" in said:
        text = texts.not_read(said["problem"], has_playlists="playlists_seen" in said)
        return [Problem(said["problem"], at, text, SPOTIFY.name)]
    if "resume_at" not in said:
        return []
    resume_at = datetime.fromtimestamp(said["resume_at"], UTC)
    zone = watch.timetable.time_zone
    resume = (
        f"Spotify may be asked again from {shown(resume_at, zone)}; the run of "
        f"{shown(watch.next_start(max(resume_at, at)), zone)} goes on by itself."
    )
    text = texts.quota_stop(
        said.get("stopped_by") or "It was stopped",
        said.get("playlists_read", 0),
        said.get("playlists_seen", 0),
        resume,
    )
    return [Problem(at.isoformat(), at, text, SPOTIFY.name)]


def bad_input(watch: Watch) -> list[Problem]:
    """By source, that the last extraction found more files in quarantine than is normal, or an archive."""
    problems = []
    check = watch.judged(FEW_BAD_FILES)
    for source in FILE_SOURCES:
        found = watch.materialised(lake_key(source))
        if found is None:
            continue
        at, said = found
        files, bad, archives = said.get("files", 0), said.get("bad_files", 0), said.get("bad_archives", [])
        limit = watch.settings.max_quarantined_share
        fails_run = check is not None and check[0] >= at and not check[1].passed and _is_judged(source.name)
        if fails_run or archives or bad / max(files, 1) > limit:
            text = texts.quarantine(source.name, bad, files, limit, archives, fails_run)
            problems.append(Problem("above", at, text, source.name))
    return problems


def _is_judged(source: str) -> bool:
    return FEW_BAD_FILES.asset_key.path[0] == source


def held_readers(watch: Watch) -> list[Problem]:
    """That readers are held at a version for more than a day; asked only where the last run was told so."""
    published = watch.materialised(PUBLISHED)
    if published is None or not published[1].get("is_held"):
        return []
    from ingestion.config import load_settings
    from publishing import read_served

    served = read_served(load_settings())
    if served.held_since is None or served.manifest is None or watch.now - served.held_since <= LONGEST_HELD:
        return []
    text = texts.held(served.manifest.name, (watch.now - served.held_since).days)
    return [Problem(served.held_since.isoformat(), served.held_since, text)]


CONDITIONS: dict[Kind, Condition] = {
    Kind.FAILURE: failed_runs,
    Kind.LATENESS: late_marts,
    Kind.FORECAST: late_tomorrow,
    Kind.PARTIAL: partial_extraction,
    Kind.QUARANTINE: bad_input,
    Kind.HELD: held_readers,
}
