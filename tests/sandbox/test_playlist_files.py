"""The playlist files: each parses as its format and holds exactly the day's items."""

import csv
import datetime
import io
import json
import zipfile

import pytest

from sandbox import write_playlist_files
from sandbox.playlist_files import ACCOUNT_ZIP, EXPORTIFY_VERSIONS, file_name


@pytest.fixture(scope="module", params=[0, 5, -1], ids=["first day", "sixth day", "last day"])
def day(request, world):
    return world.days[request.param]


@pytest.fixture(scope="module")
def folder(world, day, tmp_path_factory):
    folder = tmp_path_factory.mktemp("playlist_files")
    write_playlist_files(world, folder, day)
    return folder


def of_kind(world, day, kind):
    return [playlist for playlist in world.playlists_on(day) if playlist.file_kind == kind]


def read_slices(folder):
    return [json.loads(path.read_text("utf-8")) for path in sorted(folder.glob("mpd.slice.*.json"))]


def read_account(folder):
    with zipfile.ZipFile(folder / ACCOUNT_ZIP) as archive:
        return {
            name.removeprefix("Spotify Account Data/"): json.loads(archive.read(name))
            for name in archive.namelist()
        }


def test_slices_hold_exactly_the_days_playlists(world, day, folder):
    slices = read_slices(folder)
    assert [slice_["info"]["slice"] for slice_ in slices] == ["0-99", "100-199"]
    entries = {entry["pid"]: entry for slice_ in slices for entry in slice_["playlists"]}
    expected = of_kind(world, day, "mpd")
    assert entries.keys() == {playlist.file_number for playlist in expected}
    for playlist in expected:
        entry, version = entries[playlist.file_number], playlist.versions[day]
        assert entry["name"] == version.name
        assert entry.get("description", "") == version.description
        assert entry["collaborative"] == ("true" if playlist.is_collaborative else "false")
        assert entry["num_tracks"] == len(entry["tracks"]) == len(version.items)
        assert [track["pos"] for track in entry["tracks"]] == list(range(len(version.items)))
        assert [track["track_uri"] for track in entry["tracks"]] == [item.uri for item in version.items]
        for track in entry["tracks"]:
            truth = world.thing(track["track_uri"])
            assert (track["track_name"], track["duration_ms"]) == (truth.name, truth.duration_ms)


def test_exports_hold_exactly_the_days_playlists(world, day, folder):
    expected = of_kind(world, day, "exportify")
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*.csv")}
    assert found.keys() == {file_name(playlist, day) for playlist in expected}
    headers = set()
    for playlist in expected:
        raw = found[file_name(playlist, day)].read_bytes()
        reader = csv.DictReader(io.StringIO(raw.decode("utf-8-sig"), newline=""))
        rows, items = list(reader), playlist.versions[day].items
        headers.add((tuple(reader.fieldnames), raw.startswith("\ufeff".encode())))
        assert [row.get("Track URI", row.get("Spotify URI")) for row in rows] == [item.uri for item in items]
        for row, item in zip(rows, items, strict=True):
            added_at = item.added_at.strftime("%Y-%m-%dT%H:%M:%SZ") if item.added_at else ""
            assert row["Added At"] == added_at
            assert row["Added By"].removeprefix("spotify:user:") == (item.added_by or "")
            assert row["Track Name"] == world.thing(item.uri).name
            if item.kind == "track" and "ISRC" in row:
                assert row["ISRC"] == (world.thing(item.uri).isrc or "")
    assert headers == {(header, encoding == "utf-8-sig") for header, _, encoding in EXPORTIFY_VERSIONS}


def test_the_account_export_holds_exactly_the_days_playlists(world, day, folder):
    files = read_account(folder)
    assert files.keys() == {"Playlist1.json", "Playlist2.json", "Userdata.json", "Follow.json"}
    assert files["Userdata.json"]["username"] == world.account.user_id
    entries = {
        entry["name"]: entry
        for name in ("Playlist1.json", "Playlist2.json")
        for entry in files[name]["playlists"]
    }
    expected = of_kind(world, day, "account")
    assert entries.keys() == {playlist.versions[day].name for playlist in expected}
    for playlist in expected:
        items = playlist.versions[day].items
        entry = entries[playlist.versions[day].name]
        assert [shown_as(item) for item in entry["items"]] == [
            (item.kind, item.uri, str(item.added_at.date()) if item.added_at else None) for item in items
        ]


def shown_as(item):
    """Kind, uri and date of an item in the account export."""
    if item["track"]:
        return "track", item["track"]["trackUri"], item["addedDate"]
    if item["episode"]:
        return "episode", item["episode"]["episodeUri"], item["addedDate"]
    if item["localTrack"]:
        return "local", item["localTrack"]["uri"], item["addedDate"]
    return "unavailable", None, item["addedDate"]


def test_files_carry_the_days_date_and_not_the_clocks(day, folder):
    for path in folder.rglob("*"):
        if path.is_file():
            modified_at = datetime.datetime.fromtimestamp(path.stat().st_mtime, datetime.UTC)
            assert modified_at.date() == day
    with zipfile.ZipFile(folder / ACCOUNT_ZIP) as archive:
        assert {entry.date_time[:3] for entry in archive.infolist()} == {(day.year, day.month, day.day)}


def test_the_last_day_has_200_60_and_40_playlists(world):
    kinds = [len(of_kind(world, world.days[-1], kind)) for kind in ("mpd", "exportify", "account")]
    assert kinds == [200, 60, 40]


def test_a_day_outside_the_world_is_refused(world, tmp_path):
    with pytest.raises(ValueError, match="not one of the world's days"):
        write_playlist_files(world, tmp_path, datetime.date(1999, 1, 1))
