"""The accounts service: authorisation codes, access tokens and refresh tokens."""

import base64
import hashlib
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from urllib.parse import urlencode, urlsplit

from sandbox.spotify_api.messages import Answer, Request, json_answer

ALL_SCOPES = (
    "playlist-read-collaborative playlist-read-private user-follow-read user-library-read "
    "user-read-email user-read-private"
)
CODE_LIFETIME = 600
REFRESH_TOKEN_LIFETIME = 182 * 86_400
"""Seconds, as are all lifetimes: six months for a refresh token, ten minutes for a code."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a token stands for; `user_id` is None for an app that acts for nobody."""

    user_id: str | None
    scope: str
    expires_at: float


@dataclass(frozen=True, slots=True)
class _Code:
    grant: Grant
    redirect_uri: str
    challenge: str | None


class Accounts:
    """Tokens of one server; may be used from several threads.

    `user_refuses`: whether `/authorize` sends the user back with `error=access_denied`.
    """

    def __init__(
        self,
        user_id: str,
        client_id: str,
        client_secret: str,
        token_lifetime: float,
        clock: Callable[[], float],
    ) -> None:
        self.user_refuses = False
        self._user_id, self._client_id, self._client_secret = user_id, client_id, client_secret
        self._token_lifetime, self._clock = token_lifetime, clock
        self._lock = Lock()
        self._access: dict[str, Grant] = {}
        self._refresh: dict[str, Grant] = {}
        self._codes: dict[str, _Code] = {}

    def issue_access_token(self, user_id: str | None, scope: str) -> str:
        """A new access token, for a user or (None) for the app alone."""
        return self._issue(self._access, user_id, scope, self._token_lifetime)

    def issue_refresh_token(self, user_id: str, scope: str) -> str:
        """A new refresh token, as if the user had just agreed."""
        return self._issue(self._refresh, user_id, scope, REFRESH_TOKEN_LIFETIME)

    def expire_access_tokens(self) -> None:
        """All access tokens given so far are out of date from now on."""
        with self._lock:
            for token, grant in self._access.items():
                self._access[token] = Grant(grant.user_id, grant.scope, self._clock())

    def revoke_refresh_tokens(self) -> None:
        """All refresh tokens given so far answer `invalid_grant` from now on."""
        with self._lock:
            self._refresh.clear()

    def grant_of(self, headers: Mapping[str, str]) -> Grant | None:
        """What the request's bearer token stands for, out of date or not; None for no or a wrong one."""
        scheme, _, token = headers.get("authorization", "").partition(" ")
        with self._lock:
            return self._access.get(token) if scheme.lower() == "bearer" else None

    def is_current(self, grant: Grant) -> bool:
        """Whether its time has not run out."""
        return self._clock() < grant.expires_at

    def knows_client(self, request: Request) -> bool:
        """Whether a token request names the app: with its secret, or without one in the PKCE flow."""
        scheme, _, credentials = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "basic":
            expected = base64.b64encode(f"{self._client_id}:{self._client_secret}".encode()).decode()
            return credentials == expected
        if request.form.get("client_id") != self._client_id:
            return False
        if "client_secret" in request.form:
            return request.form["client_secret"] == self._client_secret
        return request.form.get("grant_type") != "client_credentials"

    def token(self, request: Request) -> Answer:
        """The answer of POST `/api/token`."""
        if not self.knows_client(request):
            return json_answer({"error": "invalid_client", "error_description": "Invalid client"}, 400)
        form = request.form
        match form.get("grant_type"):
            case "client_credentials":
                token = self.issue_access_token(None, "")
                return json_answer(self._token(token))
            case "authorization_code":
                code = self._redeem(form)
                if not code:
                    return json_answer({"error": "invalid_grant"}, 400)
                return self._user_tokens(code.grant, with_refresh_token=True)
            case "refresh_token":
                is_public = "authorization" not in request.headers and "client_secret" not in form
                grant = self._use_refresh_token(form.get("refresh_token", ""), once=is_public)
                if not grant:
                    return json_answer({"error": "invalid_grant"}, 400)
                return self._user_tokens(grant, with_refresh_token=is_public)
        return json_answer({"error": "unsupported_grant_type"}, 400)

    def authorize(self, request: Request) -> Answer:
        """The answer of `/authorize`: back to the app, as if the user had been asked."""
        query = request.query
        redirect_uri = query.get("redirect_uri", "")
        if query.get("client_id") != self._client_id:
            return Answer(400, b"INVALID_CLIENT: Invalid client")
        if not _is_safe(redirect_uri):
            return Answer(400, b"INVALID_CLIENT: Insecure redirect URI")
        if query.get("response_type") != "code":
            return Answer(400, b"response_type must be code")
        if self.user_refuses:
            result = {"error": "access_denied"}
        else:
            grant = Grant(self._user_id, query.get("scope", ""), self._clock() + CODE_LIFETIME)
            code = secrets.token_urlsafe(32)
            with self._lock:
                self._codes[code] = _Code(grant, redirect_uri, query.get("code_challenge"))
            result = {"code": code}
        if "state" in query:
            result["state"] = query["state"]
        separator = "&" if urlsplit(redirect_uri).query else "?"
        return Answer(302, headers={"Location": redirect_uri + separator + urlencode(result)})

    def _issue(self, into: dict[str, Grant], user_id: str | None, scope: str, lifetime: float) -> str:
        token = secrets.token_urlsafe(32)
        with self._lock:
            into[token] = Grant(user_id, scope, self._clock() + lifetime)
        return token

    def _redeem(self, form: Mapping[str, str]) -> _Code | None:
        with self._lock:
            code = self._codes.pop(form.get("code", ""), None)
        if not code or not self.is_current(code.grant) or code.redirect_uri != form.get("redirect_uri"):
            return None
        if code.challenge and code.challenge != _challenge(form.get("code_verifier", "")):
            return None
        return code

    def _use_refresh_token(self, token: str, once: bool) -> Grant | None:
        with self._lock:
            grant = self._refresh.pop(token, None) if once else self._refresh.get(token)
        return grant if grant and self.is_current(grant) else None

    def _user_tokens(self, grant: Grant, with_refresh_token: bool) -> Answer:
        token = self._token(self.issue_access_token(grant.user_id, grant.scope))
        token["scope"] = grant.scope
        if with_refresh_token:
            token["refresh_token"] = self.issue_refresh_token(grant.user_id, grant.scope)
        return json_answer(token)

    def _token(self, access_token: str) -> dict[str, str | int]:
        return {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": int(self._token_lifetime),
        }


def _challenge(verifier: str) -> str:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def _is_safe(redirect_uri: str) -> bool:
    """Https or a loopback address; the name localhost is refused, as it is by Spotify."""
    parts = urlsplit(redirect_uri)
    if parts.scheme == "https":
        return bool(parts.hostname)
    return parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1")
