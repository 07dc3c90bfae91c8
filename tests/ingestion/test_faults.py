"""Killed anywhere and run again, extraction and load end as if nothing had happened.

Real processes are killed (`tests/support/kill.py`); what "as if nothing had happened" means is
the row hash of every raw table, and every unit loaded once. `make faults` adds random moments.
"""

import os
import random
import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from unittest import mock

import duckdb
import pytest

from ingestion.config import Settings, load_settings
from ingestion.extract import extract
from ingestion.lake import Lake
from ingestion.load import load, prepare
from ingestion.msd import MSD
from ingestion.msd.objects import store_at
from tests.support.archives import write_archive
from tests.support.buckets import s3_server
from tests.support.ingestion_stages import (
    EXTRACT_STAGES,
    FILES_PER_SMALL_UNIT,
    LOAD_STAGES,
    extraction,
    loading,
)
from tests.support.kill import KillReport
from tests.support.msd_files import make_song, write_genuine_song, write_large_files
from tests.support.row_hash import TableImage, assert_same_tables, images_of_schema

FILES = 24
"""Each a unit: so many times do the shortest stages come by for the aimed kills."""

ARCHIVE_UNITS = FILES // FILES_PER_SMALL_UNIT + 1
"""The archive itself is the last."""

SOURCE = replace(MSD, files_per_unit=FILES_PER_SMALL_UNIT)

SONG_FILES = 60
"""Of one song and the genuine byte layout, which are read without the HDF5 library: some 30 units."""

SONGS_PER_FILE = 40
RANDOM_KILLS = 20
ATTEMPTS = 5
"""A stage of a millisecond can slip by; a kill that missed does not count and is tried again."""


@dataclass(frozen=True)
class Elsewhere:
    """Where files lie, the environment in which they are found there, and the units that they make."""

    path: str
    environment: dict[str, str]
    units: int
    files: int = FILES


@pytest.fixture(scope="module")
def msd_path(tmp_path_factory) -> Path:
    """The files that every run here extracts."""
    folder = tmp_path_factory.mktemp("msd_files")
    write_large_files(folder, FILES, songs_per_file=SONGS_PER_FILE)
    return folder


@pytest.fixture(scope="module", params=["archive", "bucket"])
def elsewhere(request, msd_path, tmp_path_factory) -> Iterator[Elsewhere]:
    """The same files where they do not lie in a folder."""
    if request.param == "archive":
        made = write_archive(tmp_path_factory.mktemp("archive") / "songs.tar.gz", msd_path)
        yield Elsewhere(str(made), {}, ARCHIVE_UNITS)
        return
    with s3_server() as server:
        # A name that no other test uses: servers of one process share what they hold.
        server.put("large-songs", "data/", msd_path)
        yield Elsewhere("s3://large-songs/data", server.environment, FILES)


@pytest.fixture(scope="module")
def song_files(tmp_path_factory) -> Elsewhere:
    """A folder of single-song files, several in each unit."""
    folder = tmp_path_factory.mktemp("song_files")
    for number in range(SONG_FILES):
        write_genuine_song(folder, make_song(number))
    units = [len(unit) for unit in SOURCE.units(SOURCE.place(folder))]
    assert max(units) > 2
    return Elsewhere(str(folder), {}, len(units), SONG_FILES)


@pytest.fixture(scope="module")
def undisturbed_song_files(song_files, tmp_path_factory) -> dict[str, TableImage]:
    """The raw tables of those after a run that nothing disturbed."""
    data_dir = tmp_path_factory.mktemp("undisturbed_song_files")
    settings = _settings(data_dir, song_files.path)
    extract(settings, SOURCE, song_files.path)
    load(settings, MSD)
    images = _raw_tables(data_dir)
    assert images["songs"].row_count == SONG_FILES
    return images


@pytest.fixture(scope="module")
def extracted(msd_path, tmp_path_factory) -> Path:
    """A data folder with a complete lake and the raw tables, empty. To be copied, not used."""
    data_dir = tmp_path_factory.mktemp("extracted") / "data"
    extract(_settings(data_dir, msd_path), MSD, msd_path)
    prepare(_settings(data_dir, msd_path), [MSD])
    (data_dir / "loader.lock").unlink()  # it marks a load that has started
    return data_dir


@pytest.fixture(scope="module")
def undisturbed(msd_path, extracted, tmp_path_factory) -> dict[str, TableImage]:
    """The raw tables after a run that nothing disturbed."""
    data_dir = _copy(extracted, tmp_path_factory.mktemp("undisturbed"))
    load(_settings(data_dir, msd_path), MSD)
    images = _raw_tables(data_dir)
    assert images["songs"].row_count == FILES * SONGS_PER_FILE
    return images


@pytest.mark.parametrize("stage", [stage.name for stage in EXTRACT_STAGES])
def test_an_extraction_killed_in_any_stage_is_finished_by_the_next(stage, msd_path, extracted, tmp_path):
    data_dir, report = _kill_extraction(stage, msd_path, tmp_path)
    print(f"killed: {report.stage}")
    _finish_extraction(data_dir, msd_path, extracted)


@pytest.mark.parametrize("stage", [stage.name for stage in LOAD_STAGES])
def test_a_load_killed_in_any_stage_is_finished_by_the_next(
    stage, msd_path, extracted, undisturbed, tmp_path
):
    data_dir, report = _kill_load(stage, extracted, tmp_path)
    print(f"killed: {report.stage}")
    if (data_dir / "loader").exists():
        without_loader_dir = _copy(data_dir, tmp_path / "loader_lost")
        shutil.rmtree(without_loader_dir / "loader")
        _finish_load(without_loader_dir, msd_path, undisturbed)
    _finish_load(data_dir, msd_path, undisturbed)


def test_units_of_a_killed_extraction_load_to_the_same_tables(msd_path, undisturbed, tmp_path):
    data_dir, _ = _kill_extraction("a part is in place", msd_path, tmp_path)
    settings = _settings(data_dir, msd_path)
    finished_before = Lake(settings.lake_url).done_unit_ids("msd")
    assert load(settings, MSD).units == len(finished_before) < FILES
    extract(settings, MSD, msd_path)
    _finish_load(data_dir, msd_path, undisturbed)


@pytest.mark.faults
@pytest.mark.timeout(1800)
def test_extractions_killed_at_random_times_are_finished_by_the_next(msd_path, extracted, tmp_path):
    seconds, _ = extraction(tmp_path / "whole", msd_path).run_to_end()
    hits = Counter()
    for data_dir, moment in _random_moments(seconds, tmp_path):
        report = extraction(data_dir, msd_path).kill_after(moment)
        if report.hit:
            _finish_extraction(data_dir, msd_path, extracted)
        hits[report.stage] += 1
        if hits.total() - hits[None] == RANDOM_KILLS:
            break
    _print(hits)
    assert hits.total() - hits[None] == RANDOM_KILLS


@pytest.mark.parametrize("stage", [stage.name for stage in EXTRACT_STAGES])
def test_an_extraction_from_elsewhere_killed_in_any_stage_is_finished_by_the_next(
    stage, elsewhere, undisturbed, tmp_path
):
    data_dir, report = _kill_extraction(stage, elsewhere.path, tmp_path, **elsewhere.environment)
    print(f"killed: {report.stage}")
    _finish_elsewhere(data_dir, elsewhere, undisturbed)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_extractions_from_elsewhere_killed_at_random_times_are_finished_by_the_next(
    elsewhere, undisturbed, tmp_path
):
    _kill_at_random_and_finish(elsewhere, undisturbed, tmp_path)


def test_an_extraction_of_song_files_killed_between_two_parts_is_finished_by_the_next(
    song_files, undisturbed_song_files, tmp_path
):
    data_dir, report = _kill_extraction("a part is in place", song_files.path, tmp_path)
    print(f"killed: {report.stage}")
    _finish_elsewhere(data_dir, song_files, undisturbed_song_files)


@pytest.mark.faults
@pytest.mark.timeout(3600)
def test_extractions_of_song_files_killed_at_random_times_are_finished_by_the_next(
    song_files, undisturbed_song_files, tmp_path
):
    _kill_at_random_and_finish(song_files, undisturbed_song_files, tmp_path)


@pytest.mark.faults
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("loader_dir", ["kept", "lost"])
def test_loads_killed_at_random_times_are_finished_by_the_next(
    loader_dir, msd_path, extracted, undisturbed, tmp_path
):
    seconds, _ = loading(_copy(extracted, tmp_path / "whole")).run_to_end()
    hits = Counter()
    for folder, moment in _random_moments(seconds, tmp_path):
        data_dir = _copy(extracted, folder)
        report = loading(data_dir).kill_after(moment)
        if loader_dir == "lost":
            shutil.rmtree(data_dir / "loader", ignore_errors=True)
        if report.hit:
            _finish_load(data_dir, msd_path, undisturbed)
        hits[report.stage] += 1
        if hits.total() - hits[None] == RANDOM_KILLS:
            break
    _print(hits)
    assert hits.total() - hits[None] == RANDOM_KILLS


def _kill_at_random_and_finish(
    elsewhere: Elsewhere, undisturbed: dict[str, TableImage], tmp_path: Path
) -> None:
    seconds, _ = extraction(tmp_path / "whole", elsewhere.path, **elsewhere.environment).run_to_end()
    hits = Counter()
    for data_dir, moment in _random_moments(seconds, tmp_path):
        report = extraction(data_dir, elsewhere.path, **elsewhere.environment).kill_after(moment)
        if report.hit:
            _finish_elsewhere(data_dir, elsewhere, undisturbed)
        hits[report.stage] += 1
        if hits.total() - hits[None] == RANDOM_KILLS:
            break
    _print(hits)
    assert hits.total() - hits[None] == RANDOM_KILLS


def _kill_extraction(
    stage: str, msd_path: Path | str, folder: Path, **environment: str
) -> tuple[Path, KillReport]:
    for attempt in range(ATTEMPTS):
        data_dir = folder / f"attempt_{attempt}"
        report = extraction(data_dir, msd_path, **environment).kill_in(stage)
        if report.hit:
            return data_dir, report
    raise AssertionError(f"no kill hit {stage!r}; the last: {report}")


def _kill_load(stage: str, extracted: Path, folder: Path) -> tuple[Path, KillReport]:
    for attempt in range(ATTEMPTS):
        data_dir = _copy(extracted, folder / f"attempt_{attempt}")
        if stage == "raw tables being created":
            (data_dir / "warehouse.duckdb").unlink()
        report = loading(data_dir).kill_in(stage)
        if report.hit:
            return data_dir, report
    raise AssertionError(f"no kill hit {stage!r}; the last: {report}")


def _finish_extraction(data_dir: Path, msd_path: Path, extracted: Path) -> None:
    """Extract the rest; the lake must then hold what an undisturbed extraction writes, done once."""
    settings = _settings(data_dir, msd_path)
    done_before = Lake(settings.lake_url).done_unit_ids("msd")
    result = extract(settings, MSD, msd_path)
    assert result.units_done_before == len(done_before)
    assert result.units_done_before + result.units_extracted == FILES
    assert _lake_contents(data_dir) == _lake_contents(extracted)


def _finish_elsewhere(data_dir: Path, elsewhere: Elsewhere, undisturbed: dict[str, TableImage]) -> None:
    """Extract the rest and load; the songs' tables must be those of the undisturbed run over the folder."""
    settings = _settings(data_dir, elsewhere.path)
    done_before = Lake(settings.lake_url).done_unit_ids("msd")
    with mock.patch.dict(os.environ, elsewhere.environment):
        store_at.cache_clear()
        result = extract(settings, SOURCE, elsewhere.path)
    assert result.units_done_before == len(done_before)
    assert result.units_done_before + result.units_extracted == elsewhere.units
    assert (result.files, result.bad_files) == (elsewhere.files, 0)
    load(settings, MSD)
    tables = _raw_tables(data_dir)
    # Only `files` says where they lie and when they were put there.
    assert tables.pop("files").row_count == elsewhere.files + elsewhere.path.endswith(".tar.gz")
    assert_same_tables(tables, {name: image for name, image in undisturbed.items() if name != "files"})


def _lake_contents(data_dir: Path) -> dict[str, dict[str, str]]:
    """The sha256 of every part by unit and table, each part read and checked against its record."""
    lake = Lake(str(data_dir / "lake"))
    contents = {}
    for unit_id in lake.done_unit_ids("msd"):
        parts = lake.done_record("msd", unit_id).parts
        assert all(sum(batch.num_rows for batch in lake.read_part(part)) == part.rows for part in parts)
        contents[unit_id] = {part.table: part.sha256 for part in parts}
    return contents


def _finish_load(data_dir: Path, msd_path: Path, undisturbed: dict[str, TableImage]) -> None:
    """Load the rest; the raw tables must then be those of the undisturbed run, each unit loaded once."""
    settings = _settings(data_dir, msd_path)
    load(settings, MSD)
    assert_same_tables(_raw_tables(data_dir), undisturbed)
    with duckdb.connect(str(data_dir / "warehouse.duckdb"), read_only=True) as connection:
        loaded = connection.sql(
            "select unit_id from raw_msd._loaded_units "
            "where _dlt_load_id in (select load_id from raw_msd._dlt_loads where status = 0)"
        ).fetchall()
    assert sorted(unit_id for (unit_id,) in loaded) == sorted(Lake(settings.lake_url).done_unit_ids("msd"))


def _raw_tables(data_dir: Path) -> dict[str, TableImage]:
    with duckdb.connect(str(data_dir / "warehouse.duckdb"), read_only=True) as connection:
        return images_of_schema(connection, "raw_msd")


def _random_moments(seconds: float, folder: Path):
    """Folders and moments within `seconds`, twice as many as kills: some come after the end."""
    chance = random.Random(1)
    for number in range(2 * RANDOM_KILLS):
        yield folder / f"random_{number}", chance.uniform(0, seconds)


def _print(hits: Counter) -> None:
    for stage, count in hits.most_common():
        print(f"{count:>4} x {stage or 'it had ended before'}")


def _copy(data_dir: Path, folder: Path) -> Path:
    return shutil.copytree(data_dir, folder / "data", symlinks=True)


def _settings(data_dir: Path, msd_path: Path | str) -> Settings:
    return load_settings({"WAREHOUSE_DATA_DIR": str(data_dir), "MSD_PATH": str(msd_path)})
