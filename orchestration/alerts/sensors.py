"""A sensor per kind of alert: it says once what is wrong, and once that it is over.

What was said is the sensor's cursor, so that a daemon that is started again neither repeats nor forgets. One
that is killed between sending and remembering repeats: an alert twice is better than none.
"""

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime

import dagster as dg

from ingestion.config import alert_settings, load_settings, timetable
from orchestration.alerts import texts
from orchestration.alerts.alert import Alert
from orchestration.alerts.conditions import CONDITIONS, Condition, Problem, Watch
from orchestration.alerts.texts import RUNBOOKS, Kind, Text
from orchestration.publishing import PUBLISHED

log = logging.getLogger(__name__)

INTERVAL_SECONDS = {Kind.HELD: 3600}
"""Where it is not the usual one: a day is not measured in minutes, and a Redshift may have to wake up."""

USUAL_INTERVAL_SECONDS = 30

DESCRIPTIONS = {
    Kind.FAILURE: "A run failed: at which step, and by what.",
    Kind.LATENESS: "READY_BY has passed, and the day's marts are not published.",
    Kind.FORECAST: "By the last runs' lengths tomorrow's marts will be late.",
    Kind.PARTIAL: "Spotify was not read, or not to the end.",
    Kind.QUARANTINE: "More files of a source are in quarantine than is normal.",
    Kind.HELD: "Readers are held at an earlier version for more than a day.",
}


def _utc_now() -> datetime:
    return datetime.now(UTC)


def alert_sensors(now: Callable[[], datetime] = _utc_now) -> list[dg.SensorDefinition]:
    """A sensor for each kind of alert, running from the start; `now` tells the time, in UTC."""
    return [_sensor(kind, find, now) for kind, find in CONDITIONS.items()]


def _sensor(kind: Kind, find: Condition, now: Callable[[], datetime]) -> dg.SensorDefinition:
    @dg.sensor(
        name=f"{kind}_alert",
        description=f"{DESCRIPTIONS[kind]} Runbook: docs/runbooks/{RUNBOOKS[kind]}.",
        minimum_interval_seconds=INTERVAL_SECONDS.get(kind, USUAL_INTERVAL_SECONDS),
        default_status=dg.DefaultSensorStatus.RUNNING,
    )
    def alert(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        moment = now()
        memory = json.loads(context.cursor) if context.cursor else {"began": moment.isoformat(), "told": {}}
        began = datetime.fromisoformat(memory["began"])
        watch = Watch(context.instance, alert_settings(), timetable(), moment, began)
        problems = {problem.about: problem for problem in find(watch)}
        sent = _tell(kind, problems, memory["told"], watch)
        context.update_cursor(json.dumps(memory))
        return dg.SkipReason("; ".join(sent) or ("Told already." if problems else "Nothing to tell."))

    return alert


def _tell(kind: Kind, problems: dict[str, Problem], told: dict[str, dict], watch: Watch) -> list[str]:
    """Send what is new and what is over, and note in `told` what somebody was told; the titles of that."""
    news: dict[str, tuple[Text, datetime, datetime | None]] = {}
    for about, memory in told.items():
        if about not in problems:
            news[about] = (texts.over(kind, about), datetime.fromisoformat(memory["since"]), watch.now)
    for about, problem in problems.items():
        if told.get(about, {}).get("occurrence") != problem.occurrence:
            news[about] = (problem.text, problem.since, None)
    if not news:
        return []
    from orchestration.alerts.channels import configured_channels, send  # with it come those of mail and web

    served = _served(watch)
    alerts = {
        about: _alert(kind, text, since, until, served, watch) for about, (text, since, until) in news.items()
    }
    sent = send(list(alerts.values()), configured_channels(watch.settings))
    for about, alert in list(alerts.items())[: len(sent)]:
        if alert.until:
            del told[about]
        else:
            told[about] = {"occurrence": problems[about].occurrence, "since": alert.since.isoformat()}
    return [alert.title for alert in sent]


def _alert(
    kind: Kind, text: Text, since: datetime, until: datetime | None, served: str, watch: Watch
) -> Alert:
    return Alert(
        kind=kind,
        title=text.title,
        happened=text.happened,
        since=since,
        until=until,
        served=served,
        to_do=text.to_do,
        runbook=f"{watch.settings.runbooks_url}/{RUNBOOKS[kind]}",
        time_zone=watch.timetable.time_zone,
    )


def _served(watch: Watch) -> str:
    """What readers see; where that cannot be asked, what the last run said of it."""
    zone = watch.timetable.time_zone
    try:
        from publishing import read_served  # drivers, which take a second to import

        served = read_served(load_settings())
    except Exception as error:  # settings, a disk, a Redshift: perhaps the very thing that the alert is about
        log.warning("what readers see is not known: %s", type(error).__name__)
        published = watch.materialised(PUBLISHED)
        if published is None:
            return texts.NOTHING_SERVED
        at, said = published
        return texts.served(str(said.get("version")), at, watch.now, None, zone)
    if served.manifest is None:
        return texts.NOTHING_SERVED
    return texts.served(served.manifest.name, served.manifest.created_at, watch.now, served.held_since, zone)
