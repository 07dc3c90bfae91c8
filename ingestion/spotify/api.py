"""Calls of Spotify's Web API: entered in the ledger, tried again where that helps, kept as received.

spotipy forms the requests and reads the answers; whether one is tried again is decided here, because
its own retries sit through any Retry-After and hide the status (docs/decisions/0009).
"""

import logging
import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import requests
import spotipy

from ingestion.errors import IngestionError
from ingestion.spotify.authorisation import AppAccess, AuthorisationError, UserAccess
from ingestion.spotify.journal import json_of, without_user
from ingestion.spotify.ledger import Ledger, OutOfRequestsError, Priority

log = logging.getLogger(__name__)

TIMEOUT_SECONDS = (5.0, 30.0)
"""To connect, and between two bytes of an answer."""

RETRIES = 3
"""Further attempts where the server failed, timed out or cut its answer."""

PATIENCE = 50
"""Answers 429 to one call after which the run ends: the window is shut for longer than it says."""

QUOTA_PAUSE = timedelta(hours=1)
"""Where a quota stop does not say how long: the quota rolls, so some of it may be free by then."""

LONGEST_WAIT = timedelta(days=7)
"""No Retry-After counts for more: the longest that was seen is a day."""

LONGEST_JITTER = timedelta(seconds=30)
"""Added to a pause by chance, a tenth of it at most, so that not all extractors come back at once."""

UNANSWERED_IN_A_ROW = 10
"""Calls without any answer, one after the other, after which it is asked whether Spotify is down."""

DOWN_PAUSE = timedelta(hours=1)
"""When to try again then."""

NEVER_AGAIN = {HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND, HTTPStatus.GONE}


@dataclass(frozen=True)
class Answer:
    """An answer as received, and as JSON. `url` is without the host; it may hold the user's id."""

    url: str
    body: str
    json: dict
    received_at: datetime


class CallRefusedError(IngestionError):
    """Spotify understood and refuses (4xx): trying again does not help. `status` says how.

    `url` may be shown: it is without the host and names no user.
    """

    def __init__(self, url: str, status: int, message: str) -> None:
        url = without_user(url)
        super().__init__(f"Spotify answers {status} to {url.partition('?')[0]}: {message}")
        self.url, self.status, self.message = url, status, message

    @property
    def is_lasting(self) -> bool:
        """Whether the same call will be refused tomorrow as well, as far as one can know."""
        return self.status in NEVER_AGAIN


class NoAnswerError(IngestionError):
    """No usable answer after all retries: the server failed, timed out or sent something else."""


class ForeignLinkError(IngestionError):
    """A `next` link to another host: the token must not go there."""


class SpotifyApi:
    """Calls of one account at `base_url` (scheme and host).

    `access` is what spotipy calls an auth manager; `now` and `sleep` are those of the ledger.
    """

    def __init__(
        self,
        base_url: str,
        access: AppAccess | UserAccess,
        ledger: Ledger,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._access, self._ledger = access, ledger
        self._now, self._sleep = now, sleep
        self._origin = urlsplit(base_url)[:2]
        self._response: requests.Response | None = None
        self._unanswered = 0
        session = requests.Session()
        session.max_redirects = 0  # the API does not redirect, and what lies elsewhere is no answer of its
        session.hooks["response"].append(self._notice)
        self.spotify = spotipy.Spotify(
            auth_manager=access, requests_session=session, requests_timeout=TIMEOUT_SECONDS
        )
        self.spotify.prefix = f"{base_url.rstrip('/')}/v1/"

    @property
    def client_id(self) -> str:
        """The app's id."""
        return self._access.client_id

    def call(self, method: Callable[..., Any], *arguments: Any, priority: Priority, **options: Any) -> Answer:
        """What a method of `self.spotify` answers.

        Raises CallRefusedError, NoAnswerError, OutOfRequestsError, or AuthorisationError where there is
        no token to be had that is accepted.
        """
        failures = waits = 0
        has_new_token = False
        while True:
            self._ledger.take(priority)
            answer, problem = self._attempt(method, *arguments, **options)
            if answer is not None:
                self._unanswered = 0
                return answer
            response = self._response
            status = response.status_code if response is not None else None
            if status == HTTPStatus.UNAUTHORIZED and not has_new_token:
                has_new_token = True
                self._access.forget_token()
            elif status == HTTPStatus.UNAUTHORIZED:
                raise AuthorisationError(f"Spotify refuses even a new access token: {problem}")
            elif status == HTTPStatus.TOO_MANY_REQUESTS:
                waits += 1
                self._enter_pause(response, waits)
            elif status is not None and 400 <= status < 500:
                self._unanswered = 0
                raise CallRefusedError(_without_host(response.url), status, problem)
            else:
                failures += 1
                if failures > RETRIES:
                    self._give_up(f"no answer after {failures} attempts: {problem}", priority)
                self._sleep(2 ** (failures - 1) * random.uniform(1, 1.5))

    def next_page(self, link: str, priority: Priority) -> Answer:
        """The page that a `next` link leads to. Raises ForeignLinkError, and what `call` raises."""
        try:
            leads_elsewhere = urlsplit(link)[:2] != self._origin
        except ValueError:  # no URL at all
            leads_elsewhere = True
        if leads_elsewhere:
            raise ForeignLinkError(f"a next link leads away from {'://'.join(self._origin)}")
        return self.call(self.spotify.next, {"next": link}, priority=priority)

    def _notice(self, response: requests.Response, *_: Any, **__: Any) -> None:
        self._response = response
        # spotipy would parse the body, which is done below, and format all of it for its log.
        response.json = dict

    def _attempt(
        self, method: Callable[..., Any], *arguments: Any, **options: Any
    ) -> tuple[Answer | None, str]:
        """The answer, or None and what went wrong; `self._response` is what it came with, if anything."""
        self._response = None
        try:
            method(*arguments, **options)
        except requests.RequestException as error:
            self._response = None  # of a cut answer the status says nothing
            return None, type(error).__name__
        except (spotipy.SpotifyException, AttributeError, TypeError):
            # spotipy raises for what it does not expect in a body too; only the response itself counts
            if self._response is None:
                raise
        response = self._response
        body = response.content.decode("utf-8-sig", "replace")
        try:
            content = json_of(body)
        except ValueError:
            content = None
        if not response.ok:
            return None, _error_message(content) or response.reason
        url = _without_host(response.url)
        if not isinstance(content, dict):
            return None, f"{without_user(url)} answered with something that is no JSON object"
        return Answer(url, body, content, self._now()), ""

    def _give_up(self, problem: str, priority: Priority) -> None:
        """No usable answer to one call: raises NoAnswerError, or ends the run where Spotify is down."""
        self._unanswered += 1
        if self._unanswered >= UNANSWERED_IN_A_ROW:
            if not self._is_up(priority):
                reason = f"Spotify did not answer {self._unanswered} calls in a row"
                until = self._now() + DOWN_PAUSE
                self._ledger.pause(until, reason)
                raise OutOfRequestsError(reason, until)
            self._unanswered = 0
        raise NoAnswerError(problem)

    def _is_up(self, priority: Priority) -> bool:
        """Whether Spotify answers a request that has nothing to do with what failed, be it by refusing it."""
        self._ledger.take(priority)
        answer, _ = self._attempt(self.spotify.search, "a", limit=1)
        refusal = self._response
        return answer is not None or (refusal is not None and 400 <= refusal.status_code < 500)

    def _enter_pause(self, response: requests.Response, waits: int) -> None:
        asked = retry_after(response.headers.get("Retry-After"), self._now())
        if b"QUOTA_EXCEEDED" in response.content:
            until = self._now() + (asked or QUOTA_PAUSE)
            self._ledger.pause(until, "QUOTA_EXCEEDED")
            raise OutOfRequestsError("Spotify's quota for this account is spent", until)
        wait = asked or timedelta(seconds=min(2**waits, 60))
        until = self._now() + wait + min(wait * 0.1, LONGEST_JITTER) * random.random()
        if waits >= PATIENCE:
            until += QUOTA_PAUSE
        self._ledger.pause(until, "Spotify asks for a pause (429)")
        log.info("Spotify asks for a pause of %.0f s", wait.total_seconds())
        if waits >= PATIENCE:
            raise OutOfRequestsError("Spotify asks for one pause after the other", until)


def retry_after(header: str | None, now: datetime) -> timedelta | None:
    """The wait that a Retry-After header asks for: seconds, with a fraction too, or an HTTP date.

    None where it says nothing usable. Never less than a second nor more than LONGEST_WAIT.
    """
    if header is None:
        return None
    try:
        wait = timedelta(seconds=float(header))
    except (ValueError, OverflowError):
        try:
            at = parsedate_to_datetime(header.strip())
        except ValueError:
            return None
        wait = (at if at.tzinfo else at.replace(tzinfo=UTC)) - now
    return min(max(wait, timedelta(seconds=1)), LONGEST_WAIT)


def _error_message(content: Any) -> str | None:
    """What an error's body says: Spotify's own object, or a word alone."""
    error = content.get("error") if isinstance(content, dict) else None
    said = error.get("message") if isinstance(error, dict) else error
    return said if isinstance(said, str) else None


def _without_host(url: str) -> str:
    parts = urlsplit(url)
    return parts.path + (f"?{parts.query}" if parts.query else "")
