"""The imitated accounts service: each way to a token, and how each token ends."""

import base64
import hashlib
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from sandbox.spotify_api import ALL_SCOPES, SpotifyApi

REDIRECT_URI = "http://127.0.0.1:9/callback?tab=1"
VERIFIER = "a" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


class Clock:
    """Time that passes only when told to."""

    def __init__(self):
        self.now = 1_700_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def api(world, clock):
    with SpotifyApi(world, token_lifetime=60, clock=clock) as api:
        yield api


def ask_for_token(api, auth=None, **form):
    return requests.post(api.token_url, data=form, auth=auth, timeout=10)


def credentials(api):
    return api.client_id, api.client_secret


def agree(api, **query):
    """Where the user is sent back to, and with what."""
    query = {
        "client_id": api.client_id,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
        "scope": ALL_SCOPES,
        "state": "as sent",
    } | query
    answer = requests.get(api.authorize_url, params=query, allow_redirects=False, timeout=10)
    assert answer.status_code == 302
    address = urlsplit(answer.headers["Location"])
    return address, {name: values[0] for name, values in parse_qs(address.query).items()}


def status_of_me(api, token):
    return requests.get(
        f"{api.api_url}me", headers={"Authorization": f"Bearer {token}"}, timeout=10
    ).status_code


def test_client_credentials_give_a_token_for_the_app_alone(api):
    answer = ask_for_token(api, credentials(api), grant_type="client_credentials")
    token = answer.json()
    assert token.keys() == {"access_token", "token_type", "expires_in"}
    assert (token["token_type"], token["expires_in"]) == ("Bearer", 60)
    assert status_of_me(api, token["access_token"]) == 401


@pytest.mark.parametrize("secret", ["wrong", ""])
def test_a_wrong_secret_gives_no_token(api, secret):
    answer = ask_for_token(api, (api.client_id, secret), grant_type="client_credentials")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")
    in_body = ask_for_token(
        api, grant_type="client_credentials", client_id=api.client_id, client_secret=secret
    )
    assert in_body.json()["error"] == "invalid_client"
    without = ask_for_token(api, grant_type="client_credentials", client_id=api.client_id)
    assert without.json()["error"] == "invalid_client"


def test_an_unknown_grant_type_is_refused(api):
    answer = ask_for_token(api, credentials(api), grant_type="password")
    assert (answer.status_code, answer.json()) == (400, {"error": "unsupported_grant_type"})


def test_a_code_is_exchanged_once_for_the_users_tokens(api):
    address, result = agree(api)
    assert address.netloc == "127.0.0.1:9"
    assert (result["state"], result["tab"]) == ("as sent", "1")
    form = {"grant_type": "authorization_code", "code": result["code"], "redirect_uri": REDIRECT_URI}
    token = ask_for_token(api, credentials(api), **form).json()
    assert token["scope"] == ALL_SCOPES
    assert status_of_me(api, token["access_token"]) == 200

    again = ask_for_token(api, credentials(api), **form)
    assert (again.status_code, again.json()) == (400, {"error": "invalid_grant"})

    renewed = ask_for_token(
        api, credentials(api), grant_type="refresh_token", refresh_token=token["refresh_token"]
    ).json()
    assert renewed["scope"] == ALL_SCOPES
    assert "refresh_token" not in renewed
    assert status_of_me(api, renewed["access_token"]) == 200


def test_pkce_needs_the_verifier_and_no_secret_and_renews_the_refresh_token(api):
    def exchange(verifier):
        _, result = agree(api, code_challenge=CHALLENGE, code_challenge_method="S256")
        return ask_for_token(
            api,
            grant_type="authorization_code",
            client_id=api.client_id,
            code=result["code"],
            redirect_uri=REDIRECT_URI,
            code_verifier=verifier,
        )

    assert exchange("another").json() == {"error": "invalid_grant"}
    first = exchange(VERIFIER).json()
    form = {"grant_type": "refresh_token", "client_id": api.client_id}
    second = ask_for_token(api, **form, refresh_token=first["refresh_token"]).json()
    assert status_of_me(api, second["access_token"]) == 200
    assert ask_for_token(api, **form, refresh_token=first["refresh_token"]).status_code == 400
    assert ask_for_token(api, **form, refresh_token=second["refresh_token"]).status_code == 200


def test_a_code_is_bound_to_its_redirect_uri_and_its_time(api, clock):
    form = {"grant_type": "authorization_code"}
    code = agree(api)[1]["code"]
    elsewhere = ask_for_token(
        api, credentials(api), **form, code=code, redirect_uri="https://elsewhere.example"
    )
    assert elsewhere.json() == {"error": "invalid_grant"}
    code = agree(api)[1]["code"]
    clock.now += 601
    late = ask_for_token(api, credentials(api), **form, code=code, redirect_uri=REDIRECT_URI)
    assert late.json() == {"error": "invalid_grant"}


def test_a_user_who_refuses_is_sent_back_with_the_reason(api):
    api.accounts.user_refuses = True
    assert agree(api)[1] == {"tab": "1", "error": "access_denied", "state": "as sent"}


@pytest.mark.parametrize(
    "query",
    [
        {"redirect_uri": "http://localhost/callback"},
        {"redirect_uri": "http://elsewhere.example/callback"},
        {"redirect_uri": ""},
        {"client_id": "another"},
        {"response_type": "token"},
    ],
)
def test_an_unsafe_or_unknown_app_is_not_sent_anywhere(api, query):
    query = {
        "client_id": api.client_id,
        "response_type": "code",
        "redirect_uri": REDIRECT_URI,
    } | query
    answer = requests.get(api.authorize_url, params=query, allow_redirects=False, timeout=10)
    assert answer.status_code == 400


def test_an_access_token_ends_after_its_lifetime(api, clock):
    token = api.user_token()
    clock.now += 59
    assert status_of_me(api, token) == 200
    clock.now += 1
    assert status_of_me(api, token) == 401


def test_a_refresh_token_ends_when_revoked_and_after_six_months(api, clock):
    def renew(token):
        return ask_for_token(api, credentials(api), grant_type="refresh_token", refresh_token=token)

    revoked = api.refresh_token()
    assert renew(revoked).status_code == 200
    api.accounts.revoke_refresh_tokens()
    assert (renew(revoked).status_code, renew(revoked).json()) == (400, {"error": "invalid_grant"})

    old = api.refresh_token()
    clock.now += 181 * 86_400
    assert renew(old).status_code == 200
    clock.now += 2 * 86_400
    assert renew(old).json() == {"error": "invalid_grant"}
    assert ask_for_token(api, credentials(api), grant_type="client_credentials").status_code == 200


def test_scopes_decide_which_playlists_are_listed(api, world):
    def listed(scope):
        headers = {"Authorization": f"Bearer {api.user_token(scope=scope)}"}
        address = f"{api.api_url}me/playlists?limit=50"
        items = []
        while address:
            page = requests.get(address, headers=headers, timeout=10).json()
            items += page["items"]
            address = page["next"]
        return {playlist["id"]: playlist for playlist in items}

    public, everything = listed(""), listed(ALL_SCOPES)
    assert all(playlist["public"] and not playlist["collaborative"] for playlist in public.values())
    assert public.keys() < everything.keys()
    own = {p.playlist_id for p in world.playlists_on(api.day) if p.owner_id == world.account.user_id}
    assert own <= everything.keys()


def test_scopes_decide_what_a_profile_tells(world):
    with SpotifyApi(world, app="extended") as api:
        for scope, shown in (
            ("", set()),
            ("user-read-email", {"email"}),
            ("user-read-private", {"country", "product"}),
        ):
            headers = {"Authorization": f"Bearer {api.user_token(scope=scope)}"}
            profile = requests.get(f"{api.api_url}me", headers=headers, timeout=10).json()
            assert profile.keys() & {"email", "country", "product"} == shown
