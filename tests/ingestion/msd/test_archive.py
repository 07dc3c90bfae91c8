"""Archives of song files: read as a stream, to the same rows as the files in a folder; cut ones named."""

import gzip
import os
import shutil
import struct
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.config import load_settings
from ingestion.errors import BadInputError, SourceError
from ingestion.extract import extract, require_few_bad_files
from ingestion.lake import Lake
from ingestion.msd import MSD, archive
from ingestion.source import FileSource
from tests.support.archives import write_archive
from tests.support.fragile_source import FRAGILE_ARCHIVE
from tests.support.msd_files import make_song, write_song, write_song_files, write_songs

SONGS = 12


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """A folder of song files, with a summary among them."""
    folder = tmp_path_factory.mktemp("songs")
    write_song_files(folder, range(SONGS))
    write_songs(folder / "summary.h5", [make_song(3), make_song(100)], with_arrays=False)
    return folder


def rows_of(path: Path) -> dict[str, list]:
    """All rows by table, but where the files lie and when they were made."""
    found = {}
    for table, batch in MSD.read(path, hash_user=str):
        found.setdefault(table.name, []).extend(batch.to_pylist())
    for rows in found.values():
        for row in rows:
            row.pop("source_root", None)
            row.pop("modified_at", None)
        rows.sort(key=str)
    return found


def settings(tmp_path, name="data"):
    return load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path / name), "MSD_PATH": str(tmp_path)})


def lake_rows(where, table: str) -> list[dict]:
    """The rows of a table in all finished units."""
    lake = Lake(where.lake_url)
    return [
        row
        for record in lake.done_records("msd")
        for part in record.parts
        if part.table == table
        for batch in lake.read_part(part)
        for row in batch.to_pylist()
    ]


def track_ids(where) -> list[str]:
    return sorted(row["track_id"] for row in lake_rows(where, "songs") if not row["is_summary"])


ALL = [make_song(number).track_id for number in range(SONGS)]


@pytest.mark.parametrize("name", ["songs.tar.gz", "songs.tgz", "songs.tar", "SONGS.TAR.GZ"])
@pytest.mark.parametrize("format_", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_an_archive_gives_the_rows_of_its_files(name, format_, folder, tmp_path):
    made = write_archive(tmp_path / name, folder, format=format_)
    assert rows_of(made) == rows_of(folder)


@pytest.mark.parametrize("inflate", ["isal", "zlib"])
def test_either_inflate_gives_the_same(inflate, folder, tmp_path, monkeypatch):
    if inflate == "isal":
        pytest.importorskip("isal", reason="isal is not installed: zlib inflates")
    else:
        monkeypatch.setattr(archive, "gzip_zlib", archive.zlib)
    assert rows_of(write_archive(tmp_path / "songs.tar.gz", folder)) == rows_of(folder)


@pytest.mark.parametrize("inside", ["./", "/", "MillionSongSubset/" + "long/" * 60, "Größe/"])
def test_paths_are_those_inside_the_archive(inside, folder, tmp_path):
    made = write_archive(tmp_path / "songs.tar.gz", folder, inside=inside, format=tarfile.PAX_FORMAT)
    (files, *_) = [batch for table, batch in MSD.read(made, str) if table.name == "files"]
    prefix = inside.removeprefix("./").lstrip("/")
    names = {f"{prefix}{path.relative_to(folder)}" for path in folder.rglob("*.h5")}
    assert set(files["file_path"].to_pylist()) == names
    assert set(files["source_root"].to_pylist()) == {str(made)}


def test_members_come_whole_however_little_is_inflated_at_a_time(folder, tmp_path, monkeypatch):
    made = write_archive(tmp_path / "songs.tar.gz", folder)
    monkeypatch.setattr(archive, "READ_BYTES", 1000)
    monkeypatch.setattr(archive, "INFLATED_BYTES", 777)
    assert rows_of(made) == rows_of(folder)


def test_a_large_member_goes_through_a_file_and_is_read_all_the_same(folder, tmp_path, monkeypatch):
    made = write_archive(tmp_path / "songs.tar.gz", folder)
    monkeypatch.setattr(archive, "HELD_BYTES", 1)
    assert rows_of(made) == rows_of(folder)


def test_hidden_files_are_passed_over_and_others_counted_and_named(tmp_path, caplog):
    folder = tmp_path / "songs"
    write_song_files(folder, range(2))
    (folder / "._TRAAA.h5").write_bytes(b"resource fork")
    (folder / ".hidden").mkdir()
    (folder / ".hidden/a.h5").write_bytes(b"hidden")
    (folder / "unique_tracks.txt").write_text("text")
    (folder / "link.h5").symlink_to("nowhere.h5")
    where = settings(tmp_path)
    with caplog.at_level("INFO"):
        result = extract(where, MSD, write_archive(tmp_path / "songs.tar.gz", folder))
    assert (result.files, result.quarantined) == (2, 0)
    assert "songs.tar.gz: 4 other files passed over, such as ._TRAAA.h5, .hidden/a.h5, link.h5" in caplog.text


@pytest.mark.parametrize("inside", ["./", "good/./", "././A/", "//", "home/me/.data/msd/", ".data/"])
def test_a_dot_in_the_path_to_the_songs_costs_none(inside, folder, tmp_path):
    made = write_archive(tmp_path / "songs.tar.gz", folder, inside=inside)
    prefix = "".join(f"{name}/" for name in inside.split("/") if name not in ("", "."))
    rows = rows_of(made)
    expected = {f"{prefix}{path.relative_to(folder)}" for path in folder.rglob("*.h5")}
    assert {row["file_path"] for row in rows["files"]} == expected
    assert len(rows["songs"]) == len(rows_of(folder)["songs"])


@pytest.mark.parametrize("shard", [(1, 1), (1, 2), (2, 2)])
def test_an_archive_without_a_song_is_an_error_each_time(shard, tmp_path):
    folder = tmp_path / "none"
    folder.mkdir()
    (folder / "unique_tracks.txt").write_text("text")
    made = write_archive(tmp_path / "none.tar.gz", folder)
    for _ in range(2):
        with pytest.raises(SourceError, match=r"no \.h5 or \.hdf5 file in .*none\.tar\.gz"):
            extract(settings(tmp_path), MSD, made, shard)


def test_a_share_that_falls_to_another_extractor_is_no_empty_archive(tmp_path, folder):
    made = write_archive(tmp_path / "songs.tar.gz", folder)
    results = [extract(settings(tmp_path), MSD, made, (index, 3)) for index in (1, 2, 3)]
    assert sorted(result.files for result in results) == [0, 0, SONGS + 1]


def test_gzip_streams_that_follow_each_other_are_one(folder, tmp_path):
    plain = write_archive(tmp_path / "songs.tar", folder).read_bytes()
    made = tmp_path / "songs.tar.gz"
    made.write_bytes(gzip.compress(plain[:100_000]) + gzip.compress(plain[100_000:]) + bytes(512))
    assert rows_of(made) == rows_of(folder)


def test_units_are_runs_of_members_and_each_is_done_once(tmp_path, folder):
    made = write_archive(tmp_path / "songs.tar.gz", folder)
    source = _small_units()
    where = settings(tmp_path)
    when = made.stat()
    result = extract(where, source, made)
    assert (result.files, result.units_extracted, result.units_done_before) == (SONGS + 1, 4 + 1, 0)
    assert track_ids(where) == ALL
    assert result.rows["songs"] == SONGS + 2
    (row,) = [row for row in lake_rows(where, "files") if row["file_kind"] == "archive"]
    assert (row["file_path"], row["source_root"]) == ("songs.tar.gz", str(tmp_path))
    assert (row["record_count"], row["quarantined_count"]) == (SONGS + 1, 0)

    made.write_bytes(bytes(made.stat().st_size))
    os.utime(made, ns=(when.st_atime_ns, when.st_mtime_ns))  # what is known to be done is not read
    again = extract(where, source, made)
    assert (again.files, again.units_extracted, again.units_done_before) == (SONGS + 1, 0, 5)


def test_an_interrupted_extraction_goes_on_where_it_was(tmp_path, folder):
    made = write_archive(tmp_path / "songs.tar.gz", folder)
    source = _small_units()
    where = settings(tmp_path)
    extract(where, source, made)
    done = sorted(Path(where.lake_url, "msd/done").iterdir())
    for record in done[:2]:
        record.unlink()
    again = extract(where, source, made)
    assert (again.files, again.units_extracted, again.units_done_before) == (SONGS + 1, 2, 3)
    assert track_ids(where) == ALL


@pytest.mark.parametrize("count", [2, 7])
def test_shards_are_disjoint_and_complete(count, tmp_path, folder):
    made = write_archive(tmp_path / "songs.tar.gz", folder)
    where = settings(tmp_path)
    results = [extract(where, _small_units(), made, (index, count)) for index in range(1, count + 1)]
    assert sum(result.files for result in results) == SONGS + 1
    assert sum(result.units_extracted for result in results) == 5
    assert not any(result.units_done_before for result in results)
    assert track_ids(where) == ALL
    again = [extract(where, _small_units(), made, (index, count)) for index in range(1, count + 1)]
    assert sum(result.units_done_before for result in again) == 5


def test_an_archive_that_changes_is_read_anew(tmp_path, folder):
    made = write_archive(tmp_path / "songs.tar.gz", folder)
    where = settings(tmp_path)
    extract(where, MSD, made)
    os.utime(made, ns=(1, 1))
    assert extract(where, MSD, made).units_extracted == 2


@pytest.mark.parametrize("name", ["songs.tar.gz", "songs.tar"])
@pytest.mark.parametrize("share", [0.5, 0.8])
def test_of_a_truncated_archive_what_came_is_kept_and_the_archive_quarantined(
    name, share, tmp_path, folder, caplog
):
    made = write_archive(tmp_path / name, folder)
    content = made.read_bytes()
    made.write_bytes(content[: int(len(content) * share)])
    where = settings(tmp_path)
    result = extract(where, _small_units(), made)
    came = track_ids(where)
    assert 0 < len(came) < SONGS
    assert came == ALL[: len(came)]
    quarantined = {row["file_path"]: row for row in lake_rows(where, "quarantined_inputs")}
    assert quarantined[name]["reason"] == "truncated_archive"
    assert quarantined[name]["source_root"] == str(tmp_path)
    others = set(quarantined) - {name}
    assert all(quarantined[path]["reason"] == "truncated_archive" for path in others)
    assert len(others) <= 1
    assert f"quarantined {name}: truncated_archive" in caplog.text
    for found in (result, extract(where, _small_units(), made)):
        assert found.bad_files == len(others)
        (problem,) = found.bad_archives
        assert problem.startswith(f"{made}: truncated_archive: ")
        with pytest.raises(BadInputError, match=r"^msd: .*: truncated_archive: .* is in the lake$"):
            require_few_bad_files(replace(where, msd_max_bad_share=1), found)


def test_an_archive_cut_at_the_end_of_a_member_is_seen_to_be_cut(tmp_path, folder):
    made = write_archive(tmp_path / "songs.tar", folder)
    with tarfile.open(made) as opened:
        ends = [member.offset for member in opened if member.isfile()]
    with made.open("r+b") as file:
        file.truncate(ends[5])
    where = settings(tmp_path)
    assert extract(where, MSD, made).quarantined == 1
    assert [row["reason"] for row in lake_rows(where, "quarantined_inputs")] == ["truncated_archive"]


def test_an_archive_whose_bytes_were_changed_is_quarantined_and_what_came_before_kept(tmp_path, folder):
    made = write_archive(tmp_path / "songs.tar.gz", folder)
    content = bytearray(made.read_bytes())
    middle = len(content) * 2 // 3
    content[middle : middle + 200] = bytes(200)
    made.write_bytes(content)
    where = settings(tmp_path)
    extract(where, MSD, made)
    reasons = {row["file_path"]: row["reason"] for row in lake_rows(where, "quarantined_inputs")}
    assert reasons["songs.tar.gz"] == "corrupt_archive"
    assert set(track_ids(where)) < set(ALL)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", gzip.compress(b"no tar", mtime=0)])
def test_what_is_no_archive_is_quarantined_as_that(content, tmp_path):
    made = tmp_path / "songs.tar.gz"
    made.write_bytes(content)
    where = settings(tmp_path)
    result = extract(where, MSD, made)
    assert (result.files, result.bad_files) == (0, 0)
    with pytest.raises(BadInputError, match=r"not_an_archive: (?!.*MSD_MAX_BAD_SHARE)"):
        require_few_bad_files(where, result)
    assert [row["reason"] for row in lake_rows(where, "quarantined_inputs")] == ["not_an_archive"]


def header(name: bytes, type_: bytes = b"0", *, size: int = 0, seconds: int = 0) -> bytes:
    """A header with any numbers, as GNU tar writes those that are no 11 octal digits, and its checksum."""
    block = bytearray(512)
    block[: len(name)] = name
    block[100:124] = b"0000644\x00" + 2 * b"0000000\x00"
    block[124:148] = b"".join(
        (b"\xff" if number < 0 else b"\x80").ljust(4, b"\xff" if number < 0 else b"\0")
        + struct.pack(">q", number)
        for number in (size, seconds)
    )
    block[148:157] = b" " * 8 + type_
    block[257:265] = b"ustar\x0000"
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    "damaged",
    [
        header(b"a.h5", size=-1024),
        header(b"a.txt", size=-1024),
        header(b"././@LongLink", b"L", size=2**40),
        header(b"././@LongLink", b"L", size=-512),
    ],
    ids=["song", "other file", "long name", "negative long name"],
)
def test_a_header_with_an_impossible_size_ends_the_reading(damaged, folder, tmp_path):
    made = write_archive(tmp_path / "songs.tar", folder)
    with tarfile.open(made) as opened:
        last = opened.getmembers()[-1]
    end = last.offset_data + 512 * -(-last.size // 512)
    made.write_bytes(made.read_bytes()[:end] + damaged + bytes(2048))
    where = settings(tmp_path)
    extract(where, MSD, made)
    assert track_ids(where) == ALL
    (row,) = lake_rows(where, "quarantined_inputs")
    assert row["reason"] == "corrupt_archive"
    assert "checksum" not in row["detail"]


@pytest.mark.parametrize("seconds", [-(2**40), 2**60])
def test_a_time_that_is_no_date_costs_no_song(seconds, tmp_path):
    content = write_song(tmp_path, make_song(1)).read_bytes()
    made = tmp_path / "songs.tar"
    padding = bytes(-len(content) % 512 + 1024)
    made.write_bytes(header(b"a.h5", size=len(content), seconds=seconds) + content + padding)
    where = settings(tmp_path)
    assert extract(where, MSD, made).quarantined == 0
    assert track_ids(where) == [make_song(1).track_id]


def test_a_folder_of_archives_is_read_archive_by_archive_and_its_own_files_too(tmp_path, folder):
    place = tmp_path / "letters"
    for number, (letter, inside) in enumerate([("A", "songs-A/"), ("B", "songs-B/")]):
        write_song_files(tmp_path / letter, range(20 + 5 * number, 25 + 5 * number))
        (place / letter).mkdir(parents=True)
        write_archive(place / letter / "songs.tar.gz", tmp_path / letter, inside=inside)
    shutil.copytree(folder, place / "files")
    rows = rows_of(place)
    assert {row["track_id"] for row in rows["songs"]} == {
        *ALL,
        *(make_song(n).track_id for n in (*range(20, 30), 100)),
    }
    where = settings(tmp_path)
    result = extract(where, _small_units(), place)
    assert (result.files, result.archives) == (SONGS + 1 + 10, 2)
    assert {row["source_root"] for row in lake_rows(where, "files")} == {
        str(place),
        *(f"{place}/{letter}" for letter in "AB"),
        *(f"{place}/{letter}/songs.tar.gz" for letter in "AB"),
    }
    again = extract(where, _small_units(), place)
    assert (again.files, again.units_extracted) == (result.files, 0)
    assert again.units_done_before == result.units_extracted


def test_a_folder_with_nothing_but_archives_is_no_empty_folder(tmp_path, folder):
    (tmp_path / "archives").mkdir()
    write_archive(tmp_path / "archives/A.tar.gz", folder)
    shards = [extract(settings(tmp_path), _small_units(), tmp_path / "archives", (n, 2)) for n in (1, 2)]
    assert sum(result.files for result in shards) == SONGS + 1
    assert track_ids(settings(tmp_path)) == ALL


def test_an_archive_without_songs_beside_others_is_named_and_no_error(tmp_path, folder, caplog):
    (tmp_path / "code").mkdir()
    (tmp_path / "code/read.py").write_text("")
    (tmp_path / "archives").mkdir()
    write_archive(tmp_path / "archives/code.tgz", tmp_path / "code")
    write_archive(tmp_path / "archives/songs.tgz", folder)
    assert extract(settings(tmp_path), MSD, tmp_path / "archives").files == SONGS + 1
    assert f"no .h5 or .hdf5 file in {tmp_path}/archives/code.tgz" in caplog.text


def test_a_list_may_name_archives(tmp_path, folder):
    made = write_archive(tmp_path / "songs.tar.gz", folder)
    (tmp_path / "songs.zip").write_bytes(b"anything")
    (tmp_path / "list").write_text("songs.tar.gz\ngone.tar.gz\nsongs.zip\n")
    rows = rows_of(f"@{tmp_path / 'list'}")
    assert rows["songs"] == rows_of(made)["songs"]
    assert [(row["file_path"], row["reason"]) for row in rows["quarantined_inputs"]] == [
        ("gone.tar.gz", "missing_file"),
        ("songs.zip", "unread_archive"),
    ]


def test_archives_inside_an_archive_are_named(tmp_path, folder, caplog):
    inner = tmp_path / "inner"
    inner.mkdir()
    write_archive(inner / "A.tar", folder)
    made = write_archive(tmp_path / "outer.tar", inner)
    with pytest.raises(SourceError, match=r"outer\.tar"):
        extract(settings(tmp_path), MSD, made)
    assert f"{made} holds archives, which are not looked into (A.tar)" in caplog.text


@pytest.mark.parametrize("name", ["songs.tar.bz2", "songs.zip"])
def test_an_archive_of_a_kind_that_is_not_read_is_said_to_be_that(name, tmp_path, folder, caplog):
    (tmp_path / "archives").mkdir()
    made = tmp_path / "archives" / name
    made.write_bytes(b"anything")
    with pytest.raises(SourceError, match=rf"{name} is no kind of archive that is read"):
        extract(settings(tmp_path), MSD, made)
    with pytest.raises(FileNotFoundError, match=rf"no kind of archive that is read: {name}"):
        extract(settings(tmp_path), MSD, made.parent)
    shutil.copytree(folder, made.parent / "files")
    assert extract(settings(tmp_path), MSD, made.parent).files == SONGS + 1
    assert f"{made} is no kind of archive that is read" in caplog.text


def test_an_archive_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"gone\.tar\.gz"):
        extract(settings(tmp_path), MSD, tmp_path / "gone.tar.gz")


def test_a_bad_member_is_quarantined_alone(tmp_path):
    folder = tmp_path / "songs"
    write_song_files(folder, range(3))
    (folder / "bad.h5").write_bytes(b"no HDF5")
    (folder / "empty.h5").touch()
    cut = write_song(folder, make_song(50))
    cut.write_bytes(cut.read_bytes()[:-5000])
    assert rows_of(write_archive(tmp_path / "songs.tar.gz", folder)) == rows_of(folder)


def test_genuine_samples_are_the_same_through_an_archive(genuine_samples, tmp_path):
    made = write_archive(tmp_path / "songs.tar.gz", genuine_samples / "msd")
    assert len(rows_of(made)["songs"]) > 1
    assert rows_of(made) == rows_of(genuine_samples / "msd")


def test_a_member_that_crashes_the_reader_is_quarantined_and_the_others_are_read(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    words = ["one", "two", "abort", "three", "four", "abort", "five"]
    for number, word in enumerate(words):
        (folder / f"{number}.h5").write_text(word)
    made = write_archive(tmp_path / "words.tar.gz", folder)
    where = settings(tmp_path)
    result = extract(where, FRAGILE_ARCHIVE, made)
    assert (result.files, result.quarantined, result.rows["words"]) == (7, 2, 5)
    assert result.units_extracted == 4
    assert extract(where, FRAGILE_ARCHIVE, made).units_done_before == 4


def _small_units() -> FileSource:
    return replace(MSD, files_per_unit=4)
