"""Access to Spotify: had once from a user, kept safe, renewed without a question, and never shown."""

import json
import logging
import re
import stat
import subprocess
import sys
import traceback
from datetime import UTC, datetime, timedelta

import pytest
import requests

from ingestion.errors import ConfigError
from ingestion.spotify.api import TIMEOUT_SECONDS
from ingestion.spotify.archive import unarchived
from ingestion.spotify.authorisation import (
    App,
    AppAccess,
    AuthorisationError,
    UserAccess,
    keep_refresh_token,
    login,
)
from sandbox.spotify_api import SpotifyApi as Server
from sandbox.spotify_api import faults
from tests.support.ports import free_port
from tests.support.spotify_login import browser_that_agrees
from tests.support.spotify_machine import Machine

AUTHORISED_AT = datetime(2026, 1, 5, 6, tzinfo=UTC)


@pytest.fixture
def redirect_uri():
    return f"http://127.0.0.1:{free_port()}/callback"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "spotify" / "token.json"


def app_of(server, redirect_uri=None, secret=None):
    return App(server.client_id, secret or server.client_secret, redirect_uri, server.url)


def address_after_agreeing(shown):
    """The address that a user's browser ends at, opening the one that was shown."""
    address = re.search(r"http\S+", shown)[0]
    return requests.get(address, allow_redirects=False, timeout=10).headers["Location"]


class User:
    """Opens the address that a login shows and brings back the one where the browser ended."""

    def __init__(self, monkeypatch, change=lambda address: address):
        self.shown, self._change = [], change
        monkeypatch.setattr("builtins.input", self.paste)

    def show(self, text):
        self.shown.append(text)

    def paste(self, _prompt):
        return self._change(address_after_agreeing(self.shown[0]))


def paste_login(server, path, redirect_uri, user):
    login(app_of(server, redirect_uri), path, TIMEOUT_SECONDS, paste=True, show=user.show)


# --- the one-time authorisation ---


def test_a_pasted_address_authorises_and_the_playlists_can_be_read(server, path, redirect_uri, monkeypatch):
    user = User(monkeypatch)
    paste_login(server, path, redirect_uri, user)

    access = UserAccess(app_of(server), path, TIMEOUT_SECONDS)
    token = access.get_access_token()
    listed = requests.get(
        f"{server.api_url}me/playlists", headers={"Authorization": f"Bearer {token}"}, timeout=10
    )
    assert listed.json()["total"] > 0
    assert re.fullmatch(r"Authorised until about \d{4}-\d\d-\d\d\.", user.shown[-1])
    assert access.ends_at - datetime.now(UTC) > timedelta(days=179)


def test_the_login_command_listens_where_the_browser_is_led(server, tmp_path, redirect_uri):
    done = subprocess.run(
        [sys.executable, "-m", "ingestion", "spotify", "login"],
        env={
            "BROWSER": str(browser_that_agrees(tmp_path)),
            "WAREHOUSE_DATA_DIR": str(tmp_path / "data"),
            "SPOTIPY_CLIENT_ID": server.client_id,
            "SPOTIPY_CLIENT_SECRET": server.client_secret,
            "SPOTIPY_REDIRECT_URI": redirect_uri,
            "SPOTIFY_API_URL": server.url,
            "SPOTIFY_ACCOUNTS_URL": server.url,
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "Authorised until about" in done.stdout
    (kept,) = (tmp_path / "data").rglob("token.json")
    access = UserAccess(app_of(server), kept, TIMEOUT_SECONDS)
    assert access.get_access_token()
    assert access.get_access_token() not in done.stdout
    assert json.loads(kept.read_text())["refresh_token"] not in done.stdout


FOREIGN_ANSWERS = {
    "another state": lambda address: re.sub(r"state=[^&]+", "state=other", address),
    "no state": lambda address: re.sub(r"&?state=[^&]+", "", address),
    "no code": lambda address: re.sub(r"code=[^&]+", "", address),
    "nothing": lambda _: "",
    "something else": lambda _: "hello",
}


@pytest.mark.parametrize("answer", FOREIGN_ANSWERS)
def test_an_answer_to_another_question_authorises_nobody(answer, server, path, redirect_uri, monkeypatch):
    user = User(monkeypatch, FOREIGN_ANSWERS[answer])
    with pytest.raises(AuthorisationError, match="no answer to this login"):
        paste_login(server, path, redirect_uri, user)
    assert not path.exists()


def test_a_user_who_does_not_agree_is_told_so(server, path, redirect_uri, monkeypatch):
    server.accounts.user_refuses = True
    with pytest.raises(AuthorisationError, match="access_denied"):
        paste_login(server, path, redirect_uri, User(monkeypatch))
    assert not path.exists()


def test_a_login_without_a_redirect_uri_names_the_setting(server, path):
    with pytest.raises(ConfigError, match="SPOTIPY_REDIRECT_URI"):
        login(app_of(server), path, TIMEOUT_SECONDS, paste=True, show=print)


def test_a_login_with_the_wrong_secret_names_the_settings(server, path, redirect_uri, monkeypatch):
    user = User(monkeypatch)
    app = app_of(server, redirect_uri, secret="wrong")
    with pytest.raises(AuthorisationError, match=r"invalid_client.*SPOTIPY_CLIENT_SECRET"):
        login(app, path, TIMEOUT_SECONDS, paste=True, show=user.show)


def test_a_new_login_takes_the_place_of_the_old_one(server, path, redirect_uri, monkeypatch):
    keep_refresh_token(path, server.client_id, "an old one", AUTHORISED_AT)
    paste_login(server, path, redirect_uri, User(monkeypatch))
    access = UserAccess(app_of(server), path, TIMEOUT_SECONDS)
    assert access.get_access_token()
    assert access.ends_at > AUTHORISED_AT + timedelta(days=180)


# --- the stored refresh token ---


def test_only_its_owner_can_read_the_stored_token(server, path):
    keep_refresh_token(path, server.client_id, server.refresh_token(), AUTHORISED_AT)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_refresh_token_that_spotify_replaces_is_kept(server, path):
    keep_refresh_token(path, server.client_id, server.refresh_token(), AUTHORISED_AT)
    second = server.refresh_token()
    server.faults.script(
        faults.changed_json(lambda answer: answer | {"refresh_token": second}), path="/api/token"
    )
    access = UserAccess(app_of(server), path, TIMEOUT_SECONDS)
    access.get_access_token()
    stored = json.loads(path.read_text())
    assert stored["refresh_token"] == second
    assert datetime.fromisoformat(stored["authorised_at"]) == AUTHORISED_AT, "the six months count from there"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    access.forget_token()
    assert access.get_access_token()


def test_a_token_that_another_process_was_given_is_used(server, path):
    keep_refresh_token(path, server.client_id, server.refresh_token(), AUTHORISED_AT)
    access = UserAccess(app_of(server), path, TIMEOUT_SECONDS)
    server.accounts.revoke_refresh_tokens()
    keep_refresh_token(path, server.client_id, server.refresh_token(), AUTHORISED_AT)
    assert access.get_access_token()


def test_an_authorisation_that_has_ended_says_what_to_do(server, path):
    keep_refresh_token(path, server.client_id, server.refresh_token(), AUTHORISED_AT)
    server.accounts.revoke_refresh_tokens()
    access = UserAccess(app_of(server), path, TIMEOUT_SECONDS)
    with pytest.raises(AuthorisationError, match=r"authorise again with python -m ingestion spotify login"):
        access.get_access_token()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "no user has authorised this app yet: run python -m ingestion spotify login"),
        ("", "cannot be read: authorise again"),
        ("[]", "cannot be read: authorise again"),
        ('{"client_id": "sandbox-client"}', "cannot be read: authorise again"),
        (
            '{"client_id": "another", "refresh_token": "x", "authorised_at": "2026-01-05T06:00:00+00:00"}',
            "authorised another app",
        ),
    ],
)
def test_a_stored_token_that_is_of_no_use_says_what_to_do(content, message, server, path):
    if content is not None:
        path.parent.mkdir()
        path.write_text(content)
    with pytest.raises(AuthorisationError, match=message):
        UserAccess(app_of(server), path, TIMEOUT_SECONDS)


@pytest.mark.parametrize(
    ("days", "warned"), [(0, False), (149, False), (150, True), (179, True), (181, True)]
)
def test_thirty_days_before_the_six_months_end_there_is_a_warning(days, warned, server, path, caplog):
    keep_refresh_token(path, server.client_id, server.refresh_token(), AUTHORISED_AT)
    access = UserAccess(
        app_of(server), path, TIMEOUT_SECONDS, now=lambda: AUTHORISED_AT + timedelta(days=days)
    )
    assert access.warn_if_it_ends_soon() is warned
    assert ("ends on 2026-07-04" in caplog.text) is warned


# --- the app's own access, and the accounts service in trouble ---


def test_the_catalogue_needs_no_user(server, tmp_path, world):
    machine = Machine(server, tmp_path, has_user=False)
    ids = [one.playlist_id for one in world.playlists if server.day in one.versions and one.is_public][:3]
    assert machine.extract(ids).playlists_read == 3


def test_an_app_that_is_refused_names_the_settings(server):
    with pytest.raises(AuthorisationError, match=r"invalid_client.*SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SEC"):
        AppAccess(app_of(server, secret="wrong"), TIMEOUT_SECONDS).get_access_token()


@pytest.mark.parametrize(
    "trouble",
    [
        faults.server_error(503),
        faults.too_many_requests("1"),
        faults.html(),
        faults.empty_body(),
        faults.close_connection(),
        faults.cut_body(),
        faults.changed_json(lambda _: {}),
        faults.changed_json(lambda _: []),
    ],
    ids=lambda fault: fault.name,
)
def test_a_failing_accounts_service_is_asked_again(trouble, server, tmp_path, world):
    ids = [one.playlist_id for one in world.playlists if server.day in one.versions and one.is_public][:1]
    for has_user in (True, False):
        machine = Machine(server, tmp_path / str(has_user), has_user=has_user)
        rule = server.faults.script(trouble, path="/api/token", times=2)
        assert machine.extract(ids).playlists_read == 1
        assert rule.used == 2


def test_an_access_token_out_of_date_is_renewed_and_nothing_lost(world, tmp_path):
    with Server(world, app="extended") as server:
        machine = Machine(server, tmp_path)
        ids = [one.playlist_id for one in world.playlists if server.day in one.versions][:5]
        for id_ in ids[::2]:
            server.faults.script(
                faults.first_do(server.accounts.expire_access_tokens), path=f"/v1/playlists/{id_}"
            )
        result = machine.extract(ids)
        refused = [request for request in server.requests if request.status == 401]
        tokens = [request for request in server.requests if request.template == "/api/token"]
    assert (result.playlists_read, result.playlists_failed) == (5, 0)
    assert (len(refused), len(tokens)) == (3, 4)


def test_a_new_token_that_is_refused_too_ends_the_run(server, machine, world):
    server.faults.script(faults.error_string(401, "nobody"), path="/v1/playlists/*", times=None)
    ids = [one.playlist_id for one in world.playlists if server.day in one.versions][:5]
    with pytest.raises(AuthorisationError, match="refuses even a new access token: nobody"):
        machine.extract(ids)
    asked = [request for request in server.requests if request.template == "/v1/playlists/{id}"]
    assert len(asked) == 2
    assert [row["event"] for row in machine.rows("extraction_log")][-1] == "failed"


# --- never a question, never a secret ---


def test_a_run_asks_no_question_even_without_anyone_to_answer(server, tmp_path):
    environment = {
        "WAREHOUSE_DATA_DIR": str(tmp_path / "data"),
        "SPOTIPY_CLIENT_ID": server.client_id,
        "SPOTIPY_CLIENT_SECRET": server.client_secret,
        "SPOTIFY_API_URL": server.url,
        "SPOTIFY_ACCOUNTS_URL": server.url,
    }
    token_path = tmp_path / "data" / "spotify" / "token.json"
    for state, message in ((None, "no user has authorised"), ("revoked", "authorise again")):
        if state:
            keep_refresh_token(token_path, server.client_id, "revoked", AUTHORISED_AT)
        done = subprocess.run(
            [sys.executable, "-m", "ingestion", "spotify"],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 1
        assert message in done.stderr
        assert "python -m ingestion spotify login" in done.stderr
        assert "Traceback" not in done.stderr


def test_no_token_and_no_secret_is_in_any_file_log_or_traceback(server, tmp_path, world, caplog):
    """All that a run leaves behind is searched, with every logger at DEBUG and the run ending in an error."""
    machine = Machine(server, tmp_path)
    given = []
    keep = faults.changed_json(lambda answer: given.append(answer["access_token"]) or answer)
    server.faults.script(keep, path="/api/token", times=None)
    ids = [one.playlist_id for one in world.playlists if server.day in one.versions][:4]
    server.faults.script(faults.html(403), path=f"/v1/playlists/{ids[0]}", times=None)
    server.faults.script(faults.server_error(500), path=f"/v1/playlists/{ids[1]}", times=None)
    expire = faults.first_do(server.accounts.expire_access_tokens)
    server.faults.script(expire, path=f"/v1/playlists/{ids[2]}")
    server.faults.script(faults.error_string(401), path=f"/v1/playlists/{ids[3]}", times=None)
    with caplog.at_level(logging.DEBUG), pytest.raises(AuthorisationError) as caught:
        machine.extract(ids)
    shown = "".join(traceback.TracebackException.from_exception(caught.value, capture_locals=True).format())
    stored = json.loads((tmp_path / "token.json").read_text())["refresh_token"]
    secrets = [server.client_secret, stored, *given]
    assert len(secrets) >= 4, "several access tokens were given out"
    left = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    left.pop(tmp_path / "token.json")
    assert any("archive" in str(path) for path in left)
    for unit_id in machine.lake.done_unit_ids("spotify"):  # the archive is compressed
        unit = machine.lake.done_record("spotify", unit_id)
        left[unit_id] = str(unarchived(machine.lake, unit)).encode()
    for secret in secrets:
        assert secret not in caplog.text
        assert secret not in str(caught.value)
        assert [name for name, content in left.items() if secret.encode() in content] == []
    for secret in (server.client_secret, stored):
        assert secret not in shown, "not even where local variables are shown"
