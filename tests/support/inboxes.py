"""Servers on this machine that take alerts: of webhooks, of mails, and of a topic's messages."""

import json
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from threading import Event, Thread

import boto3
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.support.buckets import S3
from tests.support.ports import free_port


@dataclass
class Webhook:
    """Where to post, what came, and the statuses that the next posts get in place of 200."""

    url: str
    received: list[dict] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    is_hanging: bool = False


@contextmanager
def webhook_server(path: str = "/hooks/a-token") -> Iterator[Webhook]:
    """A server that takes posts of JSON at one path."""
    over = Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            inbox.requests.append("POST")
            if inbox.is_hanging:
                over.wait()
                return
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = inbox.statuses.pop(0) if inbox.statuses else 200 if self.path == path else 404
            if status == 200:
                assert self.headers["Content-Type"] == "application/json"
                inbox.received.append(json.loads(body))
            self.send_response(status, f"told {path}")
            if 300 <= status < 400:
                self.send_header("Location", "/elsewhere")
            self.end_headers()

        def do_GET(self) -> None:
            inbox.requests.append("GET")
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        inbox = Webhook(f"http://127.0.0.1:{server.server_port}{path}")
        thread = Thread(target=server.serve_forever)
        thread.start()
        try:
            yield inbox
        finally:
            over.set()
            server.shutdown()
            thread.join()


@dataclass
class Mailbox:
    """Where mail is taken, and what came: receivers and message."""

    port: int
    received: list[tuple[list[str], EmailMessage]] = field(default_factory=list)
    logins: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def mail_server(
    certificate: Path | None = None, is_tls: bool = False, password: str = ""
) -> Iterator[Mailbox]:
    """A server for mail: with a certificate it offers STARTTLS, or speaks TLS at once.

    With a password nobody sends without it.
    """
    mailbox = Mailbox(free_port())

    class Handler:
        async def handle_DATA(self, _server: object, _session: object, envelope: object) -> str:  # noqa: N802
            message = message_from_bytes(envelope.content, policy=policy.default)
            mailbox.received.append((envelope.rcpt_tos, message))
            return "250 OK"

    def authenticate(
        _server: object, _session: object, _envelope: object, _how: str, login: object
    ) -> AuthResult:
        mailbox.logins.append((login.login.decode(), login.password.decode()))
        return AuthResult(success=login.password.decode() == password, auth_data=login)

    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
    controller = Controller(
        Handler(),
        hostname="127.0.0.1",
        port=mailbox.port,
        ssl_context=context if is_tls else None,
        tls_context=None if is_tls else context,
        authenticator=authenticate if password else None,
        auth_required=bool(password),
        auth_require_tls=certificate is not None and not is_tls,  # it counts STARTTLS alone
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()


def write_certificate(path: Path) -> Path:
    """A certificate of this machine for itself, with its key, for a day."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    path.write_bytes(
        certificate.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, *form)
    )
    return path


@dataclass
class Topic:
    """A topic, and a queue that is subscribed to it."""

    arn: str
    queue_url: str
    s3: S3

    def received(self) -> list[dict]:
        """The messages that came since the last call: `Subject`, `Message` and so on."""
        queue = _client("sqs", self.s3)
        found = queue.receive_message(QueueUrl=self.queue_url, MaxNumberOfMessages=10).get("Messages", [])
        for message in found:
            queue.delete_message(QueueUrl=self.queue_url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in found]


def make_topic(s3: S3, name: str) -> Topic:
    """A topic of the server that answers as AWS does."""
    topics, queues = _client("sns", s3), _client("sqs", s3)
    arn = topics.create_topic(Name=name)["TopicArn"]
    url = queues.create_queue(QueueName=name)["QueueUrl"]
    queue = queues.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    topics.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue)
    return Topic(arn, url, s3)


def _client(service: str, s3: S3) -> object:
    return boto3.client(
        service,
        endpoint_url=s3.environment["AWS_ENDPOINT_URL"],
        region_name=s3.environment["AWS_DEFAULT_REGION"],
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
