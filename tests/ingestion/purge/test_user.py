"""What names a user, in every form in which a text, a row or an answer can say it."""

import json
from datetime import UTC, datetime

import pyarrow as pa
import pytest

from ingestion.config import load_settings
from ingestion.errors import ConfigError
from ingestion.purge.user import User, entry_without, naming, owned_in_entry, rows_without
from ingestion.spotify.journal import Entry

OWNED, OTHER = "o" * 22, "x" * 22
AT = datetime(2026, 1, 5, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path):
    return load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path), "WAREHOUSE_HMAC_KEY": "key"})


@pytest.fixture
def user(settings):
    return User("some user", settings.hash_user("some user"), frozenset({OWNED}))


@pytest.mark.parametrize(
    "text",
    [
        "listener",
        " spotify:user:listener ",
        "https://open.spotify.com/user/listener?si=abc",
        "https://api.spotify.com/v1/users/listener/playlists",
    ],
)
def test_a_user_is_given_by_id_uri_or_link(text, settings):
    assert User.of(text, settings) == User("listener", settings.hash_user("listener"))


def test_an_id_in_a_link_is_decoded(settings):
    assert User.of("https://open.spotify.com/user/some%20user", settings).id == "some user"


@pytest.mark.parametrize("text", ["", "two words", "spotify:playlist:abc", "https://open.spotify.com/"])
def test_what_names_no_user_is_refused(text, settings):
    with pytest.raises(ConfigError, match="names no user"):
        User.of(text, settings)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("by spotify:user:some%20user!", "by spotify:user:some%20user!"),  # the id of somebody else
        ("by spotify:user:some%20user, me", "by spotify:user:removed, me"),
        ("spotify%3Auser%3Asome%20user", "spotify%3Auser%3Aremoved"),
        ("https://open.spotify.com/user/some%20user?si=1", "https://open.spotify.com/user/removed?si=1"),
        ("/v1/users/some%20user/playlists?offset=50", "/v1/users/removed/playlists?offset=50"),
        ("/v1/users/some%20user2/playlists", "/v1/users/some%20user2/playlists"),
        (f"/v1/playlists/{OWNED}/items", "/v1/playlists/removed/items"),
        (f"spotify:playlist:{OTHER}", f"spotify:playlist:{OTHER}"),
        ("a song for some user", "a song for some user"),
    ],
)
def test_links_and_uris_lose_the_user_and_their_playlists(text, left, user):
    assert user.taken_out(text) == left


def test_the_hash_is_taken_out_whole_and_cut(user):
    assert user.taken_out(f'{{"Added By": "{user.hash}"}}') == '{"Added By": "removed"}'
    assert user.taken_out(f"account:{user.label}:Mine") == "account:removed:Mine"


def test_rows_of_their_playlists_go_and_hashes_become_null(user):
    rows = pa.table(
        {
            "playlist_id": [OWNED, OTHER, OTHER, f"account:{user.label}:Mine", OTHER],
            "added_by_hash": [None, user.hash, "another", "another", None],
            "description": ["", "plain", None, "", f"spotify:user:{user.hash}"],
            "position": [0, 1, 2, 3, 4],
        }
    )
    assert naming(user, rows).tolist() == [True, True, False, True, True]
    assert rows_without(user, rows).to_pylist() == [
        {"playlist_id": OTHER, "added_by_hash": None, "description": "plain", "position": 1},
        {"playlist_id": OTHER, "added_by_hash": "another", "description": None, "position": 2},
        {"playlist_id": OTHER, "added_by_hash": None, "description": "spotify:user:removed", "position": 4},
    ]
    assert not naming(user, rows_without(user, rows)).any()
    assert rows_without(user, rows.slice(0, 0)) == rows.slice(0, 0)


def entry(kind, subject, answer, url="/v1/me/playlists"):
    return Entry(subject, kind, url, AT, json.dumps(answer))


def test_an_answer_loses_user_objects_and_entries_of_owned_playlists(user):
    somebody = {"type": "user", "id": "somebody", "display_name": "Some Body"}
    one = {"type": "user", "id": user.id, "display_name": "S. U.", "uri": "spotify:user:some%20user"}
    answer = {
        "href": "https://api.spotify.com/v1/users/some%20user/playlists",
        "items": [
            {"type": "playlist", "id": OWNED, "owner": one},
            {"type": "playlist", "id": OTHER, "owner": somebody, "tracks": [{"added_by": one}]},
        ],
    }
    listed = entry("own_playlists", "own_playlists", answer, "/v1/users/some%20user/playlists")
    left = entry_without(user, listed)
    assert left.answer == {
        "href": "https://api.spotify.com/v1/users/removed/playlists",
        "items": [{"type": "playlist", "id": OTHER, "owner": somebody, "tracks": [{"added_by": None}]}],
    }
    assert left.url == "/v1/users/removed/playlists"
    assert entry_without(user, left) == left
    assert list(owned_in_entry(user, listed)) == [OWNED]


def test_answers_of_owned_playlists_go_altogether(user):
    assert entry_without(user, entry("page", f"playlist:{OWNED}", {"items": []})) is None


def test_an_answer_in_which_the_user_is_written_in_escapes_is_found(user):
    body = json.dumps({"added_by": {"type": "user", "id": user.id}}).replace("some user", "\\u0073ome user")
    kept = Entry(f"playlist:{OTHER}", "page", "", AT, body)
    assert entry_without(user, kept).answer == {"added_by": None}


@pytest.mark.parametrize("id_", [OWNED, OTHER])
def test_links_to_their_playlists_go_from_answers_in_which_the_user_is_not_named(id_, user):
    escaped = f'{{"description": "like https:\\/\\/open.spotify.com\\/playlist\\/{id_}"}}'
    encoded = json.dumps({"href": f"https://example.org/?to=spotify%3Aplaylist%3A{id_}"})
    left = "removed" if id_ == OWNED else id_
    for body, answer in (
        (escaped, {"description": f"like https://open.spotify.com/playlist/{left}"}),
        (encoded, {"href": f"https://example.org/?to=spotify%3Aplaylist%3A{left}"}),
        (json.dumps({"kept": {"type": "playlist", "id": id_}}), None),
    ):
        cleaned = entry_without(user, Entry(f"playlist:{OTHER}", "page", "", AT, body)).answer
        if answer is None:
            answer = {"kept": None if id_ == OWNED else {"type": "playlist", "id": id_}}
        assert cleaned == answer


def test_an_answer_that_does_not_name_the_user_stays_byte_for_byte(user):
    kept = Entry(f"playlist:{OTHER}", "page", "", AT, '{ "items":  [ "caf\\u00e9" ] }')
    assert entry_without(user, kept) == kept
