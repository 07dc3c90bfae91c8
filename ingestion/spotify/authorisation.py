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
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import requests
from spotipy.cache_handler import MemoryCacheHandler
from spotipy.oauth2 import SpotifyAuthBase, SpotifyClientCredentials, SpotifyOAuth, SpotifyOauthError

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
        self._manager = app.pointed(
            SpotifyClientCredentials(
                app.client_id,
                app.client_secret,
                requests_session=requests.Session(),
                requests_timeout=timeout,
                cache_handler=MemoryCacheHandler(),
            )
        )

    def get_access_token(self, as_dict: bool = False) -> str:  # noqa: ARG002
        """An access token. Raises AuthorisationError where the app is refused."""
        try:
            return self._manager.get_access_token(as_dict=False)
        except SpotifyOauthError as error:
            raise AuthorisationError(
                f"Spotify refuses this app ({error.error or 'no reason given'}): "
                "look at SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET"
            ) from None

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
        self._path, self._now = path, now
        try:
            self._stored = json.loads(path.read_text())
        except FileNotFoundError:
            raise AuthorisationError(f"no user has authorised this app yet: run {LOGIN}") from None
        except ValueError:
            raise AuthorisationError(f"{path} cannot be read: authorise again with {LOGIN}") from None
        if self._stored.get("client_id") != app.client_id:
            raise AuthorisationError(f"the user authorised another app: authorise again with {LOGIN}")
        self._oauth = _oauth(app, timeout)
        self._access_token: str | None = None
        self._expires_at = 0.0

    @property
    def ends_at(self) -> datetime:
        """When the authorisation ends (UTC)."""
        return datetime.fromisoformat(self._stored["authorised_at"]) + TOKEN_LIFE

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
            try:
                fresh = self._oauth.refresh_access_token(self._stored["refresh_token"])
            except SpotifyOauthError as error:
                if error.error == "invalid_grant":
                    raise AuthorisationError(
                        f"Spotify no longer accepts the stored authorisation: authorise again with {LOGIN}"
                    ) from None
                raise AuthorisationError(f"Spotify gives no token ({error.error})") from None
            self._access_token, self._expires_at = fresh["access_token"], fresh["expires_at"]
            if fresh["refresh_token"] != self._stored["refresh_token"]:
                self._stored["refresh_token"] = fresh["refresh_token"]
                _store(self._path, self._stored)
        return self._access_token

    def forget_token(self) -> None:
        """Ask for a new access token next time."""
        self._access_token = None


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
    try:
        code = oauth.get_auth_response(open_browser=not paste)
        tokens = oauth.get_access_token(code, as_dict=True, check_cache=False)
    except SpotifyOauthError as error:
        raise AuthorisationError(f"not authorised: {error.error or error}") from None
    keep_refresh_token(path, app.client_id, tokens["refresh_token"], datetime.now(UTC))
    show(f"Authorised until about {datetime.now(UTC) + TOKEN_LIFE:%Y-%m-%d}.")


def keep_refresh_token(path: Path, client_id: str, refresh_token: str, authorised_at: datetime) -> None:
    """Write the file that `UserAccess` reads, for its owner alone."""
    stored = {
        "client_id": client_id,
        "refresh_token": refresh_token,
        "authorised_at": authorised_at.isoformat(timespec="seconds"),
    }
    _store(path, stored)


def _oauth(app: App, timeout: tuple[float, float]) -> SpotifyOAuth:
    return app.pointed(
        SpotifyOAuth(
            app.client_id,
            app.client_secret,
            app.redirect_uri or "http://127.0.0.1",  # a refresh needs none, spotipy does
            scope=SCOPE,
            requests_session=requests.Session(),
            requests_timeout=timeout,
            cache_handler=MemoryCacheHandler(),
        )
    )


def _store(path: Path, stored: dict) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fresh.touch(mode=0o600)
    fresh.write_text(json.dumps(stored))
    fresh.replace(path)
