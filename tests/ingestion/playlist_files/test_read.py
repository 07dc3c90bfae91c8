"""What holds for every kind: recognition by content, zips, user ids, accounting."""

import io
import json
import struct
import zipfile

import pytest

from ingestion.inputs import InputFile
from ingestion.playlist_files import read as reader
from tests.ingestion.playlist_files.files import (
    PLAIN_USER,
    USER,
    account_item,
    account_playlist,
    csv_row,
    csv_text,
    hash_user,
    mpd_playlist,
    mpd_slice,
    mpd_track,
)

SLICE = mpd_slice(mpd_playlist(1))
EXPORT = {"playlists": [account_playlist()]}
CSV = csv_text(csv_row(0))


def zipped(member, content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(member, content if isinstance(content, str) else json.dumps(content))
    return buffer.getvalue()


@pytest.mark.parametrize(
    "name", ["a.json", "a.csv", "a.zip", "mpd.slice.0-999.json", "Playlist1.json", "A.JSON"]
)
@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (SLICE, "mpd_slice"),
        ({"playlists": SLICE["playlists"]}, "mpd_slice"),
        (EXPORT, "account_export"),
        (CSV, "exportify_csv"),
        (zipped("x.csv", CSV), "exportify_csv"),
        (zipped("x.json", SLICE), "mpd_slice"),
        (zipped("y.json", EXPORT), "account_export"),
    ],
)
def test_the_kind_is_told_by_the_content_whatever_the_name(read, write, name, content, kind):
    write(name, content)

    result = read()

    assert result.files[0]["file_kind"] == kind
    assert len(result.playlists) == 1
    assert result.quarantined_inputs == []


def test_a_damaged_playlist_does_not_change_the_kind_of_its_file(read, write):
    write("slice.json", mpd_slice({"items": []}, mpd_playlist(1), mpd_playlist(2)))
    write("export.json", {"playlists": [{"tracks": 1}, account_playlist("A"), account_playlist("B")]})

    kinds = {row["file_path"]: row["file_kind"] for row in read().files}

    assert kinds == {"slice.json": "mpd_slice", "export.json": "account_export"}


def test_a_zip_of_csv_files_gives_a_playlist_each(read, write_zip):
    write_zip(
        "spotify_playlists.zip",
        {"liked.csv": CSV, "more/liked.csv": CSV, "notes.csv": "a,b\n", "readme.txt": "x"},
    )

    result = read()

    assert [row["playlist_id"] for row in result.playlists] == [
        "exportify:spotify_playlists/liked",
        "exportify:spotify_playlists/more/liked",
    ]
    assert [row["name"] for row in result.playlists] == ["liked", "liked"]
    assert result.reasons == {"notes.csv": "unknown_format"}


def test_a_zip_of_slices_is_read_slice_by_slice(read, write_zip):
    again = mpd_slice(mpd_playlist(1, tracks=1))
    members = {f"data/{n}.json": mpd_slice(mpd_playlist(n), None, slice=str(n)) for n in range(3)}
    write_zip("mpd.zip", members | {"data/3.json": again | {"info": {"slice": "1"}}, "data/4.json": "{"})

    result = read()

    assert [row["playlist_id"] for row in result.playlists] == ["mpd:0:0", "mpd:1:1", "mpd:2:2"]
    assert result.reasons == {
        **{f"data/{n}.json#playlists[1]": "invalid_playlist" for n in range(3)},
        "data/3.json": "duplicate_slice",
        "data/4.json": "truncated_json",
    }
    (file,) = result.files
    assert (file["record_count"], file["quarantined_count"]) == (3, 5)


def test_a_broken_zip_is_quarantined(read, write):
    whole = zipped("x.csv", CSV)
    write("cut.zip", whole[: len(whole) // 2])
    write("fine.csv", CSV)

    result = read()

    assert result.reasons == {"": "broken_zip"}
    assert len(result.playlists) == 1


def test_a_zip_with_a_damaged_member_gives_the_others(read, write, write_zip):
    path = write_zip("lists.zip", {"a.csv": CSV, "b.csv": CSV})
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as archive:
        data[archive.getinfo("b.csv").header_offset + 40] ^= 0xFF
    write("lists.zip", bytes(data))

    result = read()

    assert [row["name"] for row in result.playlists] == ["a"]
    assert result.reasons == {"b.csv": "broken_zip"}


def test_an_encrypted_zip_is_quarantined(read, write):
    data = bytearray(zipped("x.csv", CSV))
    for magic, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        struct.pack_into("<H", data, data.index(magic) + offset, 1)
    write("secret.zip", bytes(data))

    assert read().reasons == {"": "encrypted_zip"}


def test_what_unpacks_beyond_the_limit_is_refused(read, write, write_zip, monkeypatch):
    monkeypatch.setattr(reader, "MAX_CONTENT_BYTES", 10_000)
    write_zip("bomb.zip", {"big.csv": CSV + "\n" * 20_000, "small.csv": CSV})
    write("big.csv", CSV + "\n" * 20_000)

    result = read()

    assert {(row["file_path"], row["item"]): row["reason"] for row in result.quarantined_inputs} == {
        ("big.csv", ""): "too_large",
        ("bomb.zip", "big.csv"): "too_large",
    }
    assert len(result.playlists) == 1


def test_a_zip_in_a_zip_is_not_opened(read, write_zip):
    write_zip("outer.zip", {"inner.zip": zipped("x.csv", CSV)})

    assert read().reasons == {"inner.zip": "nested_zip"}


@pytest.mark.parametrize("members", [{}, {"a.txt": "x"}, {"Streaming_History_Audio_2024.json": []}])
def test_a_zip_without_playlists_is_unknown(read, write_zip, members):
    write_zip("other.zip", members)

    assert read().reasons == {"": "unknown_format"}


def test_a_file_that_cannot_be_opened_is_quarantined(tmp_path):
    gone = InputFile("gone.csv", 10, 0)

    rows = {table.name: batch.to_pylist() for table, batch in reader.read_unit(tmp_path, [gone], hash_user)}

    assert rows["quarantined_inputs"][0]["reason"] == "unreadable_file"
    assert str(tmp_path) not in rows["quarantined_inputs"][0]["detail"]


def test_no_plain_user_id_is_in_any_row(read, write, write_zip):
    link = f'<a href=\\"https://open.spotify.com/user/{USER}\\">me</a>'
    extra = {
        "addedBy": PLAIN_USER,
        "x": {"owner": {"id": PLAIN_USER}},
        "link": f"spotify:user:{USER}:playlist:1",
    }
    track = mpd_track(0, added_by=PLAIN_USER, **extra)
    slice_ = mpd_slice(mpd_playlist(1, [track], description=f"by spotify:user:{USER}"))
    write("slice.json", json.dumps(slice_).replace("/", "\\/"))
    write("linked.json", json.dumps(mpd_slice(mpd_playlist(1, description="LINK"))).replace("LINK", link))
    item = account_item()
    item["track"] |= extra
    export = {"playlists": [account_playlist("A", [item], collaborators=[PLAIN_USER])]}
    write("e/Playlist1.json", export)
    write("e/Userdata.json", {"username": PLAIN_USER})
    write_zip("e.zip", {"Playlist1.json": export, "Userdata.json": {"username": PLAIN_USER}})
    header = ["Track URI", "Track Name", "Hinzugefügt von", "Added By Name", "Owner", "Link", "Added By"]
    person = ["spotify:track:1", "T", f"spotify:user:{USER}", PLAIN_USER, PLAIN_USER]
    page = f"https://open.spotify.com/intl-de/user/{USER}?si=1"
    write("list.csv", csv_text([*person, page, PLAIN_USER], [*person, page], header=header))
    write("plain.csv", csv_text(csv_row(0, **{"Added By": PLAIN_USER})))

    result = read()

    assert len(result.playlists) == 5
    for table, rows in result.rows.items():
        printed = json.dumps(rows, default=str, ensure_ascii=False)
        for trace in ("jane", "_77", PLAIN_USER, USER):
            assert trace not in printed.replace(hash_user(PLAIN_USER), ""), table
    assert hash_user(PLAIN_USER) in json.dumps(result.rows["playlist_tracks"], default=str)


def test_one_user_has_one_hash_however_the_file_names_them(read, write):
    names = (PLAIN_USER, USER, f"spotify:user:{USER}", f"https://open.spotify.com/user/{USER}")
    write("list.csv", csv_text(*(csv_row(0, **{"Added By": name}) for name in names)))

    assert set(read().column("added_by_hash")) == {hash_user(PLAIN_USER)}


def test_a_reader_that_fails_on_a_file_quarantines_it_without_quoting_it(read, write, monkeypatch):
    def fail(*_):
        raise ValueError(PLAIN_USER)

    monkeypatch.setattr(reader, "read_slice", fail)
    write("slice.json", SLICE)
    write("list.csv", CSV)

    result = read()

    assert result.reasons == {"": "unexpected_content"}
    assert PLAIN_USER not in str(result.quarantined_inputs)
    assert len(result.playlists) == 1


def test_every_input_has_its_row_and_the_account_comes_last(read, write):
    write("a.csv", CSV)
    write("b.csv", "no playlist")
    write("c.json", SLICE)

    result = read()

    assert [row["file_path"] for row in result.files] == ["a.csv", "b.csv", "c.json"]
    assert [table for table, _ in result.batches][-2:] == ["files", "quarantined_inputs"]


def test_reading_twice_gives_the_same_rows(read, write, write_zip):
    write("slice.json", SLICE)
    write("list.csv", CSV)
    write_zip("e.zip", {"Playlist1.json": EXPORT, "bad.csv": "x"})

    assert read().rows == read().rows


def test_an_empty_unit_gives_an_empty_account(tmp_path):
    batches = list(reader.read_unit(tmp_path, [], hash_user))

    assert [(table.name, batch.num_rows) for table, batch in batches] == [("files", 0)]
