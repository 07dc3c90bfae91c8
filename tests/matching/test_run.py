"""A run of matching from the warehouse through the lake to the raw tables, and its command."""

import os
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import duckdb
import pytest

from ingestion.computed import MATCHING
from ingestion.load import load, prepare
from matching.__main__ import main
from matching.run import match
from tests.support.kill import Stage, Target
from tests.support.matching import build, lake_settings, song, tables, track
from tests.support.row_hash import image_of, images_of_schema

STAGES = (
    Stage("started", log="^matching: "),
    Stage("candidates are being written", glob="lake/.writing/*/*"),
    Stage("a part is in place", glob="lake/matching/*/*.parquet", without="lake/matching/done/{stem}.json"),
    Stage("raw is being loaded", log="raw_matching: reading"),
    Stage("ended", log="^next: "),
)

SONGS = [song(f"S{n:04}", f"Song of {n:04} Sirens", f"Artist {n % 40}") for n in range(1_000)]
TRACKS = [track(f"T{n:04}", f"Song of {n:04} Siren", f"Artist {n % 40}") for n in range(1_000)]


@pytest.fixture
def settings(tmp_path):
    return lake_settings(tmp_path / "data")


def run(settings):
    result = match(settings)
    load(settings, MATCHING)
    return result


def query(settings, sql: str) -> list[tuple]:
    with closing(duckdb.connect(str(settings.warehouse_path), read_only=True)) as connection:
        return connection.execute(sql).fetchall()


def found(settings) -> list[tuple]:
    return query(settings, "select msd_track_id, track_key from raw_matching.song_candidates order by all")


def lake_files(settings) -> list[str]:
    return sorted(path.name for path in Path(settings.lake_url, "matching").rglob("*") if path.is_file())


def test_candidates_are_loaded_with_the_run_that_found_them(settings):
    build(settings, tables([song("S"), song("R", "Paper Moon")], [track("T")]))
    result = run(settings)
    assert found(settings) == [("S", "T")]
    assert query(settings, "select * exclude name_similarity from raw_matching.artist_candidates")[0][:2] == (
        "AR Artist",
        "key of Artist",
    )
    counts = "song_count, track_count, candidate_count, skipped_pair_count"
    assert query(settings, f"select {counts} from raw_matching.runs") == [(2, 1, 1, 0)]
    assert (result.songs, result.tracks, result.song_candidates, result.was_current) == (2, 1, 1, False)


def test_a_run_that_finds_everything_unchanged_writes_nothing_and_says_so(settings):
    build(settings, tables([song("S")], [track("T")]))
    run(settings)
    before, files = query(settings, "select * from raw_matching.runs"), lake_files(settings)
    again = run(settings)
    assert again.was_current
    assert (again.songs, again.song_candidates, again.artist_candidates) == (1, 1, 1)
    assert (query(settings, "select * from raw_matching.runs"), lake_files(settings)) == (before, files)


def test_a_run_takes_the_place_of_the_one_before(settings):
    build(settings, tables([song("S"), song("R")], [track("T"), track("U")]))
    run(settings)
    build(settings, tables([song("S")], [track("U")]))
    run(settings)
    assert found(settings) == [("S", "U")]
    assert len(query(settings, "select * from raw_matching.runs")) == 1
    assert lake_files(settings) == ["candidates.1.json", *["candidates.1.parquet"] * 3]
    build(settings, tables())
    run(settings)
    assert found(settings) == []
    assert query(settings, "select candidate_count from raw_matching.runs") == [(0,)]


def test_the_order_in_which_the_warehouse_answers_does_not_matter(settings, tmp_path):
    other = lake_settings(tmp_path / "other")
    build(settings, tables(SONGS, TRACKS))
    build(other, tables(SONGS[::-1], TRACKS[::-1]))
    images = []
    for each in (settings, other):
        run(each)
        with closing(duckdb.connect(str(each.warehouse_path), read_only=True)) as connection:
            images.append(image_of(connection, "raw_matching.song_candidates"))
    assert images[0] == images[1]
    assert images[0].row_count > len(SONGS)


def test_the_raw_tables_are_there_before_any_matching(settings):
    settings.activate()
    prepare(settings, [MATCHING])
    for table in MATCHING.tables:
        assert query(settings, f"select * from raw_matching.{table.name}") == []


def test_all_artists_of_a_track_are_read_whoever_names_them(settings):
    credits = [{"spotify_track_id": "T", "artist_name": name} for name in ("Somebody", "Artist")]
    build(settings, tables([song("S")], [track("T", artist="Somebody", duration_seconds=300)], credits))
    run(settings)
    assert found(settings) == [("S", "T")]


def test_the_warehouse_may_be_read_by_others_meanwhile(settings):
    build(settings, tables([song("S")], [track("T")]))
    with closing(duckdb.connect(str(settings.warehouse_path), read_only=True)):
        assert match(settings).song_candidates == 1


@pytest.mark.parametrize("stage", ["started", "raw is being loaded"])
def test_a_run_that_was_killed_is_completed_by_the_next(settings, stage):
    build(settings, tables(SONGS, TRACKS))
    run(settings)
    build(settings, tables(SONGS, TRACKS[1:]))
    environment = {
        **os.environ,
        "WAREHOUSE_DATA_DIR": str(settings.data_dir),
        "WAREHOUSE_LAKE_URL": settings.lake_url,
    }
    target = Target([sys.executable, "-m", "matching"], environment, settings.data_dir, STAGES, 0.0005)
    killed = any(target.kill_in(stage).hit for _ in range(5))
    target.run_to_end()
    assert killed
    assert [name for name in lake_files(settings) if not name.startswith("candidates.1.")] == []
    with closing(duckdb.connect(str(settings.warehouse_path), read_only=True)) as connection:
        images = images_of_schema(connection, "raw_matching")
    assert all(track_key != "T0000" for _, track_key in found(settings))
    assert (
        images["song_candidates"].row_count
        == query(settings, "select candidate_count from raw_matching.runs")[0][0]
    )


def command(tmp_path, monkeypatch) -> int:
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("WAREHOUSE_LAKE_URL", str(tmp_path / "data" / "lake"))
    return main([])


def test_the_command_says_what_it_found(settings, tmp_path, monkeypatch, capsys):
    build(settings, tables([song("S")], [track("T")]))
    assert command(tmp_path, monkeypatch) == 0
    assert "1 songs, 1 tracks" in capsys.readouterr().out
    assert command(tmp_path, monkeypatch) == 0
    assert "unchanged since the last run" in capsys.readouterr().out


def test_the_command_says_in_one_line_that_nothing_is_built_yet(tmp_path, monkeypatch, capsys):
    assert command(tmp_path, monkeypatch) == 1
    (line,) = capsys.readouterr().err.strip().splitlines()
    assert line == (
        "error: there is no intermediate.int_songs_enriched in the warehouse: "
        "run dbt build (or make run) first"
    )


def test_the_command_says_in_one_line_that_the_warehouse_is_held(settings, tmp_path):
    build(settings, tables())
    environment = {
        **os.environ,
        "WAREHOUSE_DATA_DIR": str(tmp_path / "data"),
        "WAREHOUSE_LAKE_URL": settings.lake_url,
    }
    with closing(duckdb.connect(str(settings.warehouse_path))):
        done = subprocess.run(
            [sys.executable, "-m", "matching"], env=environment, capture_output=True, text=True
        )
    assert done.returncode == 1
    (line,) = done.stderr.strip().splitlines()
    assert "is open in another process" in line
