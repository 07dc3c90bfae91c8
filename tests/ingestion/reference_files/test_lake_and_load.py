"""Side files from disk to raw: a unit each, listens in the lake alone, and a renewed file."""

from pathlib import Path

import duckdb
import pytest

from ingestion.__main__ import main
from ingestion.config import Settings, load_settings
from ingestion.extract import extract
from ingestion.lake import Lake
from ingestion.load import load
from ingestion.reference_files import REFERENCE_FILES
from tests.ingestion.reference_files.files import DATABASES, LINES, RECORDS, song, text, write_database


@pytest.fixture
def folder(tmp_path) -> Path:
    path = tmp_path / "side_files"
    path.mkdir()
    for kind, lines in LINES.items():
        (path / f"{kind}.txt").write_bytes(text(lines))
    for kind, statements in DATABASES.items():
        write_database(path / f"{kind}.db", statements)
    return path


@pytest.fixture
def settings(tmp_path, folder) -> Settings:
    return load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path / "data"), "REFERENCE_FILES_PATH": str(folder)})


def query(settings: Settings, sql: str) -> list[tuple]:
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        return warehouse.execute(sql).fetchall()


def test_every_file_is_a_unit_and_its_rows_are_loaded(settings, folder):
    result = extract(settings, REFERENCE_FILES, folder)
    files = len(LINES) + len(DATABASES)
    assert (result.files, result.units_extracted, result.quarantined) == (files, files, 0)
    loaded = load(settings, REFERENCE_FILES)
    assert loaded.units == files
    for table in REFERENCE_FILES.tables:
        assert query(settings, f"select count(*) from raw_reference_files.{table.name}") == [
            (result.rows[table.name],)
        ]
    assert result.rows["mismatches"] == RECORDS["sid_mismatches"]
    assert load(settings, REFERENCE_FILES).units == 0


def test_listens_are_in_the_lake_and_not_in_the_warehouse(settings, folder):
    extract(settings, REFERENCE_FILES, folder)
    result = load(settings, REFERENCE_FILES)
    lake = Lake(settings.lake_url)
    parts = [part for record in lake.done_records("reference_files") for part in record.parts]
    (listens,) = (part for part in parts if part.table == "listens")
    assert sum(batch.num_rows for batch in lake.read_part(listens)) == RECORDS["train_triplets"]
    assert "listens" not in result.rows
    tables = query(settings, "select table_name from duckdb_tables() where schema_name like 'raw_%'")
    assert ("song_plays",) in tables and ("listens",) not in tables
    plays = "select song_id, play_count, listener_count from raw_reference_files.song_plays order by 1"
    assert query(settings, plays) == [(song(1), 13, 2), (song(2), 1, 1)]


def test_a_renewed_file_is_a_new_unit_and_no_other_file_is_read_again(settings, folder):
    extract(settings, REFERENCE_FILES, folder)
    (folder / "unique_tracks.txt").write_bytes(text(LINES["unique_tracks"][:1]))
    result = extract(settings, REFERENCE_FILES, folder)
    assert (result.units_extracted, result.rows["unique_tracks"]) == (1, 1)


def test_the_row_counts_that_a_load_reports_leave_out_what_stays_in_the_lake(settings, folder, caplog):
    caplog.set_level("INFO")
    extract(settings, REFERENCE_FILES, folder / "train_triplets.txt")
    load(settings, REFERENCE_FILES)
    assert "raw_reference_files: 3 of 3 rows loaded" in caplog.text  # two songs, and the file's own row


def test_the_command_fails_where_no_file_could_be_read(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    folder = tmp_path / "side_files"
    folder.mkdir()
    (folder / "unknown.txt").write_text("a,b,c\n")
    for _ in range(2):  # also where they were read before
        assert main(["reference-files", str(folder)]) == 1
        assert "error: reference_files: none of the 1 files could be read" in capsys.readouterr().err
    (folder / "unique_tracks.txt").write_bytes(text(LINES["unique_tracks"]))
    assert main(["reference-files", str(folder)]) == 0
    assert "quarantined: 1 files (50.00%)" in capsys.readouterr().out
