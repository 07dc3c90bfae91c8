"""Alerts as they reach somebody: what is told, that it is told once, and that it is told when it is over."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import dagster as dg
import pytest
from dagster._core.storage.tags import WILL_RETRY_TAG

from ingestion.config import Settings, load_settings
from ingestion.errors import ConfigError
from ingestion.warehouse import open_warehouse
from orchestration.alerts.sensors import alert_sensors
from orchestration.alerts.texts import RUNBOOKS
from orchestration.publishing import PUBLISHED
from publishing import AuditError, publish, rollback
from tests.support.built_marts import BuiltMarts
from tests.support.checkout import ROOT
from tests.support.inboxes import webhook_server
from tests.support.operated import MORNING, PUBLISHES, UI_JOB, Operated

SPOTIFY, MSD, PLAYLIST_FILES = (dg.AssetKey(["lake", name]) for name in ("spotify", "msd", "playlist_files"))


def fail_by(error: Exception):
    """A step that fails so."""

    def fail() -> None:
        raise error

    return fail


@pytest.fixture(scope="module")
def webhook():
    with webhook_server() as inbox:
        yield inbox


@pytest.fixture
def operated(webhook, tmp_path, monkeypatch) -> Iterator[Operated]:
    webhook.received.clear()
    for name, value in {
        "WAREHOUSE_DATA_DIR": str(tmp_path / "data"),
        "WAREHOUSE_TIME_ZONE": "Europe/Berlin",
        "ALERT_WEBHOOK_URL": webhook.url,
        "ALERT_RUNBOOKS_URL": "https://example.org/runbooks/",
    }.items():
        monkeypatch.setenv(name, value)
    with dg.DagsterInstance.ephemeral() as instance:
        yield Operated(instance, webhook)


@pytest.fixture
def published(operated) -> Settings:  # noqa: ARG001 - it sets where the warehouse is
    """A warehouse, and a first version of it that was published the morning before."""
    settings = load_settings()
    settings.activate()
    BuiltMarts(settings).build()
    publish(settings, now=MORNING - timedelta(days=1))
    return settings


def test_a_run_that_failed_is_told_whole_once_and_so_is_its_end(operated, published):
    run_id = operated.run(fails=fail_by(ConfigError("MSD_PATH is /mnt/songs, which does not exist")))
    operated.clock.advance(timedelta(minutes=1))
    with open_warehouse(published):  # a run may hold it
        (alert,) = operated.watch("failure")
    assert alert["text"] == (
        "FAILED: the run broke off at step published__marts\n"
        "\n"
        f"Run {run_id[:8]} of whole_graph failed at step published__marts:\n"
        "  MSD_PATH is /mnt/songs, which does not exist\n"
        "\n"
        "Since: 2026-11-22 04:05 Europe/Berlin (03:05 UTC)\n"
        "Readers see: v000001, published 2026-11-21 04:05 Europe/Berlin (03:05 UTC), 24 hours ago\n"
        "What to do: Mend what these lines name, then start the run again: make run. It goes on where it "
        "was.\n"
        "Runbook: https://example.org/runbooks/failed.md"
    )
    assert operated.watch("failure") == []
    operated.clock.advance(timedelta(hours=1))
    operated.run()
    (over,) = operated.watch("failure")
    assert (over["is_over"], over["since"], over["until"]) == (
        True,
        "2026-11-22T03:05:00+00:00",
        "2026-11-22T04:06:00+00:00",
    )
    assert operated.watch("failure") == []


def test_what_an_audit_found_is_in_the_alert(operated):
    lines = [f"marts.dim_songs_{number} had 300 rows and has 0: it is empty" for number in range(12)]
    operated.run(fails=fail_by(AuditError(lines, None)))
    (alert,) = operated.watch("failure")
    assert alert["title"] == "FAILED: the audit refused what was built"
    assert "  not published, readers have no version yet:" in alert["happened"]
    assert f"    {lines[6]}\n  ... and 5 more lines" in alert["happened"]
    assert "--accept-changes" in alert["to_do"]


def test_of_dbt_the_errors_are_told_and_not_its_command_line(operated):
    said = (
        "The dbt CLI process with command\n\n`dbt build`\n\nfailed with exit code `1`. Check the stdout."
        "\n\nErrors parsed from dbt logs:\n\nFailure in test unique_dim_songs\n\n  Got 3 results"
    )
    operated.run(fails=fail_by(dg.Failure(said)))
    (alert,) = operated.watch("failure")
    assert alert["happened"].endswith(":\n  Failure in test unique_dim_songs\n    Got 3 results")


def test_of_an_error_that_is_not_ours_one_line_is_told_and_no_login(operated):
    operated.run(fails=fail_by(OSError("cannot reach https://me:hunter2@example.org/x\nmore of it")))
    (alert,) = operated.watch("failure")
    assert alert["happened"].endswith(":\n  cannot reach https://***@example.org/x")


def test_a_run_whose_process_died_is_told_by_what_is_said_of_it(operated):
    run = operated.begin()
    operated.instance.report_run_failed(run, "The process of this run is gone.")
    (alert,) = operated.watch("failure")
    assert alert["title"] == "FAILED: the run broke off"
    assert alert["happened"].endswith(":\n  The process of this run is gone.")


def test_each_failed_run_is_told_and_only_a_whole_run_ends_it(operated):
    failing = {"fails": fail_by(ValueError("no"))}
    operated.run(**failing)
    assert len(operated.watch("failure")) == 1
    operated.run(**failing)
    assert len(operated.watch("failure")) == 1
    operated.run(job=UI_JOB)
    assert operated.watch("failure") == []
    operated.run()
    assert operated.titles("failure") == ["OVER: a run has succeeded again"]


def test_runs_by_hand_in_the_browser_are_told_and_shares_of_the_songs_are_not(operated):
    operated.run(job="msd_shards", fails=fail_by(ValueError("no")))
    assert operated.watch("failure") == []
    operated.run(job=UI_JOB, fails=fail_by(ValueError("no")))
    (alert,) = operated.watch("failure")
    assert "of assets chosen by hand failed" in alert["happened"]
    operated.run(job="msd_shards", fails=fail_by(ValueError("no")))
    assert operated.watch("failure") == []


def test_a_run_that_is_started_again_by_itself_has_not_failed_yet(operated):
    operated.run(fails=fail_by(ValueError("no")), tags={WILL_RETRY_TAG: "true"})
    assert operated.watch("failure") == []


def test_what_nobody_took_is_told_at_the_next_look(operated, monkeypatch):
    monkeypatch.setattr("orchestration.alerts.channels.PAUSES_SECONDS", (0, 0))
    operated.run(fails=fail_by(ValueError("no")))
    operated.inbox.statuses += [500] * 3
    assert operated.watch("failure") == []
    assert len(operated.watch("failure")) == 1


def test_settings_that_cannot_be_used_keep_no_alert_back(operated, monkeypatch):
    operated.run()
    monkeypatch.setenv("MSD_PATH", "/nowhere")
    operated.run(fails=fail_by(ConfigError("MSD_PATH is /nowhere, which does not exist")))
    (alert,) = operated.watch("failure")
    assert alert["readers_see"].startswith("v000001, published 2026-11-22 04:05 Europe/Berlin")


def at_berlin(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 11, day, hour, minute, tzinfo=ZoneInfo("Europe/Berlin"))


def test_marts_that_are_not_there_at_seven_are_told_and_when_they_are_there(operated):
    operated.clock.set(at_berlin(21, 4, 30))
    operated.run()
    operated.clock.set(at_berlin(22, 6, 59))
    assert operated.watch("lateness") == []
    operated.clock.set(at_berlin(22, 7))
    (alert,) = operated.watch("lateness")
    assert alert["text"].splitlines()[:5] == [
        "LATE: the marts of Sunday 22 November are not published",
        "",
        "It is past 07:00, and nothing was published since the day's run was due. "
        "No run is at work, and none has ended since then.",
        "",
        "Since: 2026-11-22 07:00 Europe/Berlin (06:00 UTC)",
    ]
    assert operated.watch("lateness") == []
    operated.clock.set(at_berlin(22, 9))
    operated.run()
    assert operated.titles("lateness") == ["OVER: the marts are published"]
    operated.clock.set(at_berlin(23, 6, 59))
    assert operated.watch("lateness") == []


def test_what_is_late_for_days_is_told_each_day_and_is_over_once(operated):
    operated.clock.set(at_berlin(21, 4, 30))
    operated.run()
    told = []
    for hours in range(24, 24 * 4):
        operated.clock.set(at_berlin(21, 4) + timedelta(hours=hours))
        told += operated.titles("lateness")
    operated.run()
    assert [*told, *operated.titles("lateness")] == [
        "LATE: the marts of Sunday 22 November are not published",
        "LATE: the marts of Monday 23 November are not published",
        "LATE: the marts of Tuesday 24 November are not published",
        "OVER: the marts are published",
    ]


def test_lateness_says_what_the_days_run_does(operated):
    operated.clock.set(at_berlin(21, 4, 30))
    operated.run()
    operated.clock.set(at_berlin(22, 4))
    run = operated.begin()
    operated.clock.set(at_berlin(22, 7))
    (alert,) = operated.watch("lateness")
    assert (
        f"Run {run.run_id[:8]} is at work since 2026-11-22 04:00 Europe/Berlin (03:00 UTC)."
        in alert["happened"]
    )
    operated.instance.report_run_failed(run)
    operated.run(fails=fail_by(ValueError("no")))
    operated.clock.set(at_berlin(23, 4))
    operated.run(fails=fail_by(ValueError("no")))
    operated.clock.set(at_berlin(23, 7))
    (alert,) = operated.watch("lateness")
    assert "The last run failed; an alert of its own says why." in alert["happened"]


def test_a_new_installation_is_not_late_for_a_morning_before_it(operated):
    operated.clock.set(at_berlin(22, 15))
    assert operated.watch("lateness") == []
    operated.clock.set(at_berlin(23, 7))
    assert len(operated.watch("lateness")) == 1


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2028, 2, 29)], ids=str)
def test_the_deadline_is_that_of_the_operators_clock(operated, monkeypatch, day):
    monkeypatch.setenv("WAREHOUSE_READY_BY", "03:30")
    monkeypatch.setenv("WAREHOUSE_START_AT", "23:00")
    berlin = ZoneInfo("Europe/Berlin")
    evening = datetime(day.year, day.month, day.day, 23, tzinfo=berlin) - timedelta(days=1)
    operated.clock.set(evening - timedelta(minutes=1))
    operated.run()
    deadline = datetime(day.year, day.month, day.day, 3, 30, tzinfo=berlin).astimezone(UTC)
    operated.clock.set(deadline - timedelta(minutes=1))
    assert operated.watch("lateness") == []
    operated.clock.set(deadline)
    (alert,) = operated.watch("lateness")
    assert alert["since"] == deadline.isoformat()
    operated.clock.set(deadline + timedelta(hours=20))
    operated.run()
    assert operated.titles("lateness") == ["OVER: the marts are published"]


def at_utc(day: date, text: str) -> datetime:
    return datetime.fromisoformat(f"{day}T{text}:00+00:00")


@pytest.mark.parametrize(
    ("day", "published_at"),
    [(date(2026, 3, 29), "01:05"), (date(2026, 10, 25), "00:35")],
    ids=["skipped", "shown_twice"],
)
def test_a_start_that_the_clock_skips_or_shows_twice_makes_no_morning_late(
    operated, monkeypatch, day, published_at
):
    monkeypatch.setenv("WAREHOUSE_START_AT", "02:30")
    operated.clock.set(at_utc(day, published_at))
    operated.run()
    operated.clock.set(at_utc(day, "22:00"))
    assert operated.watch("lateness") == []


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25)], ids=["skipped", "shown_twice"])
def test_a_deadline_that_the_clock_skips_or_shows_twice_is_the_later_one(operated, monkeypatch, day):
    monkeypatch.setenv("WAREHOUSE_START_AT", "22:00")
    monkeypatch.setenv("WAREHOUSE_READY_BY", "02:30")
    operated.clock.set(at_utc(day, "00:00") - timedelta(hours=6))
    operated.run()
    operated.clock.set(at_utc(day, "01:29"))
    assert operated.watch("lateness") == []
    operated.clock.set(at_utc(day, "01:30"))
    assert len(operated.watch("lateness")) == 1


def test_a_forecast_of_lateness_is_told_the_day_before_once_for_each_day(operated):
    ready_by = at_berlin(23, 7)
    late = {
        "passed": False,
        "description": "The run of 2026-11-23 04:00 is expected to take 215 minutes.",
        "metadata": {"ready_by": dg.MetadataValue.timestamp(ready_by)},
    }
    operated.run(forecast=late)
    (alert,) = operated.watch("forecast")
    assert alert["title"] == "FORECAST: the marts of Monday 23 November will be late"
    assert late["description"] in alert["happened"]
    assert operated.watch("forecast") == []
    operated.run(forecast=late)
    assert operated.watch("forecast") == []
    operated.run(forecast={"passed": True})
    assert operated.titles("forecast") == ["OVER: the marts are forecast in time"]


def test_a_spent_quota_is_told_with_what_is_missing_and_when_it_goes_on(operated):
    stopped = {
        "playlists_seen": 300,
        "playlists_read": 120,
        "stopped_by": "Spotify's quota for this account is spent",
        "resume_at": dg.MetadataValue.timestamp(at_berlin(23, 4, 5)),
    }
    operated.run({SPOTIFY: stopped})
    (alert,) = operated.watch("partial")
    assert alert["happened"] == (
        "Spotify's quota for this account is spent. 120 of 300 playlists that are due were read; the others "
        "are as they were before. Spotify may be asked again from 2026-11-23 04:05 Europe/Berlin (03:05 UTC);"
        " the run of 2026-11-24 04:00 Europe/Berlin (03:00 UTC) goes on by itself."
    )
    assert operated.watch("partial") == []
    operated.clock.advance(timedelta(days=1))
    operated.run({SPOTIFY: stopped})
    assert len(operated.watch("partial")) == 1, "each day that it stops"
    operated.run({SPOTIFY: {"playlists_seen": 180, "playlists_read": 180}})
    assert operated.titles("partial") == ["OVER: Spotify is read to the end"]


def test_missing_access_is_told_once_however_many_days_it_lasts(operated):
    for expected in (1, 0):
        operated.run({SPOTIFY: {"playlists_read": 0, "problem": "no user has authorised the app"}})
        alerts = operated.watch("partial")
        assert len(alerts) == expected
        operated.clock.advance(timedelta(days=1))
        if alerts:
            assert alerts[0]["happened"].startswith(
                "No user has authorised the app. Playlists are as they were"
            )


@pytest.mark.parametrize(
    ("source", "said", "expected"),
    [
        (PLAYLIST_FILES, {"files": 100, "bad_files": 1}, []),
        (
            PLAYLIST_FILES,
            {"files": 100, "bad_files": 2},
            ["BAD INPUT: 2 of 100 files of playlist_files are in quarantine"],
        ),
        (
            MSD,
            {"files": 10, "bad_archives": ["a.tar: cut"]},
            ["BAD INPUT: 1 archive of msd cannot be read"],
        ),
        (MSD, {"files": 0}, []),
    ],
    ids=["as_much_as_is_normal", "more_than_is_normal", "an_archive", "no_files"],
)
def test_input_that_cannot_be_read_is_told_above_the_threshold(operated, source, said, expected):
    operated.run({source: said})
    assert operated.titles("quarantine") == expected
    assert operated.watch("quarantine") == []
    operated.run({source: {"files": 100, "bad_files": 0}})
    assert len(operated.watch("quarantine")) == len(expected)


def test_the_threshold_is_a_setting(operated, monkeypatch):
    monkeypatch.setenv("ALERT_MAX_QUARANTINED_SHARE", "0.02")
    operated.run({MSD: {"files": 100, "bad_files": 2}})
    assert operated.watch("quarantine") == []


def test_a_run_that_failed_by_its_bad_files_alone_is_one_alert(operated, monkeypatch):
    monkeypatch.setenv("MSD_MAX_BAD_SHARE", "0.001")
    operated.run({MSD: {"files": 1000, "bad_files": 5}}, judges_bad_files=True)
    assert operated.watch("failure") == []
    (alert,) = operated.watch("quarantine")
    assert alert["text"].splitlines()[:4] == [
        "BAD INPUT: 5 of 1,000 files of msd are in quarantine",
        "",
        "5 of 1,000 files (0.5%) cannot be read; 1.0% are taken for normal.",
        "The run fails for it, and has built all that can be read.",
    ]
    assert operated.watch("quarantine") == []


def test_readers_who_are_held_for_more_than_a_day_are_told_of(operated, published):
    BuiltMarts(published, generation=1).build()
    publish(published, now=MORNING)
    rollback(published, now=MORNING)
    operated.run({PUBLISHED: {**PUBLISHES, "is_held": True}})
    operated.clock.set(MORNING + timedelta(days=1))
    assert operated.watch("held") == []
    operated.clock.advance(timedelta(minutes=1))
    (alert,) = operated.watch("held")
    assert alert["title"] == "HELD: readers are kept at v000001 for 1 day"
    assert alert["readers_see"] == (
        "v000001, published 2026-11-21 04:05 Europe/Berlin (03:05 UTC), 2 days ago, and are held there since "
        "2026-11-22 04:05 Europe/Berlin (03:05 UTC)"
    )
    operated.run()
    assert operated.titles("held") == ["OVER: readers are no longer held"]


def test_what_was_told_before_a_restart_is_neither_repeated_nor_forgotten(operated, webhook):
    operated.run(fails=fail_by(ValueError("no")))
    assert len(operated.watch("failure")) == 1
    restarted = Operated(operated.instance, webhook)
    restarted.cursors = dict(operated.cursors)
    assert restarted.watch("failure") == []
    restarted.run()
    assert restarted.titles("failure") == ["OVER: a run has succeeded again"]


def test_every_kind_has_a_sensor_that_runs_from_the_start_and_a_runbook_that_is_there():
    sensors = {sensor.name: sensor for sensor in alert_sensors()}
    assert set(sensors) == {f"{kind}_alert" for kind in RUNBOOKS}
    assert {sensor.default_status for sensor in sensors.values()} == {dg.DefaultSensorStatus.RUNNING}
    for name in RUNBOOKS.values():
        assert (ROOT / "docs/runbooks" / name).is_file(), name
