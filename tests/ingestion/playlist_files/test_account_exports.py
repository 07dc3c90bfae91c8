"""Account-data exports, zipped and unpacked."""

from datetime import UTC, date, datetime

import pytest

from tests.ingestion.playlist_files.files import (
    PLAIN_USER,
    WRITTEN_AT,
    account_item,
    account_playlist,
    hash_user,
)

ACCOUNT = hash_user(PLAIN_USER)[:16]
USERDATA = {"username": PLAIN_USER, "email": "jane@example.org", "country": "DE"}


def ids(result):
    return [row["playlist_id"] for row in result.playlists]


def test_an_unpacked_export_gives_its_playlists(read, write):
    write("export/Playlist1.json", {"playlists": [account_playlist("Road trip", 2, description="go")]})
    write("export/Userdata.json", USERDATA)

    result = read()

    assert result.playlist | {"snapshot_id": None} == {
        "playlist_id": f"account:{ACCOUNT}:Road trip",
        "snapshot_id": None,
        "name": "Road trip",
        "description": "go",
        "is_collaborative": False,
        "follower_count": 5,
        "edit_count": None,
        "declared_track_count": None,
        "item_count": 2,
        "modified_at": datetime(2024, 3, 4, tzinfo=UTC),
        "source_system": "account_export",
        "terms_of_use": "own_data",
    }
    item = result.playlist_tracks[1]
    assert {key: value for key, value in item.items() if value is not None} == {
        "playlist_id": f"account:{ACCOUNT}:Road trip",
        "snapshot_id": result.playlist["snapshot_id"],
        "position": 1,
        "item_type": "track",
        "track_uri": f"spotify:track:{1:022}",
        "track_name": "Track 1",
        "artist_name": "Artist 1",
        "album_name": "Album 1",
        "added_at": datetime(2024, 2, 3, tzinfo=UTC),
    }
    assert result.playlist_observations[0]["observed_at"] == WRITTEN_AT


def test_a_zipped_export_gives_the_same_playlists_and_other_dates(read, write, write_zip):
    playlists = {"playlists": [account_playlist()]}
    write("unpacked/Playlist1.json", playlists)
    write("unpacked/Userdata.json", USERDATA)
    folder = "Spotify Account Data"
    write_zip(
        "my_spotify_data.zip",
        {
            f"{folder}/Playlist1.json": playlists,
            f"{folder}/Userdata.json": USERDATA,
            f"{folder}/Follow.json": {"followingArtists": []},
            f"{folder}/Read_Me_First.pdf": b"%PDF",
            f"__MACOSX/{folder}/._Playlist1.json": b"\x00\x05\x16\x07",
        },
    )

    result = read()

    assert len(result.playlists) == 1
    assert len(result.playlist_tracks) == 1
    assert {row["file_path"]: row["observed_on"] for row in result.playlist_observations} == {
        "my_spotify_data.zip": date(2023, 1, 2),
        "unpacked/Playlist1.json": date(2024, 5, 6),
    }
    kinds = {row["file_path"]: (row["file_kind"], row["record_count"]) for row in result.files}
    assert kinds == {
        "my_spotify_data.zip": ("account_export", 1),
        "unpacked/Playlist1.json": ("account_export", 1),
        "unpacked/Userdata.json": ("other", 0),
    }
    assert result.quarantined_inputs == []


def test_without_a_username_the_place_stands_for_the_account(read, write, write_zip):
    playlists = {"playlists": [account_playlist("A")]}
    write("Playlist1.json", playlists)
    write("old/export/Playlist1.json", playlists)
    write("broken/Playlist1.json", playlists)
    write("broken/Userdata.json", "{")
    write_zip("zips/mine.zip", {"Spotify Account Data/Playlist1.json": playlists})

    result = read()

    assert set(ids(result)) == {
        "account:.:A", "account:old/export:A", "account:broken:A", "account:zips/mine:A",
    }  # fmt: skip
    assert {row["file_path"]: row["reason"] for row in result.quarantined_inputs} == {
        "broken/Userdata.json": "truncated_json"
    }


def test_playlists_of_one_name_are_numbered_over_the_files_of_an_export(read, write, write_zip):
    files = {
        "Playlist1.json": {
            "playlists": [account_playlist("A"), account_playlist("A"), account_playlist("B")]
        },
        "Playlist2.json": {"playlists": [None, {"name": "A"}, account_playlist("A")]},
        "Playlist10.json": {"playlists": [account_playlist("B"), account_playlist("A")]},
    }
    for name, content in files.items():
        write(f"folder/{name}", content)
    write_zip("zip.zip", {f"x/{name}": content for name, content in reversed(files.items())})

    for place, paths in {
        "folder": [f"folder/{name}" for name in files],
        "zip": ["zip.zip"],
    }.items():
        result = read(*paths)
        expected = ["A", "A:2", "B", "A:3", "B:2", "A:4"]
        assert sorted(ids(result)) == sorted(f"account:{place}:{name}" for name in expected)
        assert len(result.quarantined_inputs) == 2


def test_the_numbers_do_not_depend_on_how_files_fall_into_units(read, write):
    for number in range(1, 4):
        write(f"folder/Playlist{number}.json", {"playlists": [account_playlist("A", number)]})

    together = read()
    apart = [read(f"folder/Playlist{number}.json") for number in range(1, 4)]

    assert sorted(ids(together)) == sorted(id_ for result in apart for id_ in ids(result))
    assert ids(apart[2]) == ["account:folder:A:3"]


def test_a_name_that_looks_like_a_number_of_another_is_quarantined(read, write):
    names = ("A", "A:2", "A")
    write("folder/Playlist1.json", {"playlists": [account_playlist(name) for name in names]})

    assert read().reasons == {"playlists[2]": "duplicate_playlist"}


@pytest.mark.parametrize(
    ("item", "kind", "uri", "name"),
    [
        (account_item(1), "track", f"spotify:track:{1:022}", "Track 1"),
        (
            account_item(track={"trackName": "T", "artistName": "A", "albumName": "B"}),  # exports of 2020
            "track", None, "T",
        ),
        (account_item(track=None), "unavailable", None, None),
        (account_item(track={}), "unavailable", None, None),
        ({}, "unavailable", None, None),
        (None, "unavailable", None, None),
        ("text", "unavailable", None, None),
        (
            account_item(
                track=None, episode={"episodeName": "E", "showName": "S", "episodeUri": "spotify:episode:x"}
            ),
            "episode", "spotify:episode:x", "E",
        ),
        (
            account_item(track=None, localTrack={"uri": "spotify:local:Daft+Punk:Discovery:One+More%21:320"}),
            "local", "spotify:local:Daft+Punk:Discovery:One+More%21:320", "One More!",
        ),
        (
            account_item(track=None, localTrack={"trackName": "T", "artistName": "A"}),
            "local", None, "T",
        ),
        (
            account_item(track=None, audiobook={"audiobookName": "N", "audiobookUri": "spotify:show:x"}),
            "episode", "spotify:show:x", "N",
        ),
        ({"trackName": "T", "artistName": "A", "albumName": "B"}, "track", None, "T"),
    ],
)  # fmt: skip
def test_an_item_is_what_it_holds(read, write, item, kind, uri, name):
    items = [account_item(7), item, account_item(8)]
    write("e/Playlist1.json", {"playlists": [account_playlist("A", items)]})

    result = read()

    assert result.column("position") == [0, 1, 2]
    row = result.playlist_tracks[1]
    assert (row["item_type"], row["track_uri"], row["track_name"]) == (kind, uri, name)


def test_a_local_file_is_taken_apart(read, write):
    item = account_item(track=None, localTrack={"uri": "spotify:local:Daft+Punk:Discovery:One+More:320"})
    write("e/Playlist1.json", {"playlists": [account_playlist("A", [item])]})

    (row,) = read().playlist_tracks

    assert (row["artist_name"], row["album_name"], row["duration_ms"]) == ("Daft Punk", "Discovery", 320_000)


def test_a_playlist_with_collaborators_is_collaborative_and_does_not_name_them(read, write):
    write("e/Playlist1.json", {"playlists": [account_playlist(collaborators=["a_friend"])]})

    result = read()

    assert result.playlist["is_collaborative"] is True
    assert "a_friend" not in str(result.rows)


def test_older_exports_call_their_items_tracks(read, write):
    old = {
        "name": "A", "lastModifiedDate": "2019-01-02", "description": None, "numberOfFollowers": 0,
        "tracks": [{"trackName": "T", "artistName": "X", "albumName": "Y"}],
    }  # fmt: skip
    write("e/Playlist.json", {"playlists": [old]})

    result = read()

    assert result.playlist["source_system"] == "account_export"
    assert result.column("artist_name") == ["X"]


def test_an_account_without_playlists_exports_none(read, write):
    write("e/Playlist1.json", {"playlists": []})

    result = read()

    assert result.files[0]["file_kind"] == "account_export"
    assert result.quarantined_inputs == []


def test_other_files_of_an_export_are_passed_over_and_listed(read, write):
    write("e/Playlist1.json", {"playlists": [account_playlist()]})
    others = {
        "Follow.json": {}, "Userdata.json": USERDATA, "Identity.json": {"displayName": "Jane"},
        "StreamingHistory_music_0.json": [{"endTime": "2024-01-01 10:00", "trackName": "T"}],
        "YourLibrary.json": {"tracks": [], "playlists": {}},
    }  # fmt: skip
    for name, content in others.items():
        write(f"e/{name}", content)

    result = read()

    assert result.quarantined_inputs == []
    other = [row for row in result.files if row["file_kind"] == "other"]
    assert {row["file_path"] for row in other} == {f"e/{name}" for name in others}
    assert all(row["record_count"] == 0 for row in other)


def test_the_same_file_without_an_export_beside_it_is_unknown(read, write):
    write("e/Follow.json", {"followingArtists": []})
    write("f/Playlist1.json", {"playlists": [account_playlist()]})

    assert [row["file_path"] for row in read().quarantined_inputs] == ["e/Follow.json"]


def test_two_exports_of_one_account_are_two_states_of_its_playlists(read, write):
    for year, count in (("2023", 1), ("2024", 2)):
        write(f"{year}/Playlist1.json", {"playlists": [account_playlist("A", count)]})
        write(f"{year}/Userdata.json", USERDATA)

    result = read()

    assert len(set(ids(result))) == 1
    assert len({row["snapshot_id"] for row in result.playlists}) == 2


def test_an_unchanged_playlist_in_a_later_export_is_the_same_state(read, write):
    for year in ("2023", "2024"):
        write(f"{year}/Playlist1.json", {"playlists": [account_playlist("A")]})
        write(f"{year}/Userdata.json", USERDATA)

    result = read()

    assert len(result.playlists) == 1
    assert len(result.playlist_observations) == 2
