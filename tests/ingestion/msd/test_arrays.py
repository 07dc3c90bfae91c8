"""Arrays of songs in the lake: the files' numbers, in folders by shard, queried as the docs say."""

import os
import re
from pathlib import Path

import duckdb
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from ingestion.__main__ import main
from ingestion.config import Settings, load_settings
from ingestion.extract import extract
from ingestion.lake import Lake
from ingestion.msd.arrays import MSD_ARRAYS, MSD_ARRAYS_FLOAT64, NAMES, TIMES
from ingestion.source import FileSource
from sandbox import write_sandbox
from tests.support.checkout import ROOT
from tests.support.msd_files import make_full_size_song, make_song, write_genuine_song, write_songs

DOCS = (ROOT / "docs" / "song-arrays.md").read_text()

(SONG_ARRAYS,) = (table for table in MSD_ARRAYS.lake_only_tables if table.name == "song_arrays")


@pytest.fixture(scope="module")
def songs(tmp_path_factory) -> Path:
    """A folder of the sandbox's song files: one of those that the dataset names by a letter."""
    folders = sorted(Path(write_sandbox(tmp_path_factory.mktemp("world")).msd).rglob("*.h5"))
    return folders[0].parents[2]


@pytest.fixture(scope="module", params=[MSD_ARRAYS, MSD_ARRAYS_FLOAT64], ids=lambda source: source.name)
def extracted(request, songs, tmp_path_factory) -> tuple[Settings, FileSource]:
    settings = load_settings(
        {"WAREHOUSE_DATA_DIR": str(tmp_path_factory.mktemp("data")), "MSD_PATH": str(songs)}
    )
    extract(settings, request.param, songs)
    return settings, request.param


def rows_of(settings: Settings, source: FileSource) -> dict[str, dict]:
    """The rows by track id."""
    files = Path(settings.lake_url, source.name, "song_arrays").rglob("*.parquet")
    return {row["track_id"]: row for file in files for row in pq.ParquetFile(file).read().to_pylist()}


def arrays_in(path: Path) -> tuple[str, dict[str, np.ndarray]]:
    """The track id of a file and its arrays, as h5py reads them, by column."""
    with h5py.File(path) as h5:
        found = {}
        for name in NAMES:
            values = h5["analysis"][name][:]
            if values.ndim == 1:
                found[name] = values
            else:
                found |= {f"{name}_{column}": values[:, column] for column in range(values.shape[1])}
        return h5["analysis/songs"]["track_id"][0].decode(), found


def assert_as_in_files(rows: dict[str, dict], files: list[Path], is_exact: bool) -> None:
    for path in files:
        track_id, arrays = arrays_in(path)
        row = rows[track_id]
        assert len(arrays) == 37
        for name, values in arrays.items():
            if is_exact or name in TIMES:
                assert row[name] == values.tolist(), name
            else:
                assert row[name] == values.astype(np.float32).tolist(), name


def test_every_array_of_every_song_is_as_in_its_file(extracted, songs):
    settings, source = extracted
    files = sorted(songs.rglob("*.h5"))
    rows = rows_of(settings, source)
    assert len(rows) == len(files) > 20
    assert_as_in_files(rows, files[::7], is_exact=source is MSD_ARRAYS_FLOAT64)


def test_arrays_of_genuine_songs_are_those_of_their_files(genuine_samples, tmp_path):
    settings = load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path), "MSD_PATH": str(genuine_samples)})
    files = sorted((genuine_samples / "msd").rglob("*.h5"))
    for source in (MSD_ARRAYS, MSD_ARRAYS_FLOAT64):
        extract(settings, source, genuine_samples / "msd")
        rows = rows_of(settings, source)
        assert_as_in_files(rows, files, is_exact=source is MSD_ARRAYS_FLOAT64)
        for path in files:  # what the docs say of the loss
            track_id, arrays = arrays_in(path)
            for name, values in arrays.items():
                decimals = 5 if name in TIMES or name == "segments_loudness_max_time" else 3
                assert np.array_equal(np.round(values, decimals), values.round(12)), name
                assert np.array_equal(np.round(np.array(rows[track_id][name]), decimals), values.round(12)), (
                    name
                )


def test_parts_lie_in_a_folder_of_their_shard_with_their_bytes_split(extracted):
    settings, source = extracted
    parts = [
        part
        for unit in Lake(settings.lake_url).done_records(source.name)
        for part in unit.parts
        if part.table == "song_arrays"
    ]
    assert parts
    for part in parts:
        assert re.fullmatch(
            rf"{source.name}/song_arrays/shard=(0\d|1[0-5])/[0-9a-f]{{24}}\.parquet", part.path
        )
        chunk = pq.ParquetFile(Path(settings.lake_url, part.path)).metadata.row_group(0).column(1)
        assert "BYTE_STREAM_SPLIT" in chunk.encodings
        assert chunk.compression == "ZSTD"


def test_a_second_run_writes_nothing_and_shards_share_the_work(songs, tmp_path):
    settings = load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path), "MSD_PATH": str(songs)})
    shares = [extract(settings, MSD_ARRAYS, songs, (index, 3)) for index in (1, 2, 3)]
    files = len(list(songs.rglob("*.h5")))
    assert sum(share.rows["song_arrays"] for share in shares) == files
    again = extract(settings, MSD_ARRAYS, songs)
    assert (again.units_extracted, again.files) == (0, files)


def test_songs_of_aggregates_have_their_own_arrays_and_a_bad_file_is_named(tmp_path):
    songs = [make_song(number) for number in range(1, 6)]
    write_songs(tmp_path / "songs" / "aggregate.h5", songs)
    (tmp_path / "songs" / "bad.h5").write_bytes(b"no HDF5")
    settings = load_settings(
        {"WAREHOUSE_DATA_DIR": str(tmp_path / "data"), "MSD_PATH": str(tmp_path / "songs")}
    )
    result = extract(settings, MSD_ARRAYS, tmp_path / "songs")
    assert (result.rows["song_arrays"], result.bad_files) == (5, 1)
    rows = rows_of(settings, MSD_ARRAYS)
    for song in songs:
        expected = song.arrays.get("analysis/bars_start", [])
        assert rows[song.track_id]["bars_start"] == list(expected)


def test_the_command_writes_them_and_says_where_they_are_queried(songs, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path))
    assert main(["msd-arrays", str(songs)]) == 0
    out = capsys.readouterr().out
    assert "song_arrays" in out and "docs/song-arrays.md" in out
    assert main(["msd-arrays", "--float64", str(songs)]) == 0
    assert {"msd_arrays", "msd_arrays_float64"} <= {path.name for path in (tmp_path / "lake").iterdir()}


def test_the_queries_of_the_docs_give_mean_timbre_and_beats(songs, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    settings = load_settings({"WAREHOUSE_DATA_DIR": "data", "MSD_PATH": str(songs)})
    extract(settings, MSD_ARRAYS, songs)
    view, timbre, beats = re.findall(r"```sql\n(.*?)```", DOCS, re.DOTALL)[:3]
    with duckdb.connect() as connection:
        connection.sql(view)
        means = {row[0]: row[1:] for row in connection.sql(timbre).fetchall()}
        counts = {row[0]: row[1:] for row in connection.sql(beats).fetchall()}
    for path in sorted(songs.rglob("*.h5"))[::5]:
        track_id, arrays = arrays_in(path)
        expected = [arrays[f"segments_timbre_{column}"].mean() for column in range(12)]
        assert means[track_id] == pytest.approx(expected, rel=1e-5, abs=1e-5)
        starts = arrays["beats_start"]
        assert counts[track_id][0] == len(starts)
        if len(starts) > 1:
            per_minute = 60 * (len(starts) - 1) / (starts[-1] - starts[0])
            assert counts[track_id][1] == pytest.approx(per_minute)


@pytest.fixture
def read_twice(tmp_path, monkeypatch) -> dict[str, tuple[float, int]]:
    """Mean timbre (its first column) and beats of two songs by track id. Their files were read; then one was
    touched, the other changed, and they were read again."""
    monkeypatch.chdir(tmp_path)
    touched, before, after = (make_full_size_song(number) for number in (8, 9, 9))
    after.arrays["analysis/beats_start"] = after.arrays["analysis/beats_start"][:-1]
    after.arrays["analysis/beats_confidence"] = after.arrays["analysis/beats_confidence"][:-1]
    after.arrays["analysis/segments_timbre"] = after.arrays["analysis/segments_timbre"] + 1
    paths = [write_genuine_song(tmp_path / "songs", song) for song in (touched, before)]
    settings = load_settings({"WAREHOUSE_DATA_DIR": "data", "MSD_PATH": "songs"})
    extract(settings, MSD_ARRAYS, tmp_path / "songs")
    os.utime(paths[0], (1, 1))
    write_genuine_song(tmp_path / "songs", after)
    assert extract(settings, MSD_ARRAYS, tmp_path / "songs").rows["song_arrays"] == 2
    return {
        song.track_id: (
            pytest.approx(song.arrays["analysis/segments_timbre"][:, 0].mean(), rel=1e-5),
            len(song.arrays["analysis/beats_start"]),
        )
        for song in (touched, after)
    }


def test_a_song_read_again_is_one_row_of_the_documented_view(read_twice):
    view, timbre, beats = re.findall(r"```sql\n(.*?)```", DOCS, re.DOTALL)[:3]
    with duckdb.connect() as connection:
        connection.sql(view)
        means, counts = connection.sql(timbre).fetchall(), connection.sql(beats).fetchall()
    assert len(means) == len(counts) == 2
    assert {row[0]: row[1] for row in means} == {track: mean for track, (mean, _) in read_twice.items()}
    assert {row[0]: row[1] for row in counts} == {track: count for track, (_, count) in read_twice.items()}


def test_a_song_read_again_is_one_row_of_the_documented_queries_of_spectrum(read_twice):
    """As DuckDB runs them: with a view for the external table, and its own spelling of an array's items."""
    (queries,) = re.findall(r"```sql\n(create view newest.*?)```", DOCS, re.DOTALL)
    queries = queries.replace("with no schema binding", "")
    queries = re.sub(r", songs\.(\w+) as (\w+)", r", unnest(songs.\1) as items(\2)", queries)
    newest, timbre, beats, _ = queries.split(";")
    parts = "read_parquet('data/lake/msd_arrays/song_arrays/*/*.parquet', hive_partitioning = true)"
    with duckdb.connect() as connection:
        connection.sql("create schema msd_lake")
        connection.sql(f"create view msd_lake.song_arrays as select * from {parts}")
        connection.sql(newest)
        means, counts = connection.sql(timbre).fetchall(), connection.sql(beats).fetchall()
    assert len(means) == len(counts) == 2
    assert dict(means) == {track: mean for track, (mean, _) in read_twice.items()}
    assert dict(counts) == {track: count for track, (_, count) in read_twice.items()}


def test_the_external_table_of_the_docs_has_the_columns_of_the_files():
    (columns,) = re.findall(r"create external table msd_lake.song_arrays \(\n(.*?)\n\)", DOCS, re.DOTALL)
    items = {pa.float64(): "array<double>", pa.float32(): "array<float>"}
    expected = {
        field.name: items[field.type.value_type] if pa.types.is_list(field.type) else "varchar"
        for field in SONG_ARRAYS.schema
    }
    found = dict(line.strip().rstrip(",").split() for line in columns.splitlines())
    assert {name: type_.partition("(")[0] for name, type_ in found.items()} == expected
    assert list(found) == SONG_ARRAYS.schema.names
