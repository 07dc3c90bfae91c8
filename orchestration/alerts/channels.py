"""Channels: ways by which an alert reaches people, and sending it by all that are configured.

An address may hold a token or a password. None of it is ever logged, whatever a server answers.
"""

import json
import logging
import smtplib
import ssl
import time
import urllib.request
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from email.message import EmailMessage
from email.utils import formatdate, make_msgid
from typing import Protocol
from urllib.error import HTTPError, URLError
from urllib.parse import unquote, urlsplit

from ingestion.config import AlertSettings
from orchestration.alerts.alert import Alert

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = 5
"""For whatever a server does. With all attempts and pauses a channel that does not answer takes 18 s; Dagster
gives a sensor 60."""

PAUSES_SECONDS = (1, 2)
"""Between attempts: what a restarted proxy or a lost packet takes."""

LONGEST_SUBJECT = 100
"""What SNS takes, in ASCII."""


class Channel(Protocol):
    """One way to people."""

    name: str
    """For the log: the kind and the host."""

    secrets: tuple[str, ...]
    """What may stand in no log."""

    def send(self, alert: Alert) -> None:
        """Try once to bring it there; raises whatever went wrong."""


class Webhook:
    """A POST of JSON: `text`, which Slack and Mattermost show, and the alert's fields."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.name, self._url = f"webhook at {parts.hostname}", url
        self.secrets = (
            url,
            parts.path.strip("/"),
            *filter(None, (parts.query, parts.username, parts.password)),
        )

    def send(self, alert: Alert) -> None:
        """Not by requests: urllib3, below it, writes the path, which is the secret, into its log."""
        request = urllib.request.Request(
            self._url, json.dumps(alert.fields).encode(), {"Content-Type": "application/json"}
        )
        with urllib.request.build_opener(_NoRedirects).open(request, timeout=TIMEOUT_SECONDS):
            pass


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, without the alert, and look as if it had been taken."""

    def redirect_request(self, *_: object) -> None:
        return None


class Email:
    """A mail to all receivers through one server: `smtp://` with STARTTLS, `smtps://` with TLS at once.

    Without a user in the address, as for a relay next door, STARTTLS is used where it is offered.
    """

    def __init__(self, url: str, sender: str, receivers: Sequence[str]) -> None:
        self._server = urlsplit(url)
        self._sender, self._receivers = sender, receivers
        self._user, self._password = (
            unquote(part or "") for part in (self._server.username, self._server.password)
        )
        self.name = f"mail by {self._server.hostname}"
        self.secrets = tuple(filter(None, (url, self._password, self._server.password)))

    def send(self, alert: Alert) -> None:
        message = EmailMessage()
        message["From"], message["To"] = self._sender, ", ".join(self._receivers)
        message["Subject"] = alert.title
        message["Date"], message["Message-ID"] = (
            formatdate(),
            make_msgid(domain=self._sender.partition("@")[2]),
        )
        message.set_content(alert.text)
        with self._connection() as connection:
            if self._user:
                connection.login(self._user, self._password)
            connection.send_message(message, self._sender, self._receivers)

    def _connection(self) -> smtplib.SMTP:
        host, context = self._server.hostname, ssl.create_default_context()
        if self._server.scheme == "smtps":
            return smtplib.SMTP_SSL(host, self._server.port or 465, timeout=TIMEOUT_SECONDS, context=context)
        connection = smtplib.SMTP(host, self._server.port or 587, timeout=TIMEOUT_SECONDS)
        try:
            connection.ehlo_or_helo_if_needed()
            if self._user or connection.has_extn("starttls"):  # a password never travels in the clear
                connection.starttls(context=context)
                connection.ehlo()
        except BaseException:
            connection.close()
            raise
        return connection


class Sns:
    """A message to a topic, with the rights that AWS's own variables, files or roles give."""

    secrets: tuple[str, ...] = ()

    def __init__(self, topic_arn: str) -> None:
        self._topic_arn = topic_arn
        self.name = f"SNS topic {topic_arn.rpartition(':')[2]}"

    def send(self, alert: Alert) -> None:
        import boto3  # a third of a second, and few are alerted this way
        from botocore.config import Config

        config = Config(
            connect_timeout=TIMEOUT_SECONDS, read_timeout=TIMEOUT_SECONDS, retries={"total_max_attempts": 1}
        )
        region = self._topic_arn.split(":")[3]
        subject = alert.title.encode("ascii", "replace").decode()[:LONGEST_SUBJECT]
        boto3.session.Session().client("sns", region_name=region, config=config).publish(
            TopicArn=self._topic_arn, Subject=subject, Message=alert.text
        )


def configured_channels(settings: AlertSettings) -> list[Channel]:
    """The channels that the settings name."""
    channels: list[Channel] = []
    if settings.webhook_url:
        channels.append(Webhook(settings.webhook_url))
    if settings.smtp_url and settings.email_from:
        channels.append(Email(settings.smtp_url, settings.email_from, settings.email_to))
    if settings.sns_topic_arn:
        channels.append(Sns(settings.sns_topic_arn))
    return channels


def send(alerts: Sequence[Alert], channels: Sequence[Channel]) -> list[Alert]:
    """Send each alert by each channel; those that somebody was told, in their order.

    Without a channel the log is told. A channel that fails is tried again, then reported in the log and left
    out for the rest of the alerts; it holds no other up.
    """
    if not alerts:
        return []
    if not channels:
        for alert in alerts:
            log.warning("%s", alert.text)
        return list(alerts)
    with ThreadPoolExecutor(len(channels)) as threads:
        taken = max(threads.map(lambda channel: _sent_by(channel, alerts), channels))
    return list(alerts[:taken])


def _sent_by(channel: Channel, alerts: Sequence[Alert]) -> int:
    """How many of the alerts a channel took, the first ones first."""
    for place, alert in enumerate(alerts):
        for pause in (*PAUSES_SECONDS, None):
            try:
                channel.send(alert)
                break
            except Exception as error:  # whatever it is, the others go on
                reason = _without(channel.secrets, _said(error))
            if pause is None:
                log.error("alert not sent by %s: %s: %s", channel.name, alert.title, reason)
                return place
            time.sleep(pause)
    return len(alerts)


def _said(error: Exception) -> str:
    """What an error says, in one line."""
    if isinstance(error, HTTPError):
        return f"HTTP status {error.code} {error.reason}"
    if isinstance(error, URLError):
        return str(error.reason)
    return " ".join(f"{type(error).__name__}: {error}".split())


def _without(secrets: Sequence[str], text: str) -> str:
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text
