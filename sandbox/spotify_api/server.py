"""The server: a thread that listens on a loopback port, and one for each connection."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from socket import SHUT_RDWR, socket
from socketserver import TCPServer, ThreadingMixIn
from threading import Lock, Thread
from types import TracebackType
from typing import Self
from urllib.parse import parse_qsl, unquote, urlsplit

from sandbox.spotify_api.access import AppKind, Naming, access_of
from sandbox.spotify_api.accounts import ALL_SCOPES, Accounts
from sandbox.spotify_api.endpoints import Call, Endpoints
from sandbox.spotify_api.faults import Delivery, Faults
from sandbox.spotify_api.limits import QUOTA_WINDOW, RATE_WINDOW, RollingLimit
from sandbox.spotify_api.messages import Answer, ApiError, Request
from sandbox.spotify_api.request_log import LoggedRequest, RequestLog
from sandbox.spotify_api.scene import Edit, Scene, without_first
from sandbox.world import World, generate_world

_MOST_FORM_BYTES = 1_000_000


class SpotifyApi:
    """An imitation of the Spotify Web API and its accounts service over one world, on 127.0.0.1.

    Use it as a context manager, or call `start` and `stop`. Everything here may be used while it
    runs, from any thread.

    `client_id`, `client_secret`: the app's. `faults`: what goes wrong. `requests`: what was asked.
    `accounts`: its tokens. Seconds throughout.
    """

    def __init__(
        self,
        world: World | None = None,
        *,
        app: AppKind = "development",
        client_id: str = "sandbox-client",
        naming: Naming | None = None,
        exceptions: Mapping[str, int | None] | None = None,
        follows_every: int = 12,
        lists_odd_playlists: bool = False,
        token_lifetime: float = 3600,
        rate_limit: int | None = None,
        daily_quota: int | None = None,
        clock: Callable[[], float] = time.time,
        port: int = 0,
    ) -> None:
        """Opens the port, so that the addresses are known; answers once started.

        `world`: the default one where None. `naming`: how a playlist's items are called, where not as
        `app` has it. `exceptions`: path template ("/v1/tracks") -> the status with which this app is
        refused, or None where it is not. `follows_every`: the account's list has its own playlists and
        every n-th of other people's, 1 for all. `lists_odd_playlists`: whether the odd ones are in it
        too; by their ids they can be had in any case. `rate_limit`: requests below
        /v1 in a rolling 30 s; `daily_quota`: in a rolling day; None for no limit. `clock` gives the
        time for tokens and limits. `port` 0 takes a free one. Raises OSError for a port that is
        taken, KeyError for an unknown kind of app.
        """
        access = access_of(app, naming, exceptions)
        self.client_id, self.client_secret = client_id, "sandbox-secret"
        self.faults, self.requests = Faults(), RequestLog()
        self._scene = Scene(world or generate_world(), follows_every)
        user_id = self._scene.world.account.user_id
        self.accounts = Accounts(user_id, self.client_id, self.client_secret, token_lifetime, clock)
        self._rate = RollingLimit(rate_limit, RATE_WINDOW, clock)
        self._quota = RollingLimit(daily_quota, QUOTA_WINDOW, clock)
        self._http = _HttpServer(self._respond, port)
        self._endpoints = Endpoints(self._scene, access, self.url, lists_odd_playlists)
        self._thread = Thread(target=self._http.serve_forever, args=(0.05,), name="spotify api", daemon=True)

    # --- addresses ---

    @property
    def url(self) -> str:
        """`http://127.0.0.1:<port>`."""
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def api_url(self) -> str:
        """Where the Web API's paths begin, with a last slash."""
        return f"{self.url}/v1/"

    @property
    def token_url(self) -> str:
        """Where tokens are given out."""
        return f"{self.url}/api/token"

    @property
    def authorize_url(self) -> str:
        """Where the user is sent to agree."""
        return f"{self.url}/authorize"

    # --- the world ---

    @property
    def world(self) -> World:
        """The world that is served."""
        return self._scene.world

    @property
    def day(self) -> date:
        """The day whose playlists are served, the last one at first.

        Setting it forgets the edits made with `edit_playlist`; raises ValueError for a day outside
        the world.
        """
        return self._scene.day

    @day.setter
    def day(self, day: date) -> None:
        self._scene.day = day

    def edit_playlist(self, playlist_id: str, edit: Edit = without_first) -> str:
        """Changes a playlist's items, by default by taking out the first; gives the new snapshot id.

        Raises KeyError for a playlist that does not exist on the day.
        """
        return self._scene.edit(playlist_id, edit)

    # --- tokens and limits ---

    def app_token(self) -> str:
        """An access token as from client credentials."""
        return self.accounts.issue_access_token(None, "")

    def user_token(self, user_id: str | None = None, scope: str = ALL_SCOPES) -> str:
        """An access token of a user, the world's account by default. KeyError for an unknown one."""
        user = self.world.users[user_id or self.world.account.user_id]
        return self.accounts.issue_access_token(user.user_id, scope)

    def refresh_token(self, user_id: str | None = None, scope: str = ALL_SCOPES) -> str:
        """A refresh token of a user, the world's account by default. KeyError for an unknown one."""
        user = self.world.users[user_id or self.world.account.user_id]
        return self.accounts.issue_refresh_token(user.user_id, scope)

    def limit_rate(self, requests: int | None) -> None:
        """From now on at most that many requests in 30 s; None for no limit."""
        self._rate.reset()
        self._rate.limit = requests

    def limit_quota(self, requests: int | None) -> None:
        """From now on at most that many requests in a day; None for no limit."""
        self._quota.reset()
        self._quota.limit = requests

    # --- lifecycle ---

    def start(self) -> None:
        """Begins to answer. To be called once."""
        self._thread.start()

    def stop(self) -> None:
        """Closes the port and all connections, and waits for all threads. Further calls do nothing."""
        if self._thread.is_alive():
            self._http.shutdown()
            self._thread.join()
        self._http.server_close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    # --- requests ---

    def _respond(self, request: Request) -> tuple[Answer, Delivery]:
        fault = self.faults.due(request)
        if fault and fault.before:
            fault.before()
        found = self._endpoints.route(request.path)
        if fault and (fault.answer or fault.delivery in ("hang", "close")):
            answer = fault.answer or Answer(0)
        else:
            answer = self._answer(request)
        if fault and fault.change:
            answer = fault.change(answer)
        delivery = fault.delivery if fault else "whole"
        self.requests.add(
            LoggedRequest(
                method=request.method,
                path=request.path,
                template=found[0].template if found else request.path,
                query=dict(request.query),
                is_authorised=self._is_authorised(request),
                status=None if delivery in ("hang", "close") else answer.status,
                fault=fault.name if fault else None,
            )
        )
        return answer, delivery

    def _is_authorised(self, request: Request) -> bool:
        if request.path == "/api/token":
            return self.accounts.knows_client(request)
        grant = self.accounts.grant_of(request.headers)
        return grant is not None and self.accounts.is_current(grant)

    def _answer(self, request: Request) -> Answer:
        try:
            if (request.method, request.path) == ("POST", "/api/token"):
                return self.accounts.token(request)
            if (request.method, request.path) == ("GET", "/authorize"):
                return self.accounts.authorize(request)
            return self._answer_of_api(request)
        except ApiError as error:
            return error.answer()

    def _answer_of_api(self, request: Request) -> Answer:
        found = self._endpoints.route(request.path)
        if not found:
            raise ApiError(404, "Service not found")
        if "authorization" not in request.headers:
            raise ApiError(401, "No token provided")
        grant = self.accounts.grant_of(request.headers)
        if not grant:
            raise ApiError(401, "Invalid access token")
        if not self.accounts.is_current(grant):
            raise ApiError(401, "The access token expired")
        if wait := self._rate.take():
            raise ApiError(429, "API rate limit exceeded", retry_after=str(wait))
        if wait := self._quota.take():
            raise ApiError(429, "Too many requests", "QUOTA_EXCEEDED", str(wait))
        route, identifier = found
        return self._endpoints.answer(route, Call(request, identifier, grant))


class _HttpServer(ThreadingMixIn, HTTPServer):
    """Knows its connections, so that it can end them and wait for their threads."""

    daemon_threads = True
    # One warehouse may open many connections at once.
    request_queue_size = 128

    def __init__(self, respond: Callable[[Request], tuple[Answer, Delivery]], port: int) -> None:
        self.respond = respond
        self._connections: dict[socket, Thread] = {}
        self._lock = Lock()
        super().__init__(("127.0.0.1", port), _Handler)

    def server_bind(self) -> None:
        # HTTPServer asks for the host's name, which can take seconds where there is no name server.
        TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", self.server_address[1]

    def process_request(self, request: socket, client_address: tuple[str, int]) -> None:
        thread = Thread(target=self._serve_connection, args=(request, client_address), daemon=True)
        with self._lock:
            self._connections[request] = thread
        thread.start()

    def _serve_connection(self, request: socket, client_address: tuple[str, int]) -> None:
        try:
            # An error here means that the client has gone or that the server is stopping.
            with suppress(OSError):
                self.finish_request(request, client_address)
        finally:
            with self._lock:
                self._connections.pop(request, None)
                self.shutdown_request(request)

    def server_close(self) -> None:
        TCPServer.server_close(self)
        with self._lock:
            threads = list(self._connections.values())
            for connection in self._connections:
                # The client may have been faster.
                with suppress(OSError):
                    connection.shutdown(SHUT_RDWR)
        for thread in threads:
            thread.join()


class _Handler(BaseHTTPRequestHandler):
    """One connection, which it keeps open between requests."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    # Buffered, so that an answer goes out in one piece.
    wbufsize = -1
    server: _HttpServer

    def log_message(self, *_: object) -> None:
        """Nothing: the request log is the server's."""

    def do_GET(self) -> None:
        """Any GET."""
        self._serve()

    def do_POST(self) -> None:
        """Any POST."""
        self._serve()

    def do_PUT(self) -> None:
        """Any PUT."""
        self._serve()

    def do_DELETE(self) -> None:
        """Any DELETE."""
        self._serve()

    def _serve(self) -> None:
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _MOST_FORM_BYTES:
            self.close_connection = True
            self._send(Answer(400), "whole")
            return
        body = self.rfile.read(int(length)).decode("utf-8", "replace")
        address = urlsplit(self.path)
        request = Request(
            method=self.command,
            path=unquote(address.path).rstrip("/") or "/",
            query=dict(parse_qsl(address.query, keep_blank_values=True)),
            headers={name.lower(): value for name, value in self.headers.items()},
            form=dict(parse_qsl(body, keep_blank_values=True)),
        )
        self._send(*self.server.respond(request))

    def _send(self, answer: Answer, delivery: Delivery) -> None:
        if delivery != "whole":
            self.close_connection = True
        if delivery == "hang":
            # Ends when the client or the server's stop closes the connection.
            while self.connection.recv(1024):
                pass
        if delivery in ("hang", "close"):
            return
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        if delivery == "cut chunked":
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(answer.body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        body = answer.body if delivery == "whole" else answer.body[: len(answer.body) // 2]
        if delivery == "cut chunked":
            body = f"{len(answer.body):x}\r\n".encode() + body
        self.end_headers()
        self.wfile.write(body)
