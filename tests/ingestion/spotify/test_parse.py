"""Answers of the Web API in both shapes, sound and odd, and what becomes of them in the raw tables."""

import copy
import hashlib
import json
import math
import random
from datetime import UTC, date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from ingestion.inputs import UnreadableInputError
from ingestion.spotify.parse import (
    Rows,
    add_artists,
    add_audio_features,
    add_items,
    add_observation,
    add_playlist,
    add_unavailable_fields,
    missing_fields,
    object_id,
    page,
    playlist_head,
)
from ingestion.spotify.tables import TABLES

SEEN_AT = datetime(2026, 11, 20, 23, 30, 15, 123456, tzinfo=UTC)
DAY = date(2026, 11, 20)
USER = "jane.döe_77"
PROVENANCE = {"source_system": "spotify_api", "terms_of_use": "spotify_api"}


def hash_user(user: str) -> str:
    """A stand-in for the keyed hash, as strict about what it can encode."""
    return hashlib.blake2b(user.encode(), key=b"test", digest_size=32).hexdigest()


def changed(sound: dict, **changes: Any) -> dict:
    """`sound` with changes; a change to `...` takes the key out."""
    return {key: value for key, value in (sound | changes).items() if value is not ...}


def user(user_id: Any = USER) -> dict:
    return {"id": user_id, "type": "user", "uri": f"spotify:user:{user_id}", "display_name": "Jane Döe"}


def artist(number: int, **changes: Any) -> dict:
    """An artist as tracks and albums embed it."""
    sound = {"id": f"{number:022}", "name": f"Artist {number}", "type": "artist"}
    return changed(sound | {"uri": f"spotify:artist:{number:022}"}, **changes)


def full_artist(number: int, **changes: Any) -> dict:
    more = {
        "popularity": 40,
        "followers": {"href": None, "total": 5000},
        "genres": ["folk", "freak folk"],
        "images": [{"url": "https://i.example/640", "width": 640}, {"url": "https://i.example/64"}],
    }
    return changed(artist(number) | more, **changes)


def album(number: int, **changes: Any) -> dict:
    """An album as tracks embed it."""
    sound = {
        "id": f"{number:022}",
        "type": "album",
        "uri": f"spotify:album:{number:022}",
        "album_type": "single",
        "name": f"Album {number}",
        "release_date": "2011-04",
        "release_date_precision": "month",
        "total_tracks": 3,
        "available_markets": ["SE", "AR"],
        "images": [{"url": "https://i.example/640", "width": 640, "height": 640}],
        "artists": [artist(number)],
    }
    return changed(sound, **changes)


def track(number: int, **changes: Any) -> dict:
    """A track as the items of a playlist embed it."""
    sound = {
        "id": f"{number:022}",
        "type": "track",
        "track": True,
        "episode": False,
        "uri": f"spotify:track:{number:022}",
        "name": f"Track {number}",
        "album": album(number),
        "artists": [artist(number), artist(number + 100)],
        "duration_ms": 200_000 + number,
        "explicit": False,
        "disc_number": 1,
        "track_number": 7,
        "popularity": 46,
        "available_markets": ["SE", "AR", "SE"],
        "external_ids": {"isrc": f"SEXX6110{number:04}"},
        "is_local": False,
    }
    return changed(sound, **changes)


def item(held: Any, key: str = "item", **changes: Any) -> dict:
    """An entry of a playlist that holds an object under its new or its old name."""
    sound = {"added_at": "2020-02-14T17:31:47Z", "added_by": user(), "is_local": False, "primary_color": None}
    return changed(sound | {key: held}, **changes)


def playlist(**changes: Any) -> dict:
    sound = {
        "id": "p" * 22,
        "snapshot_id": "AAAAAq+cx/9=",
        "name": "For the road",
        "description": "all &amp; sundry",
        "owner": user(),
        "public": True,
        "collaborative": False,
        "followers": {"href": None, "total": 12},
        "images": [{"url": "https://i.example/cover", "width": None}],
        "items": {"items": [item(track(1))], "limit": 50, "offset": 0, "next": None, "total": 1},
        "type": "playlist",
        "uri": "spotify:playlist:" + "p" * 22,
    }
    return changed(sound, **changes)


class Tables:
    """The rows of a collector by table, after a round through Arrow; checks schemas and keys."""

    def __init__(self, rows: Rows) -> None:
        self.by_name: dict[str, list[dict]] = {table.name: [] for table in TABLES}
        for table, batch in rows.tables():
            assert batch.schema.equals(table.schema), table.name
            batch.validate(full=True)
            for column in batch.columns:
                if pa.types.is_string(column.type):
                    assert not any("\0" in (value or "") for value in column.to_pylist())
            assert not self.by_name[table.name], f"{table.name} came twice"
            self.by_name[table.name] = found = batch.to_pylist()
            keys = [tuple(row[name] for name in table.primary_key) for row in found]
            assert len(keys) == len(set(keys)), f"{table.name} has a key twice"
            assert all(value not in (None, "") for key in keys for value in key), table.name
        assert len(rows) == sum(len(found) for found in self.by_name.values())

    def __getattr__(self, table: str) -> list[dict]:
        return self.by_name[table]

    def only(self, table: str) -> dict:
        (row,) = self.by_name[table]
        return row


def read_items(*entries: Any, first_position: int = 0, observed_at: datetime = SEEN_AT) -> Tables:
    rows = Rows()
    after = add_items(rows, "P", "S", first_position, entries, observed_at, hash_user)
    assert after == first_position + len(entries)
    return Tables(rows)


def read(add: Any, *objects: Any, **options: Any) -> Tables:
    rows = Rows()
    add(rows, objects, SEEN_AT, **options)
    return Tables(rows)


@pytest.mark.parametrize("key", ["item", "track"])
def test_an_item_gives_its_place_its_track_its_album_and_its_artists(key):
    result = read_items(item(track(1), key))

    assert result.only("playlist_tracks") == {
        "playlist_id": "P",
        "snapshot_id": "S",
        "position": 0,
        "item_type": "track",
        "track_uri": f"spotify:track:{1:022}",
        "track_id": f"{1:022}",
        "track_name": "Track 1",
        "artist_name": "Artist 1",
        "album_name": "Album 1",
        "duration_ms": 200_001,
        "added_at": datetime(2020, 2, 14, 17, 31, 47, tzinfo=UTC),
        "added_by_hash": hash_user(USER),
    }
    assert (
        result.only("tracks")
        == {
            "track_id": f"{1:022}",
            "observed_on": DAY,
            "is_full": True,
            "name": "Track 1",
            "album_id": f"{1:022}",
            "isrc": "SEXX61100001",
            "ean": None,
            "upc": None,
            "duration_ms": 200_001,
            "is_explicit": False,
            "is_playable": None,
            "disc_number": 1,
            "track_number": 7,
            "popularity": 46,
            "available_markets": "AR,SE",
            "linked_from_track_id": None,
            "observed_at": SEEN_AT,
        }
        | PROVENANCE
    )
    assert (
        result.only("albums")
        == {
            "album_id": f"{1:022}",
            "observed_on": DAY,
            "is_full": False,
            "name": "Album 1",
            "album_type": "single",
            "release_date": "2011-04",
            "release_date_precision": "month",
            "total_tracks": 3,
            "label": None,
            "upc": None,
            "popularity": None,
            "available_markets": "AR,SE",
            "image_url": "https://i.example/640",
            "observed_at": SEEN_AT,
        }
        | PROVENANCE
    )
    assert (
        sorted(result.artists, key=lambda row: row["artist_id"])[0]
        == {
            "artist_id": f"{1:022}",
            "observed_on": DAY,
            "is_full": False,
            "name": "Artist 1",
            "popularity": None,
            "follower_count": None,
            "image_url": None,
            "observed_at": SEEN_AT,
        }
        | PROVENANCE
    )
    assert result.track_artists == [
        {
            "track_id": f"{1:022}",
            "observed_on": DAY,
            "is_full": True,
            "position": position,
            "artist_id": f"{number:022}",
            "artist_name": f"Artist {number}",
        }
        for position, number in enumerate((1, 101))
    ]
    assert result.only("album_artists")["is_full"] is False
    assert result.artist_genres == []


def test_positions_run_on_from_the_page_before():
    result = read_items(item(track(1)), None, item(track(2)), first_position=100)

    assert [row["position"] for row in result.playlist_tracks] == [100, 101, 102]


def test_the_same_track_several_times_has_each_of_its_places_and_is_one_track():
    result = read_items(item(track(1)), item(track(2)), item(track(1)), item(track(1)))

    assert [row["track_name"] for row in result.playlist_tracks] == [
        "Track 1",
        "Track 2",
        "Track 1",
        "Track 1",
    ]
    assert len(result.tracks) == 2
    assert len(result.track_artists) == 4


def test_of_two_answers_the_last_wins_with_all_its_artists():
    rows = Rows()
    add_items(rows, "P", "S", 0, [item(track(1, artists=[artist(n) for n in range(5)]))], SEEN_AT, hash_user)
    later = SEEN_AT + timedelta(seconds=5)
    add_items(rows, "P", "S", 1, [item(track(1, popularity=47, artists=[artist(3)]))], later, hash_user)

    result = Tables(rows)

    assert (result.only("tracks")["popularity"], result.only("tracks")["observed_at"]) == (47, later)
    assert result.only("track_artists")["artist_name"] == "Artist 3"


def test_under_both_names_the_new_one_counts_and_an_empty_one_never():
    new, old = track(1), track(2)
    entries = [
        item(new, track=old),
        item(None, track=old),
        item({}, track=old),
        item(True, track=old),
        item(new, track=True),
    ]

    result = read_items(*entries)

    numbers = [row["track_name"] for row in result.playlist_tracks]
    assert numbers == ["Track 1", "Track 2", "Track 2", "Track 2", "Track 1"]


@pytest.mark.parametrize(
    "entry",
    [
        None,
        True,
        7,
        math.nan,
        "spotify:track:x",
        [],
        {},
        item(None),
        item(None, "track"),
        item(..., is_local=True),
        item({}),
        item([track(1)]),
        item(True, "track", episode=False),
        item({"track": True, "episode": False}),
        item({"id": "", "uri": "", "name": "", "type": "track"}),
    ],
    ids=repr,
)
def test_an_entry_that_names_nothing_is_unavailable_at_its_place(entry):
    result = read_items(item(track(1)), entry, item(track(2)))

    assert [row["item_type"] for row in result.playlist_tracks] == ["track", "unavailable", "track"]
    row = result.playlist_tracks[1]
    assert (row["position"], row["track_id"], row["track_uri"]) == (1, None, None)
    assert len(result.tracks) == 2


def test_an_unavailable_item_still_says_when_and_by_whom_it_was_added():
    row = read_items(item(None, "track")).only("playlist_tracks")

    assert row["added_at"] == datetime(2020, 2, 14, 17, 31, 47, tzinfo=UTC)
    assert row["added_by_hash"] == hash_user(USER)


def local_file(**changes: Any) -> dict:
    nothing = {"id": None, "href": None, "uri": None, "images": [], "artists": [], "release_date": None}
    sound = {
        "id": None,
        "type": "track",
        "uri": "spotify:local:Die+%C3%84rzte:Debil:Zu+sp%C3%A4t:273",
        "name": "Zu spät",
        "album": nothing | {"name": "Debil", "album_type": None, "type": "album"},
        "artists": [{"id": None, "uri": None, "name": "Die Ärzte", "type": "artist"}],
        "duration_ms": 273_000,
        "popularity": 0,
        "external_ids": {},
        "is_local": True,
    }
    return changed(sound, **changes)


@pytest.mark.parametrize(
    "held",
    [
        local_file(),
        local_file(is_local=...),
        local_file(name="", artists=[], album=None, duration_ms=None),
        local_file(type=None),
        local_file(uri=None),
    ],
)
def test_a_local_file_keeps_its_names_and_is_no_track_of_the_catalogue(held):
    result = read_items(item(held, is_local=True))

    row = result.only("playlist_tracks")
    assert (row["item_type"], row["track_id"]) == ("local", None)
    assert (row["track_name"], row["artist_name"], row["album_name"]) == ("Zu spät", "Die Ärzte", "Debil")
    assert row["duration_ms"] == 273_000
    assert [name for name, found in result.by_name.items() if found] == ["playlist_tracks"]


def test_a_track_that_spotify_matched_to_a_local_file_is_a_track():
    row = read_items(item(track(1), is_local=True)).only("playlist_tracks")

    assert (row["item_type"], row["track_id"]) == ("track", f"{1:022}")


def test_a_withdrawn_track_is_kept_as_it_is_shown():
    gone = track(
        1,
        name="",
        duration_ms=0,
        popularity=0,
        external_ids={},
        available_markets=[],
        album=album(2, name="", release_date="0000", release_date_precision="year", available_markets=[]),
        artists=[artist(3, name="")],
    )

    result = read_items(item(gone))

    assert result.only("playlist_tracks")["item_type"] == "track"
    row = result.only("tracks")
    assert (row["name"], row["duration_ms"], row["isrc"], row["available_markets"]) == ("", 0, None, "")
    assert row["is_full"] is True
    row = result.only("albums")
    assert (row["name"], row["release_date"], row["release_date_precision"]) == ("", "0000", "year")
    assert result.only("track_artists")["artist_name"] == ""


def episode(**changes: Any) -> dict:
    sound = {
        "id": "e" * 22,
        "type": "episode",
        "episode": True,
        "track": False,
        "uri": "spotify:episode:" + "e" * 22,
        "name": "Episode 1",
        "duration_ms": 3_600_000,
        "release_date": "2024-01-01",
        "show": {"id": "s" * 22, "name": "A show", "publisher": "A publisher"},
    }
    return changed(sound, **changes)


@pytest.mark.parametrize("changes", [{}, {"type": ...}, {"type": "track"}, {"uri": ...}, {"show": None}])
def test_an_episode_is_an_item_and_no_track(changes):
    result = read_items(item(episode(**changes)))

    row = result.only("playlist_tracks")
    assert (row["item_type"], row["track_id"]) == ("episode", None)
    assert row["track_uri"] == "spotify:episode:" + "e" * 22
    assert (row["track_name"], row["duration_ms"]) == ("Episode 1", 3_600_000)
    assert (row["artist_name"], row["album_name"]) == (None, None)
    assert result.tracks == []


@pytest.mark.parametrize("word", ["chapter", "audiobook", "ad", " chapter "])
def test_an_unknown_type_keeps_its_own_word(word):
    held = {
        "type": word,
        "id": "c" * 22,
        "uri": "spotify:chapter:" + "c" * 22,
        "name": "One",
        "duration_ms": 9,
    }

    result = read_items(item(held))

    row = result.only("playlist_tracks")
    assert (row["item_type"], row["track_name"], row["track_id"]) == (word.strip(), "One", None)
    assert result.tracks == []


@pytest.mark.parametrize(
    "changes",
    [
        {"type": ...},
        {"type": None},
        {"type": 7},
        {"uri": ...},
        {"uri": None},
        {"uri": 7},
        {"id": ...},
        {"id": ""},
    ],
)
def test_a_track_is_told_by_its_id_or_its_uri(changes):
    result = read_items(item(track(1, **changes)))

    row = result.only("playlist_tracks")
    assert (row["item_type"], row["track_id"]) == ("track", f"{1:022}")
    assert row["track_uri"] == f"spotify:track:{1:022}"
    assert result.only("tracks")["track_id"] == f"{1:022}"


@pytest.mark.parametrize("nothing", [..., None, "", " ", 7, 7.5, True, [], {}])
def test_a_track_without_any_id_keeps_its_place_and_its_names(nothing):
    result = read_items(item(track(1, id=nothing, uri=nothing)))

    row = result.only("playlist_tracks")
    assert (row["item_type"], row["track_id"], row["track_uri"]) == ("track", None, None)
    assert (row["track_name"], row["artist_name"], row["album_name"]) == ("Track 1", "Artist 1", "Album 1")
    assert result.tracks == result.track_artists == []
    assert len(result.albums) == 1


@pytest.mark.parametrize(
    ("changes", "is_full"),
    [
        ({}, True),
        ({"external_ids": {}}, True),
        ({"popularity": ..., "available_markets": ...}, True),
        ({"external_ids": ...}, False),
        ({"external_ids": None}, False),
        ({"album": ...}, False),
        ({"album": None}, False),
    ],
)
def test_an_embedded_track_is_full_where_it_has_an_album_and_external_ids(changes, is_full):
    result = read_items(item(track(1, **changes)))

    assert result.only("tracks")["is_full"] is is_full
    assert {row["is_full"] for row in result.track_artists} == {is_full}
    assert not any(row["is_full"] for row in (*result.albums, *result.album_artists, *result.artists))


@pytest.mark.parametrize(
    ("added_at", "expected"),
    [
        ("2020-02-14T17:31:47Z", datetime(2020, 2, 14, 17, 31, 47, tzinfo=UTC)),
        ("2020-02-14T17:31:47+02:00", datetime(2020, 2, 14, 15, 31, 47, tzinfo=UTC)),
        ("1970-01-01T00:00:00Z", datetime(1970, 1, 1, tzinfo=UTC)),
        (None, None),
        ("", None),
        ("yesterday", None),
        ("0001-01-01T00:00:00+23:00", None),
        (10**30, None),
        (math.inf, None),
        (True, None),
        ([], None),
        (..., None),
    ],
)
def test_the_time_of_adding_is_kept_as_said(added_at, expected):
    assert read_items(item(track(1), added_at=added_at)).only("playlist_tracks")["added_at"] == expected


@pytest.mark.parametrize(
    "nobody", [..., None, {}, user(""), user(None), user(" "), user(7), user([]), "x", 7, [user()]]
)
def test_nobody_added_what_names_nobody(nobody):
    assert read_items(item(track(1), added_by=nobody)).only("playlist_tracks")["added_by_hash"] is None


@pytest.mark.parametrize(
    ("user_id", "same_as"),
    [(f" {USER} ", USER), (f"spotify:user:{USER}", USER), ("\ud800\0x", "\N{REPLACEMENT CHARACTER}x")],
)
def test_a_user_is_hashed_in_every_form(user_id, same_as):
    row = read_items(item(track(1), added_by={"id": user_id})).only("playlist_tracks")

    assert row["added_by_hash"] == hash_user(same_as)


def test_no_user_id_gets_into_any_column():
    reference = f"spotify:user:{USER}"
    link = f"https://open.spotify.com/user/{USER}"
    tidy = {"external_urls": {"spotify": link}, "href": f"https://api.spotify.com/v1/users/{USER}"}
    answer = playlist(
        name=f"by {reference}",
        description=f'<a href="{reference}">me</a> "quoted" \\ \u0001 {link}?si=1',
        owner=user() | tidy,
        images=[{"url": link}],
    )
    rows = Rows()
    head = playlist_head(answer, hash_user)
    add_playlist(rows, head, 3, SEEN_AT)
    entries = [
        item(track(1), added_by=user() | tidy),
        item(track(2, uri=f"{reference}:playlist:x", id=None)),
        item({"type": "user", "id": USER, "uri": reference, "name": "someone"}),
        item(user() | {"type": None}),
        item(local_file(uri=f"spotify:local:{reference.replace(':', '%3A')}:b:c:1", name="")),
        item(track(4, artists=[user() | {"name": "someone"}])),
    ]
    add_items(rows, head.playlist_id, head.snapshot_id, 0, entries, SEEN_AT, hash_user)

    result = Tables(rows)

    assert "döe" not in repr(result.by_name)
    assert result.only("playlists")["description"] == (
        f'<a href="spotify:user:{hash_user(USER)}">me</a> "quoted" \\ \u0001 '
        f"https://open.spotify.com/user/{hash_user(USER)}?si=1"
    )
    assert result.playlist_tracks[1]["track_uri"] == f"spotify:user:{hash_user(USER)}:playlist:x"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (3, 3), (3.0, 3), (3.7, 3), ("3", 3), ("3.0", 3), (0, 0), (-1, -1),
        (None, None), (True, None), ("x", None), ("", None), ([], None), ({}, None),
        (math.nan, None), (math.inf, None), (-math.inf, None), (10**30, None), (1e300, None),
    ],
)  # fmt: skip
def test_whole_numbers_come_in_many_forms(value, expected):
    changes = dict.fromkeys(("duration_ms", "popularity", "track_number", "disc_number"), value)
    result = read_items(item(track(1, **changes, album=album(1, total_tracks=value))))

    row = result.only("tracks")
    assert [row[name] for name in changes] == [expected] * 4
    assert result.only("albums")["total_tracks"] == expected
    assert result.only("playlist_tracks")["duration_ms"] == expected


def test_a_number_too_large_for_its_column_is_null():
    row = read_items(item(track(1, popularity=2**31, duration_ms=2**31))).only("tracks")

    assert (row["popularity"], row["duration_ms"]) == (None, 2**31)


@pytest.mark.parametrize("name", [None, 7, 7.5, True, [], {"text": "x"}, ...])
def test_a_name_that_is_no_text_is_null(name):
    result = read_items(item(track(1, name=name, album=album(1, name=name), artists=[artist(1, name=name)])))

    row = result.only("playlist_tracks")
    assert (row["track_name"], row["artist_name"], row["album_name"]) == (None, None, None)
    assert result.only("tracks")["name"] is None
    assert result.only("albums")["name"] is None
    assert result.only("track_artists")["artist_name"] is None


@pytest.mark.parametrize(
    ("name", "stored"),
    [("a\0b", "ab"), ("a\ud83db", "a\N{REPLACEMENT CHARACTER}b"), ("\N{GUITAR} \u202e", "\N{GUITAR} \u202e")],
)
def test_texts_are_stored_as_every_warehouse_can_hold_them(name, stored):
    held = track(1, name=name, album=album(1, name=name, label=name), artists=[artist(1, name=name)])

    result = read_items(
        item(held), item(local_file(name=name)), item(local_file(name="", uri="spotify:local:%00a:b:%00:1"))
    )

    assert [row["track_name"] for row in result.playlist_tracks] == [stored, stored, ""]
    assert result.playlist_tracks[0]["artist_name"] == stored
    assert result.only("tracks")["name"] == result.only("albums")["name"] == stored


@pytest.mark.parametrize(
    ("markets", "expected"),
    [
        (["SE", "AR"], "AR,SE"), ([], ""), (None, None), (..., None), ("SE", None), ({}, None),
        (["SE", None, 7, "", "Sweden", "S,"], "SE"), ([None], None),
    ],
)  # fmt: skip
def test_markets_are_sorted_codes_and_none_is_not_the_same_as_untold(markets, expected):
    assert (
        read_items(item(track(1, available_markets=markets))).only("tracks")["available_markets"] == expected
    )


@pytest.mark.parametrize("artists", [..., None, [], {}, "Artist", [None, 7, "x", []]])
def test_a_track_without_artists_is_a_track(artists):
    result = read_items(item(track(1, artists=artists)))

    assert result.only("playlist_tracks")["artist_name"] is None
    assert len(result.tracks) == 1
    assert result.track_artists == []


def test_artists_keep_their_places_and_need_no_id():
    result = read_items(
        item(track(1, album=None, artists=[None, artist(1), artist(2, id=None, uri=None), {}]))
    )

    found = [(row["position"], row["artist_id"], row["artist_name"]) for row in result.track_artists]
    assert found == [(1, f"{1:022}", "Artist 1"), (2, None, "Artist 2")]
    assert result.only("artists")["artist_id"] == f"{1:022}"


def test_the_day_of_observation_is_counted_in_utc():
    late = datetime(2026, 11, 21, 1, 0, tzinfo=timezone(timedelta(hours=3)))

    result = read_items(item(track(1)), observed_at=late)

    assert result.only("tracks")["observed_on"] == DAY
    assert result.only("tracks")["observed_at"] == late


def test_a_relinked_track_names_the_one_it_stands_for():
    linked = read_items(item(track(1, linked_from={"id": "o" * 22}, is_playable=True))).only("tracks")

    assert (linked["linked_from_track_id"], linked["is_playable"]) == ("o" * 22, True)


def test_batches_may_hold_nothing_in_places():
    entries = (None, full_artist(1), 7, "x", [], {}, {"type": "artist"}, episode(), full_artist(2))

    assert [row["name"] for row in read(add_artists, *entries).artists] == ["Artist 1", "Artist 2"]
    assert read(add_audio_features, None, {"id": "t" * 22}, {}).only("audio_features")["track_id"] == "t" * 22


def test_a_full_artist_has_followers_and_genres():
    result = read(add_artists, full_artist(1, genres=["folk", None, "", 7, "freak folk"]))

    assert (
        result.only("artists")
        == {
            "artist_id": f"{1:022}",
            "observed_on": DAY,
            "is_full": True,
            "name": "Artist 1",
            "popularity": 40,
            "follower_count": 5000,
            "image_url": "https://i.example/640",
            "observed_at": SEEN_AT,
        }
        | PROVENANCE
    )
    assert [(row["position"], row["genre"]) for row in result.artist_genres] == [
        (0, "folk"),
        (4, "freak folk"),
    ]


def test_full_and_embedded_artists_of_one_day_stand_beside_each_other():
    rows = Rows()
    add_items(rows, "P", "S", 0, [item(track(1))], SEEN_AT, hash_user)
    add_artists(rows, [full_artist(1)], SEEN_AT)

    result = Tables(rows)

    assert sorted(row["is_full"] for row in result.artists) == [False, False, True]


def test_audio_features_are_finite_numbers_or_nothing():
    features = {
        "type": "audio_features",
        "id": None,
        "uri": f"spotify:track:{1:022}",
        "acousticness": 1,
        "danceability": math.nan,
        "energy": math.inf,
        "instrumentalness": "0.5",
        "liveness": True,
        "loudness": -2.743,
        "speechiness": "x",
        "tempo": 10**400,
        "key": -1.0,
        "mode": 1,
        "time_signature": None,
        "duration_ms": 207_960.0,
    }

    assert (
        read(add_audio_features, features).only("audio_features")
        == {
            "track_id": f"{1:022}",
            "acousticness": 1.0,
            "danceability": None,
            "energy": None,
            "instrumentalness": 0.5,
            "liveness": None,
            "loudness": -2.743,
            "speechiness": None,
            "tempo": None,
            "valence": None,
            "key": -1,
            "mode": 1,
            "time_signature": None,
            "duration_ms": 207_960,
            "observed_at": SEEN_AT,
        }
        | PROVENANCE
    )


def test_a_track_without_audio_features_is_known_to_have_been_asked_for():
    result = read(add_audio_features, None, {"id": "b", "tempo": 120}, asked=["a", "b"])

    assert [(row["track_id"], row["tempo"]) for row in result.audio_features] == [("a", None), ("b", 120.0)]
    assert {row["source_system"] for row in result.audio_features} == {"spotify_api"}


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        (artist(1), f"{1:022}"),
        (artist(1, id=None), f"{1:022}"),
        (artist(1, uri=None), f"{1:022}"),
        (artist(1, type=None), f"{1:022}"),
        ({"id": "x"}, "x"),
        (artist(1, uri=f"spotify:track:{1:022}"), None),
        (artist(1, id=7, uri="spotify:artist:"), None),
        (playlist(uri=f"spotify:user:{USER}:playlist:x"), "p" * 22),
        ({"id": ""}, None),
        ({}, None),
        (None, None),
        ([], None),
    ],
)
def test_the_id_of_an_object_is_found(candidate, expected):
    assert object_id(candidate) == expected


def test_a_playlist_gives_its_state():
    rows = Rows()
    head = playlist_head(playlist(), hash_user)
    add_playlist(rows, head, 1, SEEN_AT)

    assert (
        Tables(rows).only("playlists")
        == {
            "playlist_id": "p" * 22,
            "snapshot_id": "AAAAAq+cx/9=",
            "name": "For the road",
            "description": "all &amp; sundry",
            "owner_id_hash": hash_user(USER),
            "is_owned_by_spotify": False,
            "is_public": True,
            "is_collaborative": False,
            "declared_track_count": 1,
            "item_count": 1,
            "image_url": "https://i.example/cover",
            "read_at": SEEN_AT,
        }
        | PROVENANCE
    )
    assert head.follower_count == 12


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (user("spotify"), True),
        (user(), False),
        (user(""), None),
        (None, None),
        (..., None),
        ("spotify", None),
    ],
)
def test_spotify_owns_what_its_own_user_owns(owner, expected):
    head = playlist_head(playlist(owner=owner), hash_user)

    assert head.is_owned_by_spotify is expected
    assert (head.owner_id_hash is None) is (expected is None)


OLD = {"items": [item(track(1), "track"), item(track(2), "track")], "total": 2, "limit": 100, "next": "old"}
NEW = {"items": [item(track(3))], "total": 9, "limit": 50, "next": "new"}
SUMMARY = {"href": "https://api.example/items", "total": 7}


@pytest.mark.parametrize(
    ("items", "tracks", "total", "following"),
    [
        (NEW, ..., 9, "new"),
        (..., OLD, 2, "old"),
        (NEW, OLD, 9, "new"),
        (NEW | {"items": []}, OLD, 2, "old"),
        (NEW | {"items": None}, OLD, 2, "old"),
        (SUMMARY, OLD, 2, "old"),
        (None, OLD, 2, "old"),
        (NEW, None, 9, "new"),
        (NEW, True, 9, "new"),
        (NEW | {"total": None}, SUMMARY, 7, "new"),
        (NEW | {"items": []}, OLD | {"items": []}, 9, "new"),
    ],
)
def test_the_first_page_is_found_under_either_name(items, tracks, total, following):
    head = playlist_head(playlist(items=items, tracks=tracks), hash_user)

    assert (head.total, head.first_page.next) == (total, following)


@pytest.mark.parametrize("nothing", [..., None, [], "x"])
def test_a_playlist_whose_items_are_not_shown_says_so(nothing):
    head = playlist_head(playlist(items=nothing), hash_user)

    assert (head.first_page, head.total) == (None, None)


@pytest.mark.parametrize("key", ["items", "tracks"])
def test_an_entry_in_a_list_of_playlists_has_a_total_and_no_page(key):
    answer = playlist(items=..., followers=..., images=None) | {key: SUMMARY}

    head = playlist_head(answer, hash_user)

    assert (head.first_page, head.total) == (None, 7)
    assert (head.follower_count, head.image_url) == (None, None)


@pytest.mark.parametrize(
    "field", ["name", "description", "owner", "public", "collaborative", "followers", "images"]
)
@pytest.mark.parametrize("value", [..., None, "\ud800\0", 7.5, math.nan, [], {}, [None], {"total": []}])
def test_every_part_of_a_playlist_may_be_odd(field, value):
    rows = Rows()
    add_playlist(rows, playlist_head(playlist(**{field: value}), hash_user), None, SEEN_AT)

    assert Tables(rows).only("playlists")["item_count"] is None


@pytest.mark.parametrize(
    "answer",
    [
        None, [], "<html>", 7,
        {},
        {"error": {"status": 404, "message": "Not found."}},
        playlist(id=..., uri=...),
        playlist(id=7, uri=None),
        playlist(snapshot_id=...),
        playlist(snapshot_id=""),
        playlist(snapshot_id=None),
    ],
)  # fmt: skip
def test_what_has_no_key_is_no_playlist(answer):
    with pytest.raises(UnreadableInputError) as error:
        playlist_head(answer, hash_user)

    assert error.value.reason == "invalid_playlist"


def test_a_playlist_is_seen_once_a_day_or_gone():
    rows = Rows()
    for hours in (0, 1):
        seen = SEEN_AT - timedelta(hours=12 - hours)
        add_observation(rows, "P", seen, seen_in="playlist", snapshot_id=f"S{hours}", follower_count=hours)
    add_observation(rows, "Q", SEEN_AT, seen_in="playlist", snapshot_id=None)

    there, gone = Tables(rows).playlist_observations

    assert (there["snapshot_id"], there["follower_count"], there["is_available"]) == ("S1", 1, True)
    assert there["observed_on"] == DAY
    assert (gone["snapshot_id"], gone["is_available"], gone["observed_at"]) == (None, False, SEEN_AT)


def test_a_page_says_where_it_lies():
    found = page({"items": [1, None], "next": " https://x/2 ", "limit": 50.0, "offset": "100", "total": 102})

    assert (found.entries, found.next) == ([1, None], "https://x/2")
    assert (found.limit, found.offset, found.total) == (50, 100, 102)


@pytest.mark.parametrize("odd", [..., None, "", [], {}, -1, math.nan, True])
def test_a_page_may_leave_out_everything_but_its_items(odd):
    found = page(changed({"items": []}, next=odd, limit=odd, offset=odd, total=odd))

    assert (found.entries, found.next, found.limit, found.offset, found.total) == ([], None, None, None, None)


@pytest.mark.parametrize(
    "answer", [None, "<html>", [], [{}], {}, {"items": None}, {"items": {}}, {"error": "x"}]
)
def test_what_lists_no_items_is_no_page(answer):
    with pytest.raises(UnreadableInputError) as error:
        page(answer)

    assert error.value.reason == "invalid_page"


@pytest.mark.parametrize(
    ("object_type", "objects", "expected"),
    [
        ("track", [track(1)], set()),
        ("track", [track(1, popularity=...), track(2, popularity=None)], set()),
        (
            "track",
            [track(1, popularity=..., available_markets=..., external_ids=...), None],
            {"popularity", "available_markets", "external_ids"},
        ),
        ("album", [album(1)], {"popularity", "label", "external_ids"}),
        ("artist", [full_artist(1)], set()),
        ("artist", [artist(1), artist(2)], {"popularity", "followers", "genres"}),
        ("artist", [artist(1), full_artist(2, followers=None, genres=...)], {"genres"}),
        ("artist", [], set()),
        ("artist", [None, 7, []], set()),
        ("show", [{"id": "x"}], set()),
    ],
)
def test_a_field_is_missing_where_no_object_has_its_key(object_type, objects, expected):
    assert missing_fields(object_type, objects) == expected


def test_missing_fields_are_noted_by_day():
    rows = Rows()
    add_unavailable_fields(rows, "artist", {"popularity", "followers"}, SEEN_AT)

    assert Tables(rows).unavailable_fields == [
        {"object_type": "artist", "field": field, "observed_on": DAY} for field in ("followers", "popularity")
    ]


def test_a_collector_without_rows_has_no_tables():
    assert list(Rows().tables()) == []
    assert len(Rows()) == 0


ODD_VALUES = (
    None, True, False, 0, -1, 3.7, 10**30, 1e300, math.nan, math.inf, "", " ", "x", "0000", "\0", "\ud800",
    "spotify:user:x", "spotify:local:::%00:9", "spotify:track:", [], [None], [[]], {},
    {"id": 7}, {"items": []},
)  # fmt: skip


def mutate(value: Any, chance: random.Random) -> Any:
    """A copy of `value` with some keys dropped, some values replaced, some lists changed in length."""
    if chance.random() < 0.06:
        return copy.deepcopy(chance.choice(ODD_VALUES))
    if isinstance(value, dict):
        kept = {key: entry for key, entry in value.items() if chance.random() > 0.06}
        mutated = {key: mutate(entry, chance) for key, entry in kept.items()}
        # Not where user ids are: put in the place of another id they are not to be told from one.
        if (
            len(mutated) > 1
            and not mutated.keys() & {"added_by", "owner", "display_name"}
            and chance.random() < 0.1
        ):
            one, other = chance.sample(sorted(mutated), 2)
            mutated[one], mutated[other] = mutated[other], mutated[one]
        return mutated
    if isinstance(value, list):
        mutated = [mutate(entry, chance) for entry in value]
        return mutated * chance.choice((0, 1, 1, 1, 2))
    return value


@pytest.mark.parametrize("seed", range(20))
def test_no_mutation_of_an_item_is_lost_or_raises(seed):
    chance = random.Random(seed)
    sound = [
        item(track(1)),
        item(track(2), "track"),
        item(track(3), track=track(3)),
        item(local_file(), is_local=True),
        item(episode()),
    ]
    entries = [mutate(chance.choice(sound), chance) for _ in range(100)]

    result = read_items(*entries)

    assert [row["position"] for row in result.playlist_tracks] == list(range(100))
    assert all(row["item_type"] for row in result.playlist_tracks)
    assert "döe" not in repr(result.by_name)


@pytest.mark.parametrize("seed", range(20))
def test_no_mutation_of_a_batch_or_a_playlist_raises_anything_but_unreadable(seed):
    chance = random.Random(seed)
    rows = Rows()
    features = {"id": "t" * 22, "tempo": 120.5, "key": 3, "type": "audio_features", "uri": "spotify:track:t"}
    for add, sound in (
        (add_artists, full_artist(6)),
        (add_audio_features, features),
    ):
        objects = [mutate(sound, chance) for _ in range(30)]
        add(rows, objects, SEEN_AT)
        assert missing_fields(sound["type"], objects) is not None
    for number in range(30):
        try:
            head = playlist_head(mutate(playlist(id=f"{number:022}", tracks=OLD), chance), hash_user)
        except UnreadableInputError as error:
            assert error.reason == "invalid_playlist"
        else:
            add_playlist(rows, head, None, SEEN_AT)
            for entry in head.first_page.entries if head.first_page else ():
                add_items(rows, head.playlist_id, head.snapshot_id, 0, [entry], SEEN_AT, hash_user)

    assert "döe" not in repr(Tables(rows).by_name)


# The captured answers, against values taken from the raw JSON by themselves.


@pytest.fixture
def sample(genuine_samples: Path):
    """Reads a captured answer by its path below the samples of the API."""

    def sample(name: str) -> Any:
        return json.loads((genuine_samples / "spotify" / name).read_text(encoding="utf-8"))

    return sample


PLAYLIST_SAMPLES = (
    ("2026_shape/playlist_1.json", "items", "item"),
    ("2026_shape/playlist_2.json", "tracks", "track"),
    ("2026_shape/playlist_3.json", "tracks", "track"),
    ("pre_2026_shape/playlist_1.json", "tracks", "track"),
    ("pre_2026_shape/playlist_3.json", "tracks", "track"),
)
PAGE_SAMPLES = (
    ("2026_shape/playlist_items.json", "item"),
    ("pre_2026_shape/playlist_items.json", "track"),
    ("odd/null_track_items.json", "track"),
    ("odd/playlist_items_with_null_track.json", "track"),
)


def expected_type(held: dict | None) -> str:
    if held is None:
        return "unavailable"
    return "local" if held["uri"].startswith("spotify:local:") else held["type"]


def assert_items_are_those_of(result: Tables, entries: list[dict], key: str) -> None:
    objects = [entry[key] for entry in entries]
    shown = [one or {} for one in objects]
    rows = result.playlist_tracks
    assert [row["position"] for row in rows] == list(range(len(entries)))
    assert [row["item_type"] for row in rows] == [expected_type(one) for one in objects]
    assert [row["track_uri"] for row in rows] == [one.get("uri") for one in shown]
    assert [row["track_name"] for row in rows] == [one.get("name") for one in shown]
    assert [row["duration_ms"] for row in rows] == [one.get("duration_ms") for one in shown]
    assert [row["album_name"] for row in rows] == [one.get("album", {}).get("name") for one in shown]
    assert [row["added_at"] and row["added_at"].strftime("%Y-%m-%dT%H:%M:%SZ") for row in rows] == [
        entry.get("added_at") for entry in entries
    ]
    adders = [(entry.get("added_by") or {}).get("id") for entry in entries]
    assert [row["added_by_hash"] for row in rows] == [hash_user(one) if one else None for one in adders]

    tracks = {one["id"]: one for one in shown if one.get("type") == "track" and one["id"]}
    assert {row["track_id"]: row["isrc"] for row in result.tracks} == {
        track_id: one["external_ids"].get("isrc") for track_id, one in tracks.items()
    }
    assert {row["track_id"]: row["popularity"] for row in result.tracks} == {
        track_id: one["popularity"] for track_id, one in tracks.items()
    }
    assert {row["track_id"]: row["available_markets"] for row in result.tracks} == {
        track_id: ",".join(sorted(one["available_markets"])) if "available_markets" in one else None
        for track_id, one in tracks.items()
    }
    assert all(row["is_full"] for row in result.tracks)
    assert [row["artist_id"] for row in result.track_artists] == [
        one["id"] for track in tracks.values() for one in track["artists"]
    ]
    albums = {one["album"]["id"]: one["album"] for one in tracks.values()}
    assert {row["album_id"]: (row["release_date"], row["total_tracks"]) for row in result.albums} == {
        album_id: (one["release_date"], one["total_tracks"]) for album_id, one in albums.items()
    }
    assert {row["album_id"]: row["image_url"] for row in result.albums} == {
        album_id: one["images"][0]["url"] for album_id, one in albums.items()
    }
    artists = [one for track in tracks.values() for one in track["artists"] + track["album"]["artists"]]
    assert {row["artist_id"]: row["name"] for row in result.artists} == {
        one["id"]: one["name"] for one in artists
    }


@pytest.mark.parametrize(("name", "list_key", "item_key"), PLAYLIST_SAMPLES)
def test_captured_playlists_are_read_whole(sample, name, list_key, item_key):
    raw = sample(name)
    rows = Rows()

    head = playlist_head(raw, hash_user)
    add_playlist(rows, head, len(head.first_page.entries), SEEN_AT)
    add_items(rows, head.playlist_id, head.snapshot_id, 0, head.first_page.entries, SEEN_AT, hash_user)

    result = Tables(rows)
    row = result.only("playlists")
    assert {key: row[key] for key in ("snapshot_id", "name", "description")} == {
        key: raw[key] for key in ("snapshot_id", "name", "description")
    }
    assert row["playlist_id"] == raw["id"]
    assert row["owner_id_hash"] == hash_user(raw["owner"]["id"])
    assert (row["is_public"], row["is_collaborative"]) == (raw["public"], raw["collaborative"])
    assert row["declared_track_count"] == raw[list_key]["total"]
    assert row["item_count"] == len(raw[list_key]["items"])
    assert row["image_url"] == raw["images"][0]["url"]
    assert head.follower_count == raw["followers"]["total"]
    assert head.first_page.limit == raw[list_key]["limit"]
    assert head.first_page.next is None
    assert_items_are_those_of(result, raw[list_key]["items"], item_key)


@pytest.mark.parametrize(("name", "item_key"), PAGE_SAMPLES)
def test_captured_pages_are_read_whole(sample, name, item_key):
    raw = sample(name)

    found = page(raw)

    assert (found.next, found.limit, found.offset, found.total) == tuple(
        raw.get(key) for key in ("next", "limit", "offset", "total")
    )
    assert_items_are_those_of(read_items(*found.entries), raw["items"], item_key)


@pytest.mark.parametrize(
    "name", ["2026_shape/current_user_playlist_1.json", "2026_shape/current_user_playlist_2.json"]
)
def test_captured_lists_of_playlists_show_snapshots_and_totals(sample, name):
    raw = sample(name)
    rows = Rows()

    heads = [playlist_head(entry, hash_user) for entry in page(raw).entries]
    for head in heads:
        add_playlist(rows, head, None, SEEN_AT)

    assert [head.snapshot_id for head in heads] == [one["snapshot_id"] for one in raw["items"]]
    assert [head.total for head in heads] == [one["tracks"]["total"] for one in raw["items"]]
    assert [head.is_owned_by_spotify for head in heads] == [
        one["owner"]["uri"] == "spotify:user:spotify" for one in raw["items"]
    ]
    assert all(head.first_page is None for head in heads)
    assert [row["name"] for row in Tables(rows).playlists] == [one["name"] for one in raw["items"]]


def test_captured_artists_tracks_and_features_are_read_whole(sample):
    followed = sample("2026_shape/followed_artists.json")["artists"]
    one = sample("2026_shape/artist.json")
    searched = sample("2026_shape/search.json")["tracks"]
    features = sample("2026_shape/audio_features.json")
    rows = Rows()

    add_artists(rows, [*page(followed).entries, one], SEEN_AT)
    add_audio_features(rows, [features], SEEN_AT)

    result = Tables(rows)
    artists = [*followed["items"], one]
    full = {row["artist_id"]: row for row in result.artists if row["is_full"]}
    assert {key: (row["popularity"], row["follower_count"]) for key, row in full.items()} == {
        one["id"]: (one["popularity"], one["followers"]["total"]) for one in artists
    }
    assert [row["genre"] for row in result.artist_genres] == [
        genre for one in artists for genre in one["genres"]
    ]
    row = result.only("audio_features")
    assert row["track_id"] == features["id"]
    shared = row.keys() & features.keys()
    assert len(shared) == 13
    assert {key: row[key] for key in shared} == {key: features[key] for key in shared}
    assert missing_fields("artist", artists) == set()
    assert missing_fields("track", searched["items"]) == set()


@pytest.mark.parametrize("name", ["2026_shape/playlist_not_found.json", "2026_shape/rate_limit.json"])
def test_captured_errors_are_neither_playlist_nor_page(sample, name):
    raw = sample(name)

    with pytest.raises(UnreadableInputError):
        playlist_head(raw, hash_user)
    with pytest.raises(UnreadableInputError):
        page(raw)


def test_no_user_of_the_captured_answers_gets_into_any_column(sample):
    rows = Rows()
    users = set()
    for name, list_key, _ in PLAYLIST_SAMPLES:
        raw = sample(name)
        users |= {raw["owner"]["id"], raw["owner"]["display_name"]}
        users |= {(entry["added_by"] or {}).get("id") for entry in raw[list_key]["items"]}
        head = playlist_head(raw, hash_user)
        add_playlist(rows, head, None, SEEN_AT)
        add_items(rows, head.playlist_id, head.snapshot_id, 0, head.first_page.entries, SEEN_AT, hash_user)

    stored = {
        value for found in Tables(rows).by_name.values() for row in found for value in row.values() if value
    }
    assert users - {None, ""}
    assert not (users & stored)
