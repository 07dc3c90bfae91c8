"""The sandbox's imitation of the Web API over a made catalogue, in a process of its own.

The answers are the sandbox's own. The way to them is shorter than that of its server, which
remembers every request and can go wrong in every way: here an answer takes less time than asking for it.
"""

import multiprocessing
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.connection import Connection
from multiprocessing.sharedctypes import Synchronized
from socketserver import StreamRequestHandler, ThreadingTCPServer
from urllib.parse import parse_qsl, urlsplit

from benchmarks.support.spotify_catalogue import OWNER, Catalogue
from sandbox.spotify_api.access import access_of
from sandbox.spotify_api.accounts import ALL_SCOPES, Grant
from sandbox.spotify_api.endpoints import Call, Endpoints
from sandbox.spotify_api.messages import Answer, ApiError, Request, json_answer

_TOKEN = {"access_token": "benchmark", "token_type": "Bearer", "expires_in": 3600}
_GRANT = Grant(OWNER.user_id, ALL_SCOPES, expires_at=float("inf"))


class Server:
    """A running server; `url` has no last slash. `playlists` is how many there are."""

    def __init__(
        self, url: str, playlists: int, changed_every: int, day: Synchronized, requests: Synchronized
    ) -> None:
        self.url, self.playlists = url, playlists
        self._changed_every, self._day, self._requests = changed_every, day, requests

    @property
    def day(self) -> int:
        """The day of the catalogue that is served, 0 at first."""
        return self._day.value

    @day.setter
    def day(self, day: int) -> None:
        self._day.value = day

    @property
    def changed(self) -> int:
        """How many playlists have changed since the day before; none on day 0."""
        return len(range(self.day, self.playlists, self._changed_every)) if self.day else 0

    @property
    def requests(self) -> int:
        """Requests so far, for tokens too."""
        return self._requests.value


@contextmanager
def serving(playlists: int, tracks: int, changed_every: int) -> Iterator[Server]:
    """A server of so many playlists of so many tracks, of which one in `changed_every` changes each day.

    What is asked for is answered as an app with extended access sees it, whatever the token.
    """
    spawn = multiprocessing.get_context("spawn")
    day, requests = spawn.Value("q", 0), spawn.Value("q", 0)
    here, there = spawn.Pipe()
    arguments = (there, playlists, tracks, changed_every, day, requests)
    process = spawn.Process(target=_serve, args=arguments, daemon=True)
    process.start()
    there.close()
    try:
        yield Server(here.recv(), playlists, changed_every, day, requests)
    finally:
        process.terminate()
        process.join()


def _serve(
    opened: Connection,
    playlists: int,
    tracks: int,
    changed_every: int,
    day: Synchronized,
    requests: Synchronized,
) -> None:
    catalogue = Catalogue(playlists, tracks, changed_every, lambda: day.value)
    # The plain way reads pages of 100 tracks, which an app with extended access is refused.
    access = replace(access_of("extended"), items_page=100)
    with _TcpServer(("127.0.0.1", 0), _Handler) as server:
        url = f"http://127.0.0.1:{server.server_address[1]}"
        server.requests, server.endpoints = requests, Endpoints(catalogue, access, url, False)
        opened.send(url)
        server.serve_forever()


class _TcpServer(ThreadingTCPServer):
    daemon_threads = True
    requests: Synchronized
    endpoints: Endpoints

    def answer(self, target: str) -> Answer:
        address = urlsplit(target)
        if address.path == "/api/token":
            return json_answer(_TOKEN)
        try:
            route, identifier = self.endpoints.route(address.path)
            request = Request("GET", address.path, dict(parse_qsl(address.query)))
            return self.endpoints.answer(route, Call(request, identifier, _GRANT))
        except ApiError as error:
            return error.answer()


class _Handler(StreamRequestHandler):
    """One connection, kept open between requests. Reads of a request what tells where the next begins."""

    disable_nagle_algorithm = True
    wbufsize = -1
    server: _TcpServer

    def handle(self) -> None:
        while line := self.rfile.readline():
            body_bytes = 0
            while (header := self.rfile.readline()) not in (b"\r\n", b""):
                name, _, value = header.partition(b":")
                if name.lower() == b"content-length":
                    body_bytes = int(value)
            self.rfile.read(body_bytes)
            answer = self.server.answer(line.split()[1].decode())
            with self.server.requests:
                self.server.requests.value += 1
            headers = {**answer.headers, "Content-Length": len(answer.body)}
            head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
            self.wfile.write(f"HTTP/1.1 {answer.status} \r\n{head}\r\n".encode() + answer.body)
            self.wfile.flush()
