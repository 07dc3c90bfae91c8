"""A server between clients and moto's S3 that answers some requests with a fault, and passes the others on.

Faults are what S3 itself answers (a status and an error's code), a connection that is reset, or a listing
that is not up to date.
"""

import http.client
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

RESET = "reset"
"""In place of an error's code: the connection is reset before any answer."""

_STATUS = {
    "SlowDown": 503,
    "InternalError": 500,
    "AccessDenied": 403,
    "ExpiredToken": 400,
    "InvalidAccessKeyId": 403,
    "SignatureDoesNotMatch": 403,
    "NoSuchBucket": 404,
}


@dataclass
class Request:
    """A request as S3 gets it: `target` is the path and the query."""

    method: str
    target: str


@dataclass
class FaultyS3:
    """The server: `faults` decide, first one first, what a request is answered with.

    A fault is a code (or RESET), which requests it is for, and how many of them it befalls; None is all.
    `requests` are those that came, `failed` those that were answered with a fault. Listings leave out
    the `hidden` keys.
    """

    address: str
    faults: list[list] = field(default_factory=list)
    hidden: set[str] = field(default_factory=set)
    requests: list[Request] = field(default_factory=list)
    failed: list[Request] = field(default_factory=list)

    @property
    def url(self) -> str:
        """Where clients reach it."""
        return f"http://{self.address}"

    def fail(self, code: str, where: Callable[[Request], bool], times: int | None = None) -> None:
        """From now on answer such requests with a fault."""
        self.faults.append([code, where, times])

    def clear(self) -> None:
        """Pass on everything."""
        for each in (self.faults, self.hidden, self.requests, self.failed):
            each.clear()

    def fault_for(self, request: Request) -> str | None:
        """The fault that befalls a request."""
        self.requests.append(request)
        for fault in self.faults:
            code, where, times = fault
            if times != 0 and where(request):
                fault[2] = times and times - 1
                self.failed.append(request)
                return code
        return None


def _without(hidden: set[str], content: bytes) -> bytes:
    """A listing without the hidden keys; anything else as it is."""

    def shown(entry: re.Match) -> bytes:
        return b"" if any(f"<Key>{key}</Key>".encode() in entry[0] for key in hidden) else entry[0]

    if not hidden or b"<ListBucketResult" not in content:
        return content
    return re.sub(rb"<Contents>.*?</Contents>", shown, content, flags=re.DOTALL)


@contextmanager
def faulty_s3(behind: str) -> Iterator[FaultyS3]:
    """Such a server before the S3 at the URL `behind`, on a port of its own, until the end of the block."""
    there = urlsplit(behind)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _answer(self) -> None:
            if self.headers.get("Expect", "").lower() == "100-continue":
                self.send_response_only(100)
                self.end_headers()
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            code = running.fault_for(Request(self.command, self.path))
            if code == RESET:
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                self.close_connection = True
                self.connection.close()
                return
            if code:
                text = f"<Error><Code>{code}</Code><Message>made to fail</Message></Error>".encode()
                self._send(_STATUS[code], [("Content-Type", "application/xml")], text)
                return
            onward = http.client.HTTPConnection(there.hostname, there.port)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            onward.request(self.command, self.path, body, headers)
            answer = onward.getresponse()
            content = _without(running.hidden, answer.read())
            self._send(answer.status, answer.getheaders(), content)
            onward.close()

        def _send(self, status: int, headers: list[tuple[str, str]], content: bytes) -> None:
            self.send_response_only(status)
            dropped = ("connection", "transfer-encoding", "content-length")
            length = next((value for name, value in headers if name.lower() == "content-length"), None)
            for name, value in headers:
                if name.lower() not in dropped:
                    self.send_header(name, value)
            is_head = self.command == "HEAD"
            self.send_header("Content-Length", (length if is_head else None) or str(len(content)))
            self.end_headers()
            if not is_head:
                self.wfile.write(content)

        def __getattr__(self, name: str) -> Callable[[], None]:
            if name.startswith("do_"):
                return self._answer
            raise AttributeError(name)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    running = FaultyS3(f"127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
