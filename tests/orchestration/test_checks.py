"""What judges a run by a setting: the share of song files in quarantine."""

import shutil

import dagster as dg
import duckdb
import pytest

from ingestion.config import load_settings, msd_shards
from ingestion.lake import Lake
from ingestion.msd import MSD
from orchestration.checks import few_bad_files
from orchestration.lake import file_lake_asset, msd_shard_job
from tests.support.checkout import ROOT
from tests.support.msd_files import make_song, write_large_files


@pytest.fixture
def data_dir(tmp_path, monkeypatch):
    """A data folder whose warehouse says that one of ten song files is in quarantine as a whole."""
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    settings = load_settings()
    settings.activate()
    with duckdb.connect(str(settings.warehouse_path)) as warehouse:
        warehouse.execute("create schema staging")
        warehouse.execute(
            "create table staging.stg_msd__files as select 'msd_hdf5' as file_kind from range(10) "
            "union all select 'archive'"
        )
        warehouse.execute(
            "create table staging.stg_msd__quarantined_inputs as "
            "select number = 0 as is_whole_file from range(3) as numbers (number)"
        )
    return tmp_path / "data"


def run_check() -> dg.ExecuteInProcessResult:
    definitions = dg.Definitions(
        asset_checks=[few_bad_files],
        jobs=[dg.define_asset_job("check", selection=dg.AssetSelection.all_asset_checks())],
    )
    return definitions.resolve_job_def("check").execute_in_process(raise_on_error=False)


@pytest.mark.parametrize(("limit", "passes"), [("0.1", True), ("0.09", False), ("0", False), ("1", True)])
@pytest.mark.usefixtures("data_dir")
def test_more_bad_song_files_than_allowed_fail_the_check_and_the_run(limit, passes, monkeypatch):
    monkeypatch.setenv("MSD_MAX_BAD_SHARE", limit)
    result = run_check()
    (check,) = result.get_asset_check_evaluations()
    assert (check.passed, result.success) == (passes, passes)
    assert check.asset_key == dg.AssetKey(["msd", "quarantined_inputs"])
    assert (check.metadata["files"].value, check.metadata["bad_files"].value) == (10, 1)


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
