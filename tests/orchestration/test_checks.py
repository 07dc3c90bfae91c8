"""What judges a run by a setting: the share of song files in quarantine."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import pytest

from ingestion.config import load_settings, msd_shards
from ingestion.lake import Lake
from ingestion.msd import MSD
from orchestration.checks import few_bad_files
from orchestration.lake import file_lake_asset, msd_shard_job
from tests.support.archives import write_archive
from tests.support.checkout import ROOT
from tests.support.msd_files import make_song, write_large_files, write_song_files


@pytest.fixture
def songs(tmp_path, monkeypatch) -> Path:
    """A folder of ten song files, one of them bad, that the settings name."""
    write_song_files(tmp_path / "songs", range(9))
    (tmp_path / "songs/bad.h5").write_bytes(b"no HDF5")
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MSD_PATH", str(tmp_path / "songs"))
    return tmp_path / "songs"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as instance:
        yield instance


def extract(instance: dg.DagsterInstance) -> None:
    assert dg.materialize([file_lake_asset(MSD)], instance=instance).success


def run_check(instance: dg.DagsterInstance) -> dg.ExecuteInProcessResult:
    definitions = dg.Definitions(
        asset_checks=[few_bad_files],
        jobs=[dg.define_asset_job("check", selection=dg.AssetSelection.all_asset_checks())],
    )
    job = definitions.resolve_job_def("check")
    return job.execute_in_process(raise_on_error=False, instance=instance)


def passes(instance: dg.DagsterInstance) -> bool:
    result = run_check(instance)
    (check,) = result.get_asset_check_evaluations()
    assert check.passed == result.success
    return check.passed


@pytest.mark.usefixtures("songs")
def test_more_bad_song_files_than_allowed_fail_the_check_and_the_run(instance, monkeypatch):
    extract(instance)
    for limit, expected in (("0.1", True), ("0.09", False), ("0", False), ("1", True)):
        monkeypatch.setenv("MSD_MAX_BAD_SHARE", limit)
        assert passes(instance) is expected, limit
    (check,) = run_check(instance).get_asset_check_evaluations()
    assert check.asset_key == dg.AssetKey(["msd", "quarantined_inputs"])
    assert (check.metadata["files"].value, check.metadata["bad_files"].value) == (10, 1)


def test_what_is_there_no_more_is_not_judged(songs, instance):
    extract(instance)
    assert not passes(instance)
    (songs / "bad.h5").unlink()
    extract(instance)
    assert passes(instance)


def test_the_same_files_by_another_way_are_not_bad(songs, instance, tmp_path, monkeypatch):
    (songs / "bad.h5").unlink()
    extract(instance)
    (tmp_path / "list").write_text("\n".join(str(path) for path in sorted(songs.rglob("*.h5"))[:4]))
    monkeypatch.setenv("MSD_PATH", f"@{tmp_path / 'list'}")
    extract(instance)
    assert passes(instance)


def test_a_truncated_archive_fails_the_check_whatever_the_share(songs, instance, tmp_path, monkeypatch):
    made = write_archive(tmp_path / "songs.tar.gz", songs)
    made.write_bytes(made.read_bytes()[:-20])
    monkeypatch.setenv("MSD_PATH", str(made))
    monkeypatch.setenv("MSD_MAX_BAD_SHARE", "1")
    for _ in range(2):  # also where it was read before
        extract(instance)
        result = run_check(instance)
        assert not result.success
        (failure,) = [event for event in result.all_events if event.is_step_failure]
        assert "songs.tar.gz: truncated_archive" in failure.step_failure_data.user_failure_data.description


def test_before_any_extraction_there_is_nothing_to_judge(instance):
    assert passes(instance)


def test_the_check_comes_after_the_models_and_nothing_waits_for_it():
    from orchestration.definitions import defs

    graph = defs.resolve_asset_graph()
    (key,) = [key for key in graph.asset_check_keys if key.name == "few_bad_files"]
    node = graph.get(key)
    assert dg.AssetKey(["staging", "stg_msd__quarantined_inputs"]) in node.parent_entity_keys
    assert not node.blocking


def test_shares_of_the_songs_can_be_run_one_by_one(tmp_path, monkeypatch):
    write_large_files(tmp_path / "songs", 6, songs_per_file=2)
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MSD_PATH", str(tmp_path / "songs"))
    monkeypatch.setenv("MSD_SHARDS", "3")
    job = msd_shard_job(msd_shards())
    keys = job.partitions_def.get_partition_keys()
    assert keys == ["1_of_3", "2_of_3", "3_of_3"]
    for key in keys:
        assert job.execute_in_process(partition_key=key).success
    lake = Lake(load_settings().lake_url)
    parts = [part for record in lake.done_records("msd") for part in record.parts if part.table == "songs"]
    found = [id_ for part in parts for batch in lake.read_part(part) for id_ in batch["track_id"].to_pylist()]
    assert sorted(found) == [make_song(number).track_id for number in range(12)]


def test_progress_is_in_the_runs_log(tmp_path, monkeypatch):
    (tmp_path / "home").mkdir()
    shutil.copy(ROOT / "orchestration/dagster.yaml", tmp_path / "home")
    write_large_files(tmp_path / "songs", 1, songs_per_file=2)
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("MSD_PATH", str(tmp_path / "songs"))
    with dg.DagsterInstance.get() as instance:
        result = dg.materialize([file_lake_asset(MSD)], instance=instance)
        said = [entry.user_message for entry in instance.all_logs(result.run_id)]
    assert any("extract msd: 1/1 [" in text for text in said), said
