"""Settings: defaults, refusals, and the memory of whether the sandbox or real data is in use."""

import hashlib
import hmac
import multiprocessing
import os
import pwd
import stat
from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from ingestion.config import (
    IN_USE_LINK,
    REAL_DATA_MARK,
    SOURCE_VARIABLES,
    AlertSettings,
    alert_settings,
    load_settings,
    timetable,
)
from ingestion.errors import ConfigError


@pytest.fixture
def data_dir(tmp_path) -> Path:
    return tmp_path / "data"


@pytest.fixture
def msd(tmp_path) -> Path:
    folder = tmp_path / "songs"
    folder.mkdir()
    return folder


def settings(data_dir, **environment):
    return load_settings({"WAREHOUSE_DATA_DIR": str(data_dir), **environment})


def test_without_any_variable_the_sandbox_below_the_working_folder_is_used(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = load_settings({})
    assert found.target == "duckdb"
    assert found.is_sandbox
    assert found.data_dir == tmp_path / "data"
    assert found.home == tmp_path / "data/sandbox"
    assert found.warehouse_path == tmp_path / "data/sandbox/warehouse.duckdb"
    assert found.loader_dir == tmp_path / "data/sandbox/loader"
    assert found.lake_url == str(tmp_path / "data/sandbox/lake")
    assert not (tmp_path / "data").exists(), "reading settings writes nothing"


def test_paths_stay_what_they_were_when_the_working_folder_changes(tmp_path, monkeypatch):
    (tmp_path / "songs").mkdir()
    monkeypatch.chdir(tmp_path)
    found = load_settings({"WAREHOUSE_DATA_DIR": "here", "MSD_PATH": "songs"})
    assert found.data_dir == tmp_path / "here"
    assert found.source_paths == {"msd": tmp_path / "songs"}


def test_a_tilde_is_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert load_settings({"WAREHOUSE_DATA_DIR": "~/warehouse"}).data_dir == tmp_path / "warehouse"


@pytest.mark.parametrize("variable", SOURCE_VARIABLES.values())
def test_one_configured_source_turns_the_sandbox_off_for_all(variable, data_dir, msd):
    found = settings(data_dir, **{variable: str(msd)})
    assert not found.is_sandbox
    assert list(found.source_paths.values()) == [msd]
    assert found.home == data_dir
    assert found.lake_url == str(data_dir / "lake")


@pytest.mark.parametrize("empty", ["", "  "])
def test_an_empty_variable_is_as_good_as_none(empty, data_dir):
    names = ["WAREHOUSE_TARGET", "WAREHOUSE_LAKE_URL", "WAREHOUSE_HMAC_KEY", *SOURCE_VARIABLES.values()]
    assert settings(data_dir, **dict.fromkeys(names, empty)) == settings(data_dir)


def test_blanks_around_a_value_do_not_count(data_dir):
    assert settings(data_dir, WAREHOUSE_TARGET=" redshift ").target == "redshift"


def test_redshift_is_configured_by_its_host_and_defaults(data_dir):
    assert settings(data_dir, WAREHOUSE_TARGET="redshift").redshift is None
    redshift = settings(data_dir, REDSHIFT_HOST="warehouse.example").redshift
    assert (redshift.host, redshift.port, redshift.database) == ("warehouse.example", 5439, "music_warehouse")
    assert (redshift.user, redshift.password, redshift.sslmode) == ("music_warehouse", None, "require")
    assert (redshift.iam_role, redshift.staging_url) == (None, None)


def test_a_password_is_not_shown(data_dir):
    found = settings(data_dir, REDSHIFT_HOST="warehouse.example", REDSHIFT_PASSWORD="a secret")
    assert "a secret" not in repr(found)


def test_a_lake_in_s3_holds_the_staging_folder_unless_one_is_named(data_dir):
    host = {"REDSHIFT_HOST": "warehouse.example", "WAREHOUSE_LAKE_URL": "s3://bucket/lake/?region=eu-west-1"}
    assert settings(data_dir, **host).redshift.staging_url == "s3://bucket/lake/redshift_staging"
    named = settings(data_dir, **host, REDSHIFT_STAGING_URL="s3://other/folder").redshift
    assert named.staging_url == "s3://other/folder"
    with pytest.raises(ConfigError, match="REDSHIFT_STAGING_URL is 'folder'"):
        settings(data_dir, **host, REDSHIFT_STAGING_URL="folder")


def test_the_warehouse_is_named_by_its_target(data_dir):
    redshift = {"WAREHOUSE_TARGET": "redshift", "REDSHIFT_HOST": "warehouse.example"}
    assert (
        settings(data_dir, **redshift).warehouse_name == "redshift://warehouse.example:5439/music_warehouse"
    )
    assert settings(data_dir).warehouse_name == str(data_dir / "sandbox" / "warehouse.duckdb")


def test_an_unknown_target_is_refused_with_those_there_are(data_dir):
    with pytest.raises(ConfigError, match="WAREHOUSE_TARGET is 'oracle'; it may be duckdb or redshift"):
        settings(data_dir, WAREHOUSE_TARGET="oracle")


@pytest.mark.parametrize("variable", SOURCE_VARIABLES.values())
def test_a_source_that_does_not_exist_is_refused_by_name(variable, data_dir, tmp_path):
    with pytest.raises(ConfigError, match=f"{variable} is .*nowhere, which does not exist"):
        settings(data_dir, **{variable: str(tmp_path / "nowhere")})


def test_a_lake_that_is_named_is_the_one_in_use_with_and_without_a_source(data_dir, msd):
    elsewhere = {"WAREHOUSE_LAKE_URL": "s3://bucket/lake"}
    assert settings(data_dir, MSD_PATH=str(msd), **elsewhere).lake_url == "s3://bucket/lake"
    without_source = settings(data_dir, **elsewhere)
    assert (without_source.lake_url, without_source.is_sandbox) == ("s3://bucket/lake", False)


def test_once_there_is_real_data_the_sandbox_does_not_come_back_by_itself(data_dir, msd):
    settings(data_dir).activate()
    assert settings(data_dir).is_sandbox
    real = settings(data_dir, MSD_PATH=str(msd))
    real.activate()
    real.remember_real_data()
    without_sources = settings(data_dir)
    assert not without_sources.is_sandbox
    assert without_sources.home == data_dir
    (data_dir / REAL_DATA_MARK).unlink()
    assert settings(data_dir).is_sandbox


def test_a_source_that_was_only_configured_does_not_end_the_sandbox(data_dir, msd):
    settings(data_dir, MSD_PATH=str(msd)).activate()
    assert settings(data_dir).is_sandbox


def test_the_sandbox_is_no_real_data(data_dir):
    sandbox = settings(data_dir)
    sandbox.activate()
    sandbox.remember_real_data()
    assert settings(data_dir).is_sandbox


def test_the_link_leads_to_the_warehouse_worked_on_last(data_dir, msd):
    sandbox, real = settings(data_dir), settings(data_dir, MSD_PATH=str(msd))
    for chosen in (sandbox, real, real, sandbox):
        chosen.activate()
        assert (data_dir / IN_USE_LINK).resolve() == chosen.home
    assert sorted(entry.name for entry in data_dir.iterdir()) == ["in_use", "sandbox"]


def test_the_link_still_leads_there_when_the_data_folder_is_moved(data_dir, msd, tmp_path):
    settings(data_dir, MSD_PATH=str(msd)).activate()
    moved = data_dir.rename(tmp_path / "moved")
    assert (moved / IN_USE_LINK).resolve() == moved


def test_a_lake_folder_is_made_absolute(data_dir, msd, monkeypatch, tmp_path):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for given in ("~/lake", "lake"):
        lake_url = settings(data_dir, MSD_PATH=str(msd), WAREHOUSE_LAKE_URL=given).lake_url
        assert lake_url == str(tmp_path / "lake")


def test_users_are_hashed_with_the_key_that_is_configured(data_dir, msd):
    expected = hmac.new(b"secret", b"alice", hashlib.sha256).hexdigest()
    assert settings(data_dir, MSD_PATH=str(msd), WAREHOUSE_HMAC_KEY="secret").hash_user("alice") == expected


def test_users_of_the_sandbox_are_hashed_alike_everywhere(data_dir, tmp_path):
    assert settings(data_dir).hash_user("alice") == settings(tmp_path / "other").hash_user("alice")
    assert not data_dir.exists()


def test_without_a_key_one_is_made_once_and_kept_for_the_owner_only(data_dir, msd, tmp_path):
    first = settings(data_dir, MSD_PATH=str(msd)).hash_user("alice")
    key = data_dir / "hmac_key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_text()) == 64
    assert settings(data_dir, MSD_PATH=str(msd)).hash_user("alice") == first
    assert settings(tmp_path / "other", MSD_PATH=str(msd)).hash_user("alice") != first
    assert [entry.name for entry in data_dir.iterdir()] == ["hmac_key"], "no scratch is left"


def _hash_alice(data_dir: Path, msd: Path) -> str:
    return settings(data_dir, MSD_PATH=str(msd)).hash_user("alice")


def test_extractors_that_start_at_once_agree_on_the_key(data_dir, msd):
    with multiprocessing.get_context("fork").Pool(4) as pool:
        hashes = pool.starmap(_hash_alice, [(data_dir, msd)] * 16)
    assert len(set(hashes)) == 1


def test_secrets_are_not_shown(data_dir, msd):
    found = settings(
        data_dir,
        MSD_PATH=str(msd),
        WAREHOUSE_HMAC_KEY="open-sesame",
        WAREHOUSE_LAKE_URL="s3://key:open-sesame@bucket/lake",
    )
    assert "open-sesame" not in repr(found)


APP = {"SPOTIPY_CLIENT_ID": "id", "SPOTIPY_CLIENT_SECRET": "secret"}


def test_a_spotify_app_is_a_configured_source(data_dir):
    found = settings(data_dir, **APP)
    assert not found.is_sandbox
    assert (found.spotify.client_id, found.spotify.api_url) == ("id", "https://api.spotify.com")
    assert (found.spotify.daily_requests, found.retention_days["spotify"]) == (None, 30)
    assert settings(data_dir).spotify is None


def test_what_a_spotify_app_reads_and_spends_can_be_set(data_dir, tmp_path):
    ids = tmp_path / "ids.txt"
    ids.touch()
    found = settings(
        data_dir,
        **APP,
        SPOTIFY_PLAYLIST_IDS=str(ids),
        SPOTIFY_DAILY_REQUESTS="5000",
        SPOTIFY_WINDOW_REQUESTS="90",
        SPOTIFY_RETENTION_DAYS="forever",
        SPOTIFY_SEARCH_SONGS="200",
        SPOTIFY_API_URL="http://127.0.0.1:1",
    )
    assert found.spotify.playlist_ids == ids
    assert (found.spotify.daily_requests, found.spotify.window_requests) == (5000, 90)
    assert found.retention_days["spotify"] is None
    assert (found.spotify.search_songs, settings(data_dir, **APP).spotify.search_songs) == (200, None)
    assert found.spotify.api_url == "http://127.0.0.1:1"


def test_requests_are_counted_where_every_data_folder_of_a_person_finds_them(data_dir, tmp_path):
    assert settings(data_dir, **APP, HOME="/home/ada").spotify.ledger_dir == Path(
        "/home/ada/.local/state/music-warehouse"
    )
    state = settings(data_dir, **APP, HOME="/home/ada", XDG_STATE_HOME="/state").spotify.ledger_dir
    assert state == Path("/state/music-warehouse")
    named = settings(data_dir, **APP, HOME="/home/ada", SPOTIFY_LEDGER_DIR=str(tmp_path), SPOTIFY_ACCOUNT="a")
    assert (named.spotify.ledger_dir, named.spotify.account) == (tmp_path, "a")
    home_on_record = Path(pwd.getpwuid(os.getuid()).pw_dir)  # a service may have none in its environment
    assert settings(data_dir, **APP).spotify.ledger_dir == home_on_record / ".local/state/music-warehouse"


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"SPOTIPY_CLIENT_ID": "id"}, "go together"),
        ({"SPOTIFY_PLAYLIST_IDS": "ids"}, "SPOTIPY_CLIENT_SECRET are not"),
        ({**APP, "SPOTIFY_PLAYLIST_IDS": "/nowhere"}, "SPOTIFY_PLAYLIST_IDS is /nowhere, which is no file"),
        ({**APP, "SPOTIFY_DAILY_REQUESTS": "many"}, "SPOTIFY_DAILY_REQUESTS is 'many'"),
        ({**APP, "SPOTIFY_DAILY_REQUESTS": "0"}, "a whole number above 0"),
        ({**APP, "SPOTIFY_SEARCH_SONGS": "all"}, "SPOTIFY_SEARCH_SONGS is 'all'"),
        ({"SPOTIFY_RETENTION_DAYS": "-1"}, "SPOTIFY_RETENTION_DAYS is '-1'"),
    ],
)
def test_a_spotify_setting_that_cannot_be_used_is_named(environment, reason, data_dir):
    with pytest.raises(ConfigError, match=reason):
        settings(data_dir, **environment)


def test_the_apps_secret_is_not_in_what_settings_look_like(data_dir):
    assert "secret'" not in repr(settings(data_dir, **APP))


def test_the_days_run_begins_at_four_and_is_there_by_seven_in_utc_unless_told_otherwise(data_dir):
    found = settings(data_dir)
    assert (found.time_zone, found.start_at, found.ready_by) == (ZoneInfo("UTC"), time(4), time(7))
    own = {
        "WAREHOUSE_TIME_ZONE": "Asia/Kathmandu",
        "WAREHOUSE_START_AT": "2:30",
        "WAREHOUSE_READY_BY": "06:45",
    }
    found = settings(data_dir, **own)
    assert (found.time_zone.key, found.start_at, found.ready_by) == (
        "Asia/Kathmandu",
        time(2, 30),
        time(6, 45),
    )


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("WAREHOUSE_TIME_ZONE", "Europe/Nowhere"),
        ("WAREHOUSE_TIME_ZONE", "Europe"),
        ("WAREHOUSE_TIME_ZONE", "../etc/passwd"),
        ("WAREHOUSE_START_AT", "24:00"),
        ("WAREHOUSE_START_AT", "04:00:30"),
        ("WAREHOUSE_READY_BY", "seven"),
        ("WAREHOUSE_READY_BY", "04:00"),
    ],
)
def test_a_zone_or_a_time_that_there_is_not_is_refused(variable, value, data_dir):
    with pytest.raises(ConfigError, match=variable):
        settings(data_dir, **{variable: value})


def test_the_timetable_is_read_whatever_else_cannot_be():
    assert timetable({"MSD_PATH": "/nowhere", "WAREHOUSE_READY_BY": "08:00"}).ready_by == time(8)


ALERTS = {
    "ALERT_WEBHOOK_URL": "https://hooks.example.org/services/hunter2",
    "ALERT_SMTP_URL": "smtp://warehouse:hunter2@mail.example.org:587",
    "ALERT_EMAIL_FROM": "warehouse@example.org",
    "ALERT_EMAIL_TO": "ada@example.org, grace@example.org,",
    "ALERT_SNS_TOPIC_ARN": "arn:aws:sns:eu-west-1:123456789012:alerts",
    "ALERT_RUNBOOKS_URL": "https://example.org/runbooks/",
}


def test_where_alerts_go_can_be_set_and_is_not_shown(data_dir):
    found = settings(data_dir, **ALERTS)
    assert found.alerts.webhook_url == ALERTS["ALERT_WEBHOOK_URL"]
    assert found.alerts.smtp_url == ALERTS["ALERT_SMTP_URL"]
    assert found.alerts.email_to == ("ada@example.org", "grace@example.org")
    assert found.alerts.sns_topic_arn == ALERTS["ALERT_SNS_TOPIC_ARN"]
    assert found.alerts.runbooks_url == "https://example.org/runbooks"
    assert "hunter2" not in repr(found)
    assert settings(data_dir).alerts == AlertSettings()


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"ALERT_WEBHOOK_URL": "hooks.example.org/hunter2"}, "ALERT_WEBHOOK_URL is no address"),
        ({"ALERT_WEBHOOK_URL": "file:///etc/hunter2"}, "ALERT_WEBHOOK_URL is no address"),
        ({"ALERT_SMTP_URL": "smtp://warehouse:hunter2@mail:twenty"}, "ALERT_SMTP_URL is no address"),
        ({"ALERT_SMTP_URL": ""}, "go together"),
        ({"ALERT_EMAIL_TO": ","}, "go together"),
        ({"ALERT_EMAIL_TO": "Ada <ada@example.org>"}, "ALERT_EMAIL_TO has 'Ada <ada@example.org>'"),
        ({"ALERT_SNS_TOPIC_ARN": "alerts"}, "ALERT_SNS_TOPIC_ARN is 'alerts'"),
        ({"ALERT_MAX_QUARANTINED_SHARE": "2"}, "ALERT_MAX_QUARANTINED_SHARE is '2'"),
    ],
    ids=[
        "no_scheme",
        "a_file",
        "a_port_that_is_none",
        "a_sender_without_a_server",
        "no_receiver",
        "a_name",
        "no_arn",
        "more_than_all",
    ],
)
def test_a_setting_of_alerts_that_cannot_be_used_is_named_and_its_secret_is_not(changed, reason):
    with pytest.raises(ConfigError, match=reason) as caught:
        alert_settings({**ALERTS, **changed})
    assert "hunter2" not in str(caught.value)
    assert caught.value.__cause__ is None
