"""Channels bring alerts to servers, give up on those that do not take them, and tell no secrets."""

import logging
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from ingestion.config import alert_settings
from orchestration.alerts import channels
from orchestration.alerts.alert import Alert
from orchestration.alerts.channels import Sns, configured_channels, send
from tests.support.buckets import s3_server
from tests.support.inboxes import mail_server, make_topic, webhook_server, write_certificate
from tests.support.ports import free_port

ALERT = Alert(
    kind="lateness",
    title="LATE: the marts of Sunday 22 November are not published",
    happened="It is past 07:00 \u2013 and nothing was published.",
    since=datetime(2026, 11, 22, 6, tzinfo=UTC),
    served="v000012, published 2026-11-21 05:12 UTC, 25 hours ago",
    to_do="make run",
    runbook="https://example.org/runbooks/late.md",
    time_zone=ZoneInfo("Europe/Berlin"),
)


def sent(*alerts: Alert, **environment: str) -> list[Alert]:
    """Which of the alerts somebody took, of those that the environment names."""
    return send(alerts or [ALERT], configured_channels(alert_settings(environment)))


@pytest.fixture
def quick(monkeypatch):
    """Servers that do not answer are given up soon."""
    monkeypatch.setattr(channels, "TIMEOUT_SECONDS", 0.3)
    monkeypatch.setattr(channels, "PAUSES_SECONDS", (0, 0))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return write_certificate(tmp_path_factory.mktemp("mail") / "certificate.pem")


def test_a_webhook_gets_the_text_and_the_fields():
    with webhook_server() as inbox:
        assert sent(ALERT_WEBHOOK_URL=inbox.url) == [ALERT]
    assert inbox.received == [
        {
            "text": ALERT.text,
            "kind": "lateness",
            "is_over": False,
            "title": ALERT.title,
            "happened": ALERT.happened,
            "since": "2026-11-22T06:00:00+00:00",
            "since_local": "2026-11-22T07:00:00+01:00",
            "until": None,
            "readers_see": ALERT.served,
            "to_do": "make run",
            "runbook": "https://example.org/runbooks/late.md",
        }
    ]


@pytest.mark.usefixtures("quick")
def test_a_webhook_that_fails_for_a_moment_is_asked_again():
    with webhook_server() as inbox:
        inbox.statuses += [500, 429]
        assert sent(ALERT_WEBHOOK_URL=inbox.url) == [ALERT]
    assert (len(inbox.requests), len(inbox.received)) == (3, 1)


@pytest.mark.usefixtures("quick")
def test_a_redirected_alert_counts_as_not_sent():
    with webhook_server() as inbox:
        inbox.statuses += [302] * 3
        assert sent(ALERT_WEBHOOK_URL=inbox.url) == []
    assert inbox.requests == ["POST"] * 3


@pytest.mark.parametrize("fault", ["answers_500", "hangs", "is_not_there", "is_not_known"])
@pytest.mark.usefixtures("quick")
def test_one_channel_that_fails_holds_no_other_up_and_is_reported_without_its_secret(fault, caplog):
    caplog.set_level(logging.DEBUG)
    with webhook_server("/hooks/hunter2") as broken, mail_server() as mailbox:
        broken.statuses += [500] * 3 * (fault == "answers_500")
        broken.is_hanging = fault == "hangs"
        url = (
            broken.url.replace("127.0.0.1", "me:hunter2@127.0.0.1") if fault == "is_not_known" else broken.url
        )
        if fault == "is_not_there":
            url = f"http://127.0.0.1:{free_port()}/hooks/hunter2?key=hunter2"
        assert sent(
            ALERT_WEBHOOK_URL=url,
            ALERT_SMTP_URL=f"smtp://127.0.0.1:{mailbox.port}",
            ALERT_EMAIL_FROM="warehouse@example.org",
            ALERT_EMAIL_TO="ada@example.org",
        ) == [ALERT]
    assert len(mailbox.received) == 1
    (report,) = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert report.startswith(f"alert not sent by webhook at 127.0.0.1: {ALERT.title}: ")
    assert "hunter2" not in caplog.text


@pytest.mark.usefixtures("quick")
def test_what_nobody_took_is_not_sent_and_its_channel_is_not_tried_for_the_next(caplog):
    with webhook_server() as inbox:
        inbox.statuses += [500] * 3
        assert sent(ALERT, ALERT, ALERT_WEBHOOK_URL=inbox.url) == []
    assert len(inbox.requests) == 3
    assert "HTTP status 500" in caplog.text


def test_without_a_channel_the_log_is_told(caplog):
    assert sent() == [ALERT]
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [("WARNING", ALERT.text)]


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # as if it could be without
@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_a_mail_goes_to_all_receivers_by_an_encrypted_login(scheme, certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with mail_server(certificate, is_tls=scheme == "smtps", password="p@ss word") as mailbox:
        assert sent(
            ALERT_SMTP_URL=f"{scheme}://warehouse:p%40ss%20word@127.0.0.1:{mailbox.port}",
            ALERT_EMAIL_FROM="warehouse@example.org",
            ALERT_EMAIL_TO="ada@example.org, grace@example.org",
        ) == [ALERT]
    assert mailbox.logins == [("warehouse", "p@ss word")]
    ((receivers, message),) = mailbox.received
    assert receivers == ["ada@example.org", "grace@example.org"]
    assert (message["From"], message["To"]) == ("warehouse@example.org", "ada@example.org, grace@example.org")
    assert message["Subject"] == ALERT.title
    assert message.get_content().splitlines() == ALERT.text.splitlines()


@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("fault", ["wrong_password", "unknown_certificate", "nothing_encrypted", "hangs"])
@pytest.mark.usefixtures("quick")
def test_a_password_is_neither_shown_nor_sent_in_the_clear(fault, certificate, monkeypatch, caplog):
    caplog.set_level(logging.DEBUG)
    if fault != "unknown_certificate":
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    offered = None if fault == "nothing_encrypted" else certificate
    with (
        mail_server(offered, password="swordfish") as mailbox,
        webhook_server() as hanging,
    ):
        hanging.is_hanging = True
        port = hanging.url.split(":")[2].split("/")[0] if fault == "hangs" else mailbox.port
        assert (
            sent(
                ALERT_SMTP_URL=f"smtp://warehouse:hunter2@127.0.0.1:{port}",
                ALERT_EMAIL_FROM="warehouse@example.org",
                ALERT_EMAIL_TO="ada@example.org",
            )
            == []
        )
    assert mailbox.logins == ([("warehouse", "hunter2")] * 3 if fault == "wrong_password" else [])
    assert mailbox.received == []
    assert "alert not sent by mail by 127.0.0.1" in caplog.text
    assert "hunter2" not in caplog.text


@pytest.fixture(scope="module")
def s3():
    with s3_server() as server:
        yield server


def test_a_topics_subscribers_get_the_text(s3, monkeypatch):
    topic = make_topic(s3, "alerts")
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    assert sent(ALERT_SNS_TOPIC_ARN=topic.arn) == [ALERT]
    (message,) = topic.received()
    assert (message["Subject"], message["Message"]) == (ALERT.title, ALERT.text)


def test_a_topic_that_does_not_exist_is_reported(s3, monkeypatch, caplog, quick):  # noqa: ARG001
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)
    assert send([ALERT], [Sns("arn:aws:sns:us-east-1:123456789012:nowhere")]) == []
    assert "alert not sent by SNS topic nowhere" in caplog.text
    assert "NotFound" in caplog.text
