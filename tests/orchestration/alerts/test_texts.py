"""Every kind of alert as it is read: whole texts."""

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from orchestration.alerts import texts
from orchestration.alerts.alert import Alert, shown
from orchestration.alerts.texts import RUNBOOKS, Kind, Text

BERLIN = ZoneInfo("Europe/Berlin")
SINCE = datetime(2026, 11, 22, 3, tzinfo=UTC)

WHOLE = {
    "failure": (
        Kind.FAILURE,
        texts.failure(
            "whole_graph",
            "1a2b3c4d-5e6f",
            ["matched_models", "few_bad_files"],
            "Failure in test unique_dim_songs\n  Got 3 results",
            is_audit=False,
        ),
        """FAILED: the run broke off at step matched_models

Run 1a2b3c4d of whole_graph failed at step matched_models:
  Failure in test unique_dim_songs
    Got 3 results
Further failed steps: few_bad_files.

Since: 2026-11-22 04:00 Europe/Berlin (03:00 UTC)
Readers see: v000011, published 2026-11-21 05:00 Europe/Berlin (04:00 UTC), 23 hours ago
What to do: Mend what these lines name, then start the run again: make run. It goes on where it was.
Runbook: docs/runbooks/failed.md""",
    ),
    "audit": (
        Kind.FAILURE,
        texts.failure(
            "whole_graph",
            "1a2b3c4d-5e6f",
            ["published__marts"],
            "not published, readers keep v000011:\n  marts.dim_songs had 300 rows and has 0: it is empty",
            is_audit=True,
        ),
        """FAILED: the audit refused what was built

Run 1a2b3c4d of whole_graph failed at step published__marts:
  not published, readers keep v000011:
    marts.dim_songs had 300 rows and has 0: it is empty

Since: 2026-11-22 04:00 Europe/Berlin (03:00 UTC)
Readers see: v000011, published 2026-11-21 05:00 Europe/Berlin (04:00 UTC), 23 hours ago
What to do: Look at what these lines name. If it is wrong, mend where it comes from and start the run again: \
make run. If the change is meant: python -m publishing publish --accept-changes.
Runbook: docs/runbooks/failed.md""",
    ),
    "lateness": (
        Kind.LATENESS,
        texts.lateness(
            date(2026, 11, 22), time(7), texts.run_at_work("1a2b3c4d-5e6f", SINCE, BERLIN), is_running=True
        ),
        """LATE: the marts of Sunday 22 November are not published

It is past 07:00, and nothing was published since the day's run was due. Run 1a2b3c4d is at work since \
2026-11-22 04:00 Europe/Berlin (03:00 UTC).

Since: 2026-11-22 04:00 Europe/Berlin (03:00 UTC)
Readers see: v000011, published 2026-11-21 05:00 Europe/Berlin (04:00 UTC), 23 hours ago
What to do: See how far the run is (make dev, then Runs); let it end unless it stands still.
Runbook: docs/runbooks/late.md""",
    ),
    "forecast": (
        Kind.FORECAST,
        texts.forecast(date(2026, 11, 23), time(7), "The run is expected to take 215 minutes."),
        """FORECAST: the marts of Monday 23 November will be late

By the last runs' lengths they are not ready by 07:00. The run is expected to take 215 minutes.

Since: 2026-11-22 04:00 Europe/Berlin (03:00 UTC)
Readers see: v000011, published 2026-11-21 05:00 Europe/Berlin (04:00 UTC), 23 hours ago
What to do: Nothing is late yet. Today: have the run begin earlier (WAREHOUSE_START_AT), or find out why \
it got longer.
Runbook: docs/runbooks/late.md""",
    ),
    "quota_stop": (
        Kind.PARTIAL,
        texts.quota_stop("Spotify's quota for this account is spent", 120, 300, "The run of 04:00 goes on."),
        """PARTIAL: Spotify was not read to the end

Spotify's quota for this account is spent. 120 of 300 playlists that are due were read; the others are as \
they were before. The run of 04:00 goes on.

Since: 2026-11-22 04:00 Europe/Berlin (03:00 UTC)
Readers see: v000011, published 2026-11-21 05:00 Europe/Berlin (04:00 UTC), 23 hours ago
What to do: Nothing, if this is the first day: what is missing comes by itself. If it stops every day, \
see the runbook.
Runbook: docs/runbooks/quota-stop.md""",
    ),
    "not_read": (
        Kind.PARTIAL,
        texts.not_read("no user has authorised the app", has_playlists=False),
        """PARTIAL: Spotify is not read

No user has authorised the app. Playlists are as they were when they were last read. All else is built as \
ever. It does not mend itself.

Since: 2026-11-22 04:00 Europe/Berlin (03:00 UTC)
Readers see: v000011, published 2026-11-21 05:00 Europe/Berlin (04:00 UTC), 23 hours ago
What to do: If access has expired or was taken away: python -m ingestion spotify login. The next run then \
reads what is missing.
Runbook: docs/runbooks/quota-stop.md""",
    ),
    "quarantine": (
        Kind.QUARANTINE,
        texts.quarantine("msd", 213, 10_000, 0.01, ["songs.tar: truncated_archive: cut"], fails_run=False),
        """BAD INPUT: 213 of 10,000 files of msd are in quarantine

213 of 10,000 files (2.1%) cannot be read; 1.0% are taken for normal.
Not read to the end: songs.tar: truncated_archive: cut.
All that can be read is built all the same.

Since: 2026-11-22 04:00 Europe/Berlin (03:00 UTC)
Readers see: v000011, published 2026-11-21 05:00 Europe/Berlin (04:00 UTC), 23 hours ago
What to do: See which and why in staging.stg_msd__quarantined_inputs. If it is a damaged copy, copy it \
anew and start the run again: make run.
Runbook: docs/runbooks/bad-input.md""",
    ),
    "held": (
        Kind.HELD,
        texts.held("v000011", 3),
        """HELD: readers are kept at v000011 for 3 days

A rollback holds readers at v000011. Runs go on, and nothing that they build is shown.

Since: 2026-11-22 04:00 Europe/Berlin (03:00 UTC)
Readers see: v000011, published 2026-11-21 05:00 Europe/Berlin (04:00 UTC), 23 hours ago
What to do: If what was wrong is mended: python -m publishing resume, then python -m publishing publish.
Runbook: docs/runbooks/rollback.md""",
    ),
}


def alert(kind: Kind, text: Text, until: datetime | None = None) -> Alert:
    published_at = SINCE - timedelta(hours=23)
    served = texts.served("v000011", published_at, SINCE, None, BERLIN)
    runbook = f"docs/runbooks/{RUNBOOKS[kind]}"
    return Alert(kind, text.title, text.happened, SINCE, served, text.to_do, runbook, BERLIN, until)


@pytest.mark.parametrize(("kind", "text", "expected"), WHOLE.values(), ids=WHOLE)
def test_an_alert_says_what_since_when_what_is_served_what_to_do_and_where_to_read_on(kind, text, expected):
    assert alert(kind, text).text == expected


def test_what_is_over_says_from_when_until_when():
    over = alert(Kind.QUARANTINE, texts.over(Kind.QUARANTINE, "msd"), SINCE + timedelta(hours=2))
    assert (
        over.text
        == """OVER: few enough files of msd are in quarantine

The last extraction of msd found no more bad files than are taken for normal.

Since: 2026-11-22 04:00 Europe/Berlin (03:00 UTC)
Until: 2026-11-22 06:00 Europe/Berlin (05:00 UTC)
Readers see: v000011, published 2026-11-21 05:00 Europe/Berlin (04:00 UTC), 23 hours ago
What to do: Nothing.
Runbook: docs/runbooks/bad-input.md"""
    )


@pytest.mark.parametrize("kind", Kind)
def test_a_subject_fits_every_channel(kind):
    assert len(texts.over(kind, "reference_files").title) <= 100
    assert all(len(text.title) <= 100 and text.title.isascii() for _, text, _ in WHOLE.values())


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("UTC", "2026-11-22 23:30 UTC"),
        ("Europe/London", "2026-11-22 23:30 UTC"),
        ("America/New_York", "2026-11-22 18:30 America/New_York (23:30 UTC)"),
        ("Pacific/Auckland", "2026-11-23 12:30 Pacific/Auckland (2026-11-22 23:30 UTC)"),
    ],
)
def test_a_moment_is_told_by_the_operators_clock_and_by_utc(zone, expected):
    assert shown(datetime(2026, 11, 22, 23, 30, tzinfo=UTC), ZoneInfo(zone)) == expected
