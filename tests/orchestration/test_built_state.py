"""When a run leaves dbt out: where a build would make nothing else than what is there."""

from pathlib import Path

import pytest

from ingestion.config import Settings, load_settings
from ingestion.warehouse import open_warehouse
from orchestration.built_state import is_current, remember
from tests.support.built_marts import BuiltMarts


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    settings = load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path / "data")})
    settings.activate()
    with open_warehouse(settings) as warehouse:
        warehouse.execute("create schema raw_msd")
        warehouse.execute(
            "create table raw_msd._loaded_units (unit_id varchar, lake_unit_id varchar, _dlt_load_id varchar)"
        )
        warehouse.execute("insert into raw_msd._loaded_units values ('songs-1', 'songs-1', '1.0')")
    return settings


@pytest.fixture
def built(settings: Settings) -> BuiltMarts:
    built = BuiltMarts(settings)
    built.build()
    return built


def test_what_was_never_built_by_a_run_is_not_current(settings, built):  # noqa: ARG001
    assert not is_current(settings)


def test_after_a_good_build_it_is(settings, built):  # noqa: ARG001
    remember(settings)
    assert is_current(settings)


@pytest.mark.parametrize(
    "change",
    [
        "insert into raw_msd._loaded_units values ('songs-2', 'songs-2', '2.0')",
        "update raw_msd._loaded_units set unit_id = 'songs-1.1', _dlt_load_id = '2.0'",
        "delete from raw_msd._loaded_units",
        "update operations.built_nodes set ended_at = ended_at + interval 1 hour",
        "update operations.built_nodes set status = 'fail' where resource_type = 'test'",
        "insert into operations.builds values ('killed', timestamp '2026-03-09 04:00', null)",
    ],
    ids=["a new unit", "a unit rewritten", "a unit gone", "built by hand", "a test that failed", "cut short"],
)
def test_what_changed_since_is_built(settings, built, change):  # noqa: ARG001
    remember(settings)
    with open_warehouse(settings) as warehouse:
        warehouse.execute(change)
    assert not is_current(settings)


def test_a_variable_that_models_read_counts(settings, built, monkeypatch):  # noqa: ARG001
    remember(settings)
    monkeypatch.setenv("SPOTIFY_TRAINING_RIGHT", "true")
    assert not is_current(settings)


def test_a_build_that_was_not_good_is_not_remembered(settings, built):
    built.build(test_status="fail")
    remember(settings)
    assert not is_current(settings)
