"""What alerts say: one template per kind, to be understood on a phone by somebody who was asleep.

A title is the news. What happened is facts. What to do is one step or two; all else stands in the runbook.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from enum import StrEnum
from zoneinfo import ZoneInfo

from orchestration.alerts.alert import shown

SHOWN_LINES = 8
"""Of an error: an audit lists what does not hold, and a phone shows a dozen lines."""


class Kind(StrEnum):
    """What an alert is about."""

    FAILURE = "failure"
    LATENESS = "lateness"
    FORECAST = "forecast"
    PARTIAL = "partial"
    QUARANTINE = "quarantine"
    HELD = "held"


RUNBOOKS = {
    Kind.FAILURE: "failed.md",
    Kind.LATENESS: "late.md",
    Kind.FORECAST: "late.md",
    Kind.PARTIAL: "quota-stop.md",
    Kind.QUARANTINE: "bad-input.md",
    Kind.HELD: "rollback.md",
}
"""By kind, the file in docs/runbooks/."""


@dataclass(frozen=True)
class Text:
    """What an alert of a kind says."""

    title: str
    happened: str
    to_do: str


def failure(job: str, run_id: str, steps: Sequence[str], error: str, is_audit: bool) -> Text:
    """A run failed at `steps`, the first with the lines of `error`; at none where the run broke off."""
    lines = error.splitlines() or ["no reason was recorded"]
    more = [f"... and {len(lines) - SHOWN_LINES} more lines"] if len(lines) > SHOWN_LINES else []
    place = f" at step {steps[0]}" if steps else ""
    others = f"\nFurther failed steps: {', '.join(steps[1:])}." if len(steps) > 1 else ""
    return Text(
        "FAILED: the audit refused what was built" if is_audit else f"FAILED: the run broke off{place}",
        f"Run {run_id[:8]} of {job} failed{place}:\n"
        + "\n".join(f"  {line}" for line in [*lines[:SHOWN_LINES], *more])
        + others,
        "Look at what these lines name. If it is wrong, mend where it comes from and start the run again: "
        "make run. If the change is meant: python -m publishing publish --accept-changes."
        if is_audit
        else "Mend what these lines name, then start the run again: make run. It goes on where it was.",
    )


def lateness(day: date, ready_by: time, runs: str, is_running: bool) -> Text:
    """The marts of a day are not there in time; `runs` says what the day's run does."""
    return Text(
        f"LATE: the marts of {day:%A %-d %B} are not published",
        f"It is past {ready_by:%H:%M}, and nothing was published since the day's run was due. {runs}",
        "See how far the run is (make dev, then Runs); let it end unless it stands still."
        if is_running
        else "Mend what the run failed by, if it did, and start it: make run.",
    )


NO_RUN = "No run is at work, and none has ended since then."
RUN_FAILED = "The last run failed; an alert of its own says why."
RUN_ENDED = "A run has ended since then, and it did not publish."


def run_at_work(run_id: str, since: datetime, time_zone: ZoneInfo) -> str:
    """What the day's run does, where it is at work."""
    return f"Run {run_id[:8]} is at work since {shown(since, time_zone)}."


def forecast(day: date, ready_by: time, said: str) -> Text:
    """The marts of a day will not be there in time; `said` is what the forecast says."""
    return Text(
        f"FORECAST: the marts of {day:%A %-d %B} will be late",
        f"By the last runs' lengths they are not ready by {ready_by:%H:%M}. {said}".rstrip(),
        "Nothing is late yet. Today: have the run begin earlier (WAREHOUSE_START_AT), or find out why it got "
        "longer.",
    )


def quota_stop(reason: str, read: int, seen: int, resume: str) -> Text:
    """Reading from Spotify stopped before its work was done; `resume` says when it goes on."""
    if not seen:
        left = "Nothing was read; playlists are as they were when they were last read."
    elif read < seen:
        left = f"{read:,} of {seen:,} playlists that are due were read; the others are as they were before."
    else:
        left = f"All {seen:,} playlists that are due were read, and not all that is told of their artists."
    return Text(
        "PARTIAL: Spotify was not read to the end",
        f"{reason[:1].upper()}{reason[1:]}. {left} {resume}",
        "Nothing, if this is the first day: what is missing comes by itself. If it stops every day, see the "
        "runbook.",
    )


def not_read(problem: str, has_playlists: bool) -> Text:
    """Playlists, or where there are playlists a search for songs, could not be read; `problem` says why."""
    left = (
        "Playlists are read; no song was searched for."
        if has_playlists
        else "Playlists are as they were when they were last read."
    )
    return Text(
        f"PARTIAL: {'songs are not searched for' if has_playlists else 'Spotify is not read'}",
        f"{problem[:1].upper()}{problem[1:]}. {left} All else is built as ever. It does not mend itself.",
        "If access has expired or was taken away: python -m ingestion spotify login. The next run then reads "
        "what is missing.",
    )


def quarantine(
    source: str, bad: int, files: int, limit: float, archives: Sequence[str], fails_run: bool
) -> Text:
    """More of a source could not be read than is normal."""
    found = []
    if bad:
        found.append(
            f"{bad:,} of {files:,} files ({bad / max(files, 1):.1%}) cannot be read; {limit:.1%} are taken "
            "for normal."
        )
    found += [f"Not read to the end: {archive}." for archive in archives[:SHOWN_LINES]]
    found.append(
        "The run fails for it, and has built all that can be read."
        if fails_run
        else "All that can be read is built all the same."
    )
    return Text(
        f"BAD INPUT: {bad:,} of {files:,} files of {source} are in quarantine"
        if bad
        else f"BAD INPUT: {len(archives)} archive{'s' * (len(archives) > 1)} of {source} cannot be read",
        "\n".join(found),
        f"See which and why in staging.stg_{source}__quarantined_inputs. If it is a damaged copy, copy it "
        "anew and start the run again: make run.",
    )


def held(version: str, days: int) -> Text:
    """Readers are held at a version since a rollback."""
    return Text(
        f"HELD: readers are kept at {version} for {days} day{'' if days == 1 else 's'}",
        f"A rollback holds readers at {version}. Runs go on, and nothing that they build is shown.",
        "If what was wrong is mended: python -m publishing resume, then python -m publishing publish.",
    )


OVER = {
    Kind.FAILURE: ("OVER: a run has succeeded again", "A whole run has succeeded since the one that failed."),
    Kind.LATENESS: ("OVER: the marts are published", "What was late is published."),
    Kind.FORECAST: (
        "OVER: the marts are forecast in time",
        "By the last runs' lengths the next ones are ready in time.",
    ),
    Kind.PARTIAL: ("OVER: Spotify is read to the end", "The last run read all that is due from Spotify."),
    Kind.QUARANTINE: (
        "OVER: few enough files of {about} are in quarantine",
        "The last extraction of {about} found no more bad files than are taken for normal.",
    ),
    Kind.HELD: ("OVER: readers are no longer held", "Readers see what was published last."),
}


def over(kind: Kind, about: str) -> Text:
    """What an alert of a kind said is over; `about` is the source that it was about, if it was about one."""
    title, happened = (part.format(about=about) for part in OVER[kind])
    return Text(title, happened, "Nothing.")


NOTHING_SERVED = "nothing; no version was published yet"


def served(
    version: str, published_at: datetime, now: datetime, held_since: datetime | None, time_zone: ZoneInfo
) -> str:
    """The version that readers see, and how old it is."""
    hours = (now - published_at).total_seconds() / 3600
    age = f"{hours:.0f} hours" if hours < 48 else f"{hours / 24:.0f} days"
    kept = f", and are held there since {shown(held_since, time_zone)}" if held_since else ""
    return f"{version}, published {shown(published_at, time_zone)}, {age} ago{kept}"
