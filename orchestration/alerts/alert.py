"""What an alert is, and how it reads: on a phone, at ten to seven."""

from dataclasses import dataclass
from datetime import UTC, datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True)
class Alert:
    """One thing that an operator has to know; `until` is set where it is over.

    `served` says what readers see meanwhile. `since` and `until` are aware; they are shown in `time_zone`,
    the operator's, and in UTC.
    """

    kind: str
    title: str
    happened: str
    since: datetime
    served: str
    to_do: str
    runbook: str
    time_zone: ZoneInfo
    until: datetime | None = None

    @property
    def text(self) -> str:
        """All of it, the title first."""
        lines = [f"Since: {shown(self.since, self.time_zone)}"]
        if self.until:
            lines.append(f"Until: {shown(self.until, self.time_zone)}")
        lines += [f"Readers see: {self.served}", f"What to do: {self.to_do}", f"Runbook: {self.runbook}"]
        return "\n".join([self.title, "", self.happened, "", *lines])

    @property
    def fields(self) -> dict[str, str | bool | None]:
        """The same for programs: plain values, times in ISO 8601, in UTC or, `_local`, the operator's."""
        return {
            "text": self.text,
            "kind": self.kind,
            "is_over": self.until is not None,
            "title": self.title,
            "happened": self.happened,
            "since": self.since.astimezone(UTC).isoformat(timespec="seconds"),
            "since_local": self.since.astimezone(self.time_zone).isoformat(timespec="seconds"),
            "until": self.until and self.until.astimezone(UTC).isoformat(timespec="seconds"),
            "readers_see": self.served,
            "to_do": self.to_do,
            "runbook": self.runbook,
        }


def shown(at: datetime, time_zone: ZoneInfo) -> str:
    """A moment by the operator's clock, and by UTC where that is another: `2026-11-22 07:00 Europe/Berlin
    (06:00 UTC)`."""
    there, utc = at.astimezone(time_zone), at.astimezone(UTC)
    if there.utcoffset() == utc.utcoffset():
        return f"{utc:%Y-%m-%d %H:%M} UTC"
    form = "%H:%M" if there.date() == utc.date() else "%Y-%m-%d %H:%M"
    return f"{there:%Y-%m-%d %H:%M} {time_zone.key} ({utc.strftime(form)} UTC)"
