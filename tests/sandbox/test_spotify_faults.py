"""Scripted misbehaviour of the imitated API: each fault as a client meets it, and when it does."""

import email.utils
import itertools
import threading

import pytest
import requests

from sandbox.spotify_api import SpotifyApi, faults


@pytest.fixture(scope="module")
def api(world):
    with SpotifyApi(world, app="extended") as api:
        yield api


@pytest.fixture(autouse=True)
def no_faults(api):
    api.faults.clear()
    api.requests.reset()


def get(api, path="me", timeout=10):
    headers = {"Authorization": f"Bearer {api.user_token()}"}
    return requests.get(api.api_url + path, headers=headers, timeout=timeout)


def last_request(api):
    return list(api.requests)[-1]


# --- what goes wrong ---


@pytest.mark.parametrize("body", ["json", "text"])
@pytest.mark.parametrize("kind", ["integer", "missing", "fraction", "http date", "negative", "huge"])
def test_a_429_carries_any_kind_of_retry_after_and_body(api, kind, body):
    retry_after = faults.retry_after_values()[kind]
    api.faults.script(faults.too_many_requests(retry_after, body))
    answer = get(api)
    assert answer.status_code == 429
    assert answer.headers.get("Retry-After") == retry_after
    if body == "text":
        with pytest.raises(requests.JSONDecodeError):
            answer.json()
    else:
        assert answer.json()["error"]["status"] == 429
    assert get(api).status_code == 200


def test_the_kinds_of_retry_after_are_what_they_say():
    values = faults.retry_after_values(3)
    assert (values["integer"], values["fraction"], values["huge"]) == ("3", "2.5", "86400")
    assert int(values["negative"]) < 0
    assert email.utils.parsedate_to_datetime(values["http date"]).tzinfo


def test_a_quota_stop_says_its_reason(api):
    api.faults.script(faults.quota_exceeded("3600"))
    answer = get(api)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert answer.json()["error"]["reason"] == "QUOTA_EXCEEDED"


@pytest.mark.parametrize("status", [500, 502, 503])
def test_the_server_can_fail(api, status):
    api.faults.script(faults.server_error(status))
    answer = get(api)
    assert answer.status_code == answer.json()["error"]["status"] == status


def test_a_hanging_request_gets_no_answer_until_the_client_gives_up(api):
    api.faults.script(faults.hang())
    with pytest.raises(requests.ReadTimeout):
        get(api, timeout=0.2)
    assert last_request(api).status is None
    assert get(api).status_code == 200


def test_a_hanging_request_does_not_keep_the_server_from_stopping(world):
    api = SpotifyApi(world)
    api.faults.script(faults.hang())
    api.start()
    failures = []

    def ask():
        try:
            get(api, timeout=60)
        except requests.ConnectionError as error:
            failures.append(error)

    client = threading.Thread(target=ask)
    client.start()
    while not len(api.requests):
        threading.Event().wait(0.01)
    api.stop()
    client.join(timeout=30)
    assert not client.is_alive()
    assert len(failures) == 1


def test_a_connection_can_be_closed_at_once(api):
    api.faults.script(faults.close_connection())
    with pytest.raises(requests.ConnectionError):
        get(api)
    assert last_request(api).status is None
    assert get(api).status_code == 200


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_can_be_cut_in_the_middle(api, chunked):
    api.faults.script(faults.cut_body(chunked))
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        get(api)
    assert last_request(api).status == 200
    assert get(api).status_code == 200


def test_json_can_be_truncated_under_a_sound_length(api):
    whole = get(api).content
    api.faults.script(faults.truncated_json())
    answer = get(api)
    assert answer.status_code == 200
    assert answer.content == whole[: len(whole) // 2]
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("status", [200, 403])
def test_html_can_come_instead_of_json(api, status):
    api.faults.script(faults.html(status))
    answer = get(api)
    assert (answer.status_code, answer.headers["Content-Type"][:9]) == (status, "text/html")
    assert answer.text.startswith("<!DOCTYPE html>")


def test_nothing_can_come_instead_of_json(api):
    api.faults.script(faults.empty_body())
    answer = get(api)
    assert (answer.status_code, answer.content) == (200, b"")


def test_an_error_can_be_a_string(api):
    api.faults.script(faults.error_string(400, "invalid_request"))
    answer = get(api)
    assert (answer.status_code, answer.json()) == (400, {"error": "invalid_request"})


def test_a_batch_can_hold_null_or_lack_results(api, world):
    identifiers = list(world.tracks)[:3]
    path = f"tracks?ids={','.join(identifiers)}"
    api.faults.script(faults.null_entries(), path="/v1/tracks")
    tracks = get(api, path).json()["tracks"]
    assert [track and track["id"] for track in tracks] == [None, *identifiers[1:]]
    api.faults.script(faults.fewer_results(), path="/v1/tracks")
    assert [track["id"] for track in get(api, path).json()["tracks"]] == identifiers[:2]


def test_an_answer_can_be_changed_at_will(api):
    api.faults.script(faults.changed_json(lambda me: me | {"id": 7}))
    assert get(api).json()["id"] == 7
    api.faults.script(faults.changed_json(lambda _: "never"))
    assert get(api, "artists").status_code == 400


def test_the_accounts_service_can_fail_too(api):
    api.faults.script(faults.server_error(503), path="/api/token", method="POST")
    answer = requests.post(api.token_url, data={"grant_type": "client_credentials"}, timeout=10)
    assert answer.status_code == 503


# --- when ---


def statuses(api, count, path="me"):
    return [get(api, path).status_code for _ in range(count)]


def test_a_fault_befalls_the_next_request_once(api):
    rule = api.faults.script(faults.server_error(500))
    assert statuses(api, 3) == [500, 200, 200]
    assert rule.used == 1


def test_a_fault_can_wait_and_last(api):
    api.faults.script(faults.server_error(500), nth=2, times=2)
    assert statuses(api, 5) == [200, 500, 500, 200, 200]
    api.faults.script(faults.server_error(502), times=None)
    assert statuses(api, 3) == [502] * 3
    api.faults.clear()
    assert statuses(api, 1) == [200]


def test_a_fault_befalls_matching_requests_only(api, world):
    track = f"tracks/{next(iter(world.tracks))}"
    rule = api.faults.script(faults.server_error(500), path="/v1/tracks/*", nth=2)
    api.faults.script(faults.server_error(502), path="*", method="POST")
    assert statuses(api, 2) == [200, 200]
    assert statuses(api, 3, track) == [200, 500, 200]
    assert rule.used == 1


def test_of_two_faults_due_the_earlier_one_wins_and_the_other_follows(api):
    api.faults.script(faults.server_error(500), path="/v1/*")
    api.faults.script(faults.server_error(502), path="/v1/me")
    assert statuses(api, 3) == [500, 502, 200]


def test_a_storm_is_the_same_for_the_same_seed(api):
    def storm(seed):
        api.faults.clear()
        api.faults.storm(0.5, seed)
        return statuses(api, 40)

    first = storm(1)
    assert storm(1) == first
    assert storm(2) != first
    assert 5 < first.count(429) < 35


def test_each_fault_is_used_as_often_as_scripted_by_requests_at_once(api):
    rule = api.faults.script(faults.server_error(503), times=25)
    results = []

    def ask():
        results.extend(statuses(api, 10))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rule.used == results.count(503) == 25
    assert results.count(200) == 55


# --- limits ---


def test_a_rolling_window_limits_the_rate(world):
    times = itertools.chain([0.0, 10.0, 20.0, 20.0, 29.0, 30.0, 30.0, 40.0])
    now = [0.0]
    with SpotifyApi(world, rate_limit=3, clock=lambda: now[0]) as api:
        seen = []
        for now[0] in times:
            answer = get(api)
            seen.append((answer.status_code, answer.headers.get("Retry-After")))
        assert seen == [
            (200, None),
            (200, None),
            (200, None),
            (429, "10"),
            (429, "1"),
            (200, None),
            (429, "10"),
            (200, None),
        ]
        api.limit_rate(None)
        assert statuses(api, 5) == [200] * 5


def test_a_quota_limits_the_day(world):
    now = [0.0]
    with SpotifyApi(world, daily_quota=2, clock=lambda: now[0], token_lifetime=10**6) as api:
        token = {"Authorization": f"Bearer {api.user_token()}"}

        def ask():
            return requests.get(f"{api.api_url}me", headers=token, timeout=10)

        assert [ask().status_code for _ in range(2)] == [200, 200]
        now[0] = 3600.0
        refused = ask()
        assert (refused.status_code, refused.headers["Retry-After"]) == (429, "82800")
        assert refused.json()["error"]["reason"] == "QUOTA_EXCEEDED"
        now[0] = 86_400.0
        assert ask().status_code == 200
        api.limit_quota(0)
        assert ask().status_code == 429


def test_there_is_no_limit_unless_asked_for(api):
    assert statuses(api, 60) == [200] * 60
