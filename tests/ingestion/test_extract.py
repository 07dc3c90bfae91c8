"""Extraction: every file once in the lake, however often it is run and among however many."""

import errno
import logging
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from loky import cpu_count

from ingestion.config import IN_USE_LINK, Settings, load_settings
from ingestion.errors import ConfigError, ReaderCrashError
from ingestion.extract import extract
from ingestion.lake import Lake, unit_id
from ingestion.msd import MSD
from ingestion.playlist_files import PLAYLIST_FILES
from ingestion.units import IN_FLIGHT, SHOWN_QUARANTINED, Unit, write_units
from tests.support.fragile_source import FRAGILE
from tests.support.msd_files import make_song, write_large_files, write_song, write_song_files

FILES = 6


@pytest.fixture
def msd_path(tmp_path) -> Path:
    """Files that make a unit each, of two songs."""
    folder = tmp_path / "songs"
    write_large_files(folder, FILES, songs_per_file=2)
    return folder


def settings(tmp_path, msd_path, name="data") -> Settings:
    return load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path / name), "MSD_PATH": str(msd_path)})


def songs_in(lake_settings) -> list[str]:
    """The track ids of all songs in all finished units, sorted."""
    lake = Lake(lake_settings.lake_url)
    records = [lake.done_record("msd", id_) for id_ in lake.done_unit_ids("msd")]
    parts = [part for record in records for part in record.parts if part.table == "songs"]
    return sorted(id_ for p in parts for batch in lake.read_part(p) for id_ in batch["track_id"].to_pylist())


ALL_SONGS = [make_song(number).track_id for number in range(2 * FILES)]


def test_every_file_goes_into_the_lake_and_is_counted(tmp_path, msd_path):
    where = settings(tmp_path, msd_path)
    result = extract(where, MSD, msd_path)
    assert (result.source, result.files, result.units_extracted) == ("msd", FILES, FILES)
    assert (result.units_done_before, result.quarantined) == (0, 0)
    assert result.rows["songs"] == 2 * FILES
    assert result.rows["files"] == FILES
    assert songs_in(where) == ALL_SONGS
    assert (where.data_dir / IN_USE_LINK).resolve() == where.home


def test_a_path_without_songs_is_not_remembered_as_real_data(tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(FileNotFoundError):
        extract(settings(tmp_path / "data", empty), MSD, empty)
    assert load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path / "data")}).is_sandbox


def test_a_done_record_names_its_inputs_and_the_code(tmp_path, msd_path):
    where = settings(tmp_path, msd_path)
    extract(where, MSD, msd_path)
    lake = Lake(where.lake_url)
    records = [lake.done_record("msd", id_) for id_ in lake.done_unit_ids("msd")]
    named = sorted(file["path"] for record in records for file in record.inputs)
    assert named == sorted(path.name for path in msd_path.iterdir())
    assert all(record.code_version for record in records)


def test_units_of_local_files_keep_the_ids_that_lakes_know_them_by(tmp_path):
    folder = tmp_path / "songs"
    folder.mkdir()
    file = folder / "one.h5"
    file.write_bytes(b"x")
    os.utime(file, ns=(5, 5))
    where = settings(tmp_path, folder)
    extract(where, MSD, folder)
    content = {"path": "one.h5", "size_bytes": 1, "modified_ns": 5}
    assert Lake(where.lake_url).done_unit_ids("msd") == {unit_id("msd", MSD.reader_version, [content])}


def test_units_are_drawn_as_they_are_worked_off_and_not_all_at_once(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    for number in range(40):
        (folder / f"{number:02}.word").write_text(f"word {number}")
    source = replace(FRAGILE, files_per_unit=1)
    where = settings(tmp_path, folder)
    place = source.place(folder)
    drawn = []

    def units():
        for files in source.units(place):
            drawn.append(files)
            yield Unit.of(source, files)

    ahead = [len(drawn) - done for done, _ in enumerate(write_units(where, source, place, units()))]
    assert sum(map(len, drawn)) == 40
    assert max(ahead) <= IN_FLIGHT * cpu_count()


def test_extracting_again_does_nothing(tmp_path, msd_path):
    where = settings(tmp_path, msd_path)
    extract(where, MSD, msd_path)
    before = {file: file.stat().st_mtime_ns for file in Path(where.lake_url).rglob("*.*")}
    again = extract(where, MSD, msd_path)
    assert (again.files, again.units_done_before, again.units_extracted) == (FILES, FILES, 0)
    assert not again.rows
    assert {file: file.stat().st_mtime_ns for file in Path(where.lake_url).rglob("*.*")} == before


def test_an_interrupted_extraction_goes_on_where_it_was(tmp_path, msd_path):
    where = settings(tmp_path, msd_path)
    extract(where, MSD, msd_path)
    done = sorted(Path(where.lake_url, "msd/done").iterdir())
    for record in done[:2]:
        record.unlink()
    again = extract(where, MSD, msd_path)
    assert (again.units_done_before, again.units_extracted) == (FILES - 2, 2)
    assert again.rows["songs"] == 4
    assert songs_in(where) == ALL_SONGS


@pytest.mark.parametrize("count", [2, 3, 50])
def test_shards_are_disjoint_and_complete(count, tmp_path, msd_path):
    where = settings(tmp_path, msd_path)
    results = [extract(where, MSD, msd_path, (index, count)) for index in range(1, count + 1)]
    assert sum(result.files for result in results) == FILES
    assert sum(result.units_extracted for result in results) == FILES
    assert not any(result.units_done_before for result in results)
    assert songs_in(where) == ALL_SONGS


def test_a_file_that_changes_or_comes_makes_one_new_unit(tmp_path, msd_path):
    where = settings(tmp_path, msd_path)
    extract(where, MSD, msd_path)
    changed = min(msd_path.iterdir())
    os.utime(changed, ns=(1, 1))
    assert extract(where, MSD, msd_path).units_extracted == 1
    write_song(msd_path, make_song(100))
    result = extract(where, MSD, msd_path)
    assert (result.units_extracted, result.rows["songs"]) == (1, 1)


def test_quarantined_inputs_are_counted_and_the_first_ones_logged(tmp_path, caplog):
    folder = tmp_path / "songs"
    write_song_files(folder, range(2))
    for number in range(SHOWN_QUARANTINED + 3):
        (folder / f"bad_{number}.h5").touch()
    with caplog.at_level(logging.WARNING):
        result = extract(settings(tmp_path, folder), MSD, folder)
    assert result.quarantined == result.rows["quarantined_inputs"] == SHOWN_QUARANTINED + 3
    assert result.rows["songs"] == 2
    warnings = [record.getMessage() for record in caplog.records if "quarantined" in record.getMessage()]
    assert len(warnings) == SHOWN_QUARANTINED
    assert warnings[0].startswith("quarantined bad_0.h5: empty_file: ")


def test_a_path_without_files_is_an_error(tmp_path):
    (tmp_path / "songs").mkdir()
    with pytest.raises(FileNotFoundError, match="songs"):
        extract(settings(tmp_path, tmp_path / "songs"), MSD, tmp_path / "songs")


def test_a_lake_with_users_takes_one_key_for_their_hashes_from_whatever_folder(tmp_path, msd_path):
    playlists = tmp_path / "shared.csv"
    playlists.write_text(
        "Track URI,Track Name,Artist Name(s),Added By\nspotify:track:1,A song,An artist,me\n"
    )
    lake_url = str(tmp_path / "lake")

    def settings_in(folder, **variables):
        variables |= {"WAREHOUSE_DATA_DIR": str(tmp_path / folder), "WAREHOUSE_LAKE_URL": lake_url}
        return load_settings(variables)

    first, second = settings_in("first"), settings_in("second")
    assert extract(first, PLAYLIST_FILES, playlists).units_extracted == 1
    os.utime(playlists, ns=(1, 1))
    with pytest.raises(ConfigError, match="set WAREHOUSE_HMAC_KEY to that one"):
        extract(second, PLAYLIST_FILES, playlists)
    assert len(Lake(lake_url).done_unit_ids(PLAYLIST_FILES.name)) == 1
    second = settings_in("second", WAREHOUSE_HMAC_KEY=(first.data_dir / "hmac_key").read_text())
    assert extract(second, PLAYLIST_FILES, playlists).units_extracted == 1
    assert extract(settings_in("third"), MSD, msd_path).files == FILES  # songs have no users
    fingerprint = Path(lake_url, "user_hash_key").read_text()
    assert len(fingerprint) == 16
    assert fingerprint not in second.hmac_key


def test_a_lake_in_the_sandbox_is_apart(tmp_path, msd_path):
    sandbox = load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path / "data")})
    extract(sandbox, MSD, msd_path)
    assert songs_in(sandbox) == ALL_SONGS
    assert not (tmp_path / "data/lake").exists()


@pytest.mark.parametrize(
    ("words", "crashing"),
    [
        (["abort"], {0}),
        (["one", "two", "abort", "three"], {2}),
        (["abort", "one", "abort", "two", "abort"], {0, 2, 4}),
        (["one", "two", "three", "after one"], {3}),
    ],
    ids=["alone", "among others", "several", "only together with another"],
)
def test_a_file_that_crashes_the_reader_is_quarantined_and_the_others_are_read(words, crashing, tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    for number, word in enumerate(words):
        (folder / f"{number}.word").write_text(word)
    where = settings(tmp_path, folder)

    result = extract(where, FRAGILE, folder)

    lake = Lake(where.lake_url)
    records = [lake.done_record(FRAGILE.name, id_) for id_ in lake.done_unit_ids(FRAGILE.name)]
    rows = {
        table.name: [
            row
            for record in records
            for part in record.parts
            if part.table == table.name
            for batch in lake.read_part(part)
            for row in batch.to_pylist()
        ]
        for table in FRAGILE.tables
    }
    quarantined = {(row["file_path"], row["reason"]) for row in rows["quarantined_inputs"]}
    assert quarantined == {(f"{number}.word", "reader_crashed") for number in crashing}
    assert result.quarantined == len(crashing)
    read = {row["word"] for row in rows["words"]}
    assert read == {word for number, word in enumerate(words) if number not in crashing}
    assert {row["file_path"] for row in rows["files"]} == {f"{number}.word" for number in range(len(words))}
    assert extract(where, FRAGILE, folder).units_extracted == 0


def test_a_crash_in_one_unit_leaves_the_other_units_as_they_are(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    for number in range(100):
        (folder / f"{number:02}.word").write_text("abort" if number == 50 else f"word {number}")
    result = extract(settings(tmp_path, folder), replace(FRAGILE, files_per_unit=10), folder)
    assert result.units_extracted > 3
    assert (result.rows["words"], result.rows["files"], result.quarantined) == (99, 100, 1)


def test_a_crash_that_does_not_come_again_costs_no_file(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    for number, word in enumerate(["one", "once", "three"]):
        (folder / f"{number}.word").write_text(word)
    result = extract(settings(tmp_path, folder), FRAGILE, folder)
    assert (result.rows["words"], result.quarantined) == (3, 0)


def test_a_reading_process_that_is_killed_from_outside_is_an_error_and_no_fault_of_a_file(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "0.word").write_text("killed")
    where = settings(tmp_path, folder)
    with pytest.raises(ReaderCrashError, match="SIGKILL"):
        extract(where, FRAGILE, folder)
    assert Lake(where.lake_url).done_unit_ids(FRAGILE.name) == set()


EXTRACTS = """
import sys
from pathlib import Path
from ingestion.config import load_settings
from ingestion.errors import ReaderCrashError
from ingestion.extract import extract
from tests.support.fragile_source import FRAGILE
folder = Path(sys.argv[1])
settings = load_settings({"WAREHOUSE_DATA_DIR": sys.argv[2], "MSD_PATH": str(folder)})
extract(settings, FRAGILE, folder)
"""


@pytest.mark.skipif(not Path("/proc").exists(), reason="there is no /proc to see processes in")
def test_reading_processes_end_with_an_extraction_that_is_killed(tmp_path):
    folder = tmp_path / "words"
    folder.mkdir()
    (folder / "0.word").write_text("slow")
    process = subprocess.Popen([sys.executable, "-c", EXTRACTS, str(folder), str(tmp_path / "data")])
    try:
        readers = []
        while not readers:
            assert process.poll() is None
            time.sleep(0.05)
            readers = _reading_processes(process.pid)
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 20  # they would read for 30 seconds, and then wait for ever
    while any(Path(f"/proc/{pid}").exists() for pid in readers):
        assert time.monotonic() < deadline, "they are still there"
        time.sleep(0.1)


def _reading_processes(parent: int) -> list[int]:
    children = [
        pid for task in Path(f"/proc/{parent}/task").glob("*/children") for pid in task.read_text().split()
    ]
    return [int(pid) for pid in children if "popen_loky" in Path(f"/proc/{pid}/cmdline").read_text()]


def test_a_file_that_may_not_be_read_is_read_once_it_may(tmp_path, monkeypatch):
    folder = tmp_path / "songs"
    paths = write_song_files(folder, range(4))
    (folder / "loop.h5").symlink_to("loop.h5")
    where, source = settings(tmp_path, folder), replace(MSD, may_crash=False)
    opened = os.open

    def failing(path, *how, **named):
        if path == paths[2]:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opened(path, *how, **named)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", failing)
        first, again = extract(where, source, folder), extract(where, source, folder)
    assert (first.files, first.bad_files, first.rows["songs"], first.units_extracted) == (5, 2, 3, 1)
    assert (again.files, again.bad_files, again.units_done_before, again.units_extracted) == (5, 2, 1, 0)
    mended = extract(where, source, folder)
    assert (mended.bad_files, mended.rows["songs"]) == (1, 1)
    last = extract(where, source, folder)
    assert (last.bad_files, last.units_extracted) == (1, 0)
    assert songs_in(where) == [make_song(number).track_id for number in range(4)]
    (folder / "loop.h5").unlink()
    assert extract(where, source, folder).bad_files == 0
