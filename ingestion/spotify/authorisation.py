"""Access to Spotify: the app's own for the catalogue, a user's for that user's playlists.

The app's access comes of its id and secret alone. A user's comes of a refresh token, had once by
`python -m ingestion spotify login` and kept in a file that only its owner can read; no run ever asks
a question. Tokens are in no log, no error text and no row.
"""

import json
import logging
import os
import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from pathlib import Path

import requests
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import (
    SpotifyAuthBase,
    SpotifyClientCredentials,
    SpotifyOAuth,
    SpotifyOauthError,
    SpotifyStateError,
)

from ingestion.errors import ConfigError, IngestionError

log = logging.getLogger(__name__)

SCOPE = "playlist-read-private playlist-read-collaborative"

TOKEN_LIFE = timedelta(days=180)
"""Six months, the shortest way to count them: since 2026-07-20 a refresh token dies then, used or not."""

WARN_BEFORE = timedelta(days=30)

EARLY_SECONDS = 60
"""An access token this close to its end is renewed."""

LOGIN = "python -m ingestion spotify login"


class AuthorisationError(IngestionError):
    """Spotify gives no access; the message says what to do."""


class AccountsServiceError(requests.RequestException):
    """The accounts service failed: as with any failed request, trying again may help."""


@dataclass(frozen=True)
class App:
    """A registered app: what its owner was given, and where Spotify's accounts service is."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str | None
    accounts_url: str

    def pointed(self, manager: SpotifyAuthBase) -> SpotifyAuthBase:
        """The manager, asking this app's accounts service."""
        base = self.accounts_url.rstrip("/")
        manager.OAUTH_TOKEN_URL = f"{base}/api/token"
        manager.OAUTH_AUTHORIZE_URL = f"{base}/authorize"
        return manager


class AppAccess:
    """Client credentials: everything that belongs to no user. What spotipy calls an auth manager."""

    def __init__(self, app: App, timeout: tuple[float, float]) -> None:
        self.client_id = app.client_id
        self._manager = app.pointed(
            SpotifyClientCredentials(
                app.client_id,
                app.client_secret,
                requests_session=_session(),
                requests_timeout=timeout,
                cache_handler=MemoryCacheHandler(),
            )
        )

    def get_access_token(self, as_dict: bool = False) -> str:  # noqa: ARG002
        """An access token. Raises AuthorisationError where the app is refused."""
        with _refusals_explained():
            return self._manager.get_access_token(as_dict=False)

    def forget_token(self) -> None:
        """Ask for a new access token next time."""
        self._manager.cache_handler = MemoryCacheHandler()


class UserAccess:
    """A user's stored refresh token. What spotipy calls an auth manager."""

    def __init__(
        self,
        app: App,
        path: Path,
        timeout: tuple[float, float],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """Raises AuthorisationError where nobody has authorised this app yet."""
        self.client_id = app.client_id
        self._path, self._now = path, now
        self._oauth = _oauth(app, timeout)
        self._access_token: str | None = None
        self._expires_at = 0.0
        self._stored()

    @property
    def ends_at(self) -> datetime:
        """When the authorisation ends (UTC)."""
        return datetime.fromisoformat(self._stored()["authorised_at"]) + TOKEN_LIFE

    def warn_if_it_ends_soon(self) -> bool:
        """Say in the log that the authorisation ends within 30 days; whether it does."""
        if self._now() < self.ends_at - WARN_BEFORE:
            return False
        log.warning(
            "the Spotify authorisation ends on %s: renew it with %s", f"{self.ends_at:%Y-%m-%d}", LOGIN
        )
        return True

    def get_access_token(self, as_dict: bool = False) -> str:  # noqa: ARG002
        """An access token. Raises AuthorisationError where the refresh token is no longer good."""
        if self._access_token is None or time.time() > self._expires_at - EARLY_SECONDS:
            stored = self._stored()  # anew each time: another process may have been given a new token
            with _refusals_explained():
                fresh = self._oauth.refresh_access_token(stored["refresh_token"])
                self._access_token, self._expires_at = fresh["access_token"], fresh["expires_at"]
            if fresh["refresh_token"] != stored["refresh_token"]:
                _store(self._path, stored | {"refresh_token": fresh["refresh_token"]})
        return self._access_token

    def forget_token(self) -> None:
        """Ask for a new access token next time."""
        self._access_token = None

    def _stored(self) -> dict:
        try:
            stored = json.loads(self._path.read_text())
            datetime.fromisoformat(stored["authorised_at"])
            client_id, _ = stored["client_id"], stored["refresh_token"]
        except FileNotFoundError:
            raise AuthorisationError(f"no user has authorised this app yet: run {LOGIN}") from None
        except (ValueError, TypeError, KeyError):
            raise AuthorisationError(f"{self._path} cannot be read: authorise again with {LOGIN}") from None
        if client_id != self.client_id:
            raise AuthorisationError(f"the user authorised another app: authorise again with {LOGIN}")
        return stored


def login(
    app: App, path: Path, timeout: tuple[float, float], paste: bool, show: Callable[[str], None]
) -> None:
    """Have a user authorise the app, once, and keep the refresh token at `path`.

    The user opens the address shown; Spotify then leads the browser to SPOTIPY_REDIRECT_URI, where
    this process listens, or, with `paste`, the user brings the address that the browser ended at.
    Raises ConfigError without a redirect URI and AuthorisationError where it comes to nothing.
    """
    if not app.redirect_uri:
        raise ConfigError("SPOTIPY_REDIRECT_URI is not set: give the one registered for the app")
    oauth = _oauth(app, timeout)
    oauth.state = secrets.token_urlsafe(16)
    show(f"Open this address in a browser and agree:\n\n  {oauth.get_authorize_url()}\n")
    with _refusals_explained():
        code = _code(oauth, paste)
        oauth.get_access_token(code, as_dict=False, check_cache=False)
        refresh_token = oauth.cache_handler.get_cached_token()["refresh_token"]
    keep_refresh_token(path, app.client_id, refresh_token, datetime.now(UTC))
    show(f"Authorised until about {datetime.now(UTC) + TOKEN_LIFE:%Y-%m-%d}.")


def keep_refresh_token(path: Path, client_id: str, refresh_token: str, authorised_at: datetime) -> None:
    """Write the file that `UserAccess` reads, for its owner alone."""
    stored = {
        "client_id": client_id,
        "refresh_token": refresh_token,
        "authorised_at": authorised_at.isoformat(timespec="seconds"),
    }
    _store(path, stored)


def _code(oauth: SpotifyOAuth, paste: bool) -> str:
    """The code that the user's agreement brings, in answer to this login and no other."""
    try:
        code = oauth.get_auth_response(open_browser=not paste)
    except EOFError:
        raise AuthorisationError("not authorised: no address was given") from None
    except (SpotifyStateError, TypeError):  # without any state spotipy stumbles over its own message
        code = None
    if not code:
        raise AuthorisationError("what came back is no answer to this login: start it again")
    return code


def _oauth(app: App, timeout: tuple[float, float]) -> SpotifyOAuth:
    return app.pointed(
        SpotifyOAuth(
            app.client_id,
            app.client_secret,
            app.redirect_uri or "http://127.0.0.1",  # a refresh needs none, spotipy does
            scope=SCOPE,
            requests_session=_session(),
            requests_timeout=timeout,
            cache_handler=MemoryCacheHandler(),
        )
    )


def _session() -> requests.Session:
    session = requests.Session()
    session.hooks["response"].append(_notice_failure)
    return session


def _notice_failure(response: requests.Response, *_: object, **__: object) -> None:
    if response.status_code >= 500 or response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
        raise AccountsServiceError(f"the accounts service answers {response.status_code}")


@contextmanager
def _refusals_explained() -> Iterator[None]:
    """What spotipy raises where there is no token to be had, as an error that says what to do."""
    try:
        yield
    except SpotifyOauthError as error:
        reason = error.error if isinstance(error.error, str) else "no reason given"
        advice = {
            "invalid_client": "look at SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET",
            "invalid_grant": f"the authorisation is no longer good: authorise again with {LOGIN}",
            "access_denied": "the user has to agree",
        }.get(reason, "see https://developer.spotify.com/dashboard for the state of the app")
        raise AuthorisationError(f"Spotify gives no access ({reason[:100]}): {advice}") from None
    except (KeyError, TypeError, AttributeError):  # JSON, and nothing in it that spotipy expects
        raise AccountsServiceError("the accounts service answers without a token") from None


def _store(path: Path, stored: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(stored))
    fresh.replace(path)
