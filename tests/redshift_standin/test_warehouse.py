"""The whole warehouse through the stand-in: the sandbox by Dagster, dbt and the loader, all unmodified.

Nothing here was compared with a real Redshift.
"""

import json
import re
from collections.abc import Mapping

import duckdb
import pytest

from ingestion.sources import SOURCES
from tests.redshift_standin.clients import by_redshift_connector
from tests.redshift_standin.server import RedshiftStandIn
from tests.support.checkout import Checkout, fresh_checkout
from tests.support.row_hash import TableImage, assert_same_tables, images_of_schema


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    return fresh_checkout(tmp_path_factory.mktemp("redshift_checkout"))


@pytest.fixture(scope="module")
def built(checkout: Checkout, stand_in: RedshiftStandIn) -> str:
    """What `make run`, the graph from the sandbox to the marts, printed."""
    stand_in.errors.clear()
    result = checkout.make("run", **stand_in.environment)
    assert result.returncode == 0, result.stdout
    return result.stdout


def images(stand_in: RedshiftStandIn, schema: str) -> Mapping[str, TableImage]:
    connection = by_redshift_connector(stand_in)
    try:
        return images_of_schema(connection, schema)
    finally:
        connection.close()


def test_the_graph_brings_the_sandbox_to_the_marts(built, stand_in):
    passed, total = re.search(r"Checks: (\d+) of (\d+) passed", built).groups()
    assert passed == total != "0"
    assert "marts.dim_songs" in built
    assert f"Warehouse: redshift://127.0.0.1:{stand_in.port}/" in built
    assert stand_in.errors == []


@pytest.mark.usefixtures("built")
def test_a_second_load_brings_nothing(checkout, stand_in):
    result = checkout.run("python", "-m", "ingestion", "load", **stand_in.environment)
    assert result.returncode == 0, result.stdout
    assert re.findall(r"(raw_\w+): (\d+) new units", result.stdout) == [
        (source.schema_name, "0") for source in SOURCES
    ]


@pytest.mark.usefixtures("built")
def test_a_second_dbt_build_passes_its_unit_tests_too_and_changes_nothing(checkout, stand_in):
    before = images(stand_in, "marts")
    result = checkout.run("dbt", "build", **stand_in.environment)
    assert result.returncode == 0, result.stdout
    assert stand_in.errors == []
    assert_same_tables(before, images(stand_in, "marts"))


@pytest.mark.usefixtures("built")
def test_the_documentation_knows_every_model_and_its_columns(checkout, stand_in):
    result = checkout.run("dbt", "docs", "generate", **stand_in.environment)
    assert result.returncode == 0, result.stdout
    catalog = json.loads((checkout.path / "target" / "catalog.json").read_text())
    manifest = json.loads((checkout.path / "target" / "manifest.json").read_text())
    described = {
        name: set(node["columns"])
        for name, node in manifest["nodes"].items()
        if node["resource_type"] == "model"
    }
    assert {name: set(node["columns"]) for name, node in catalog["nodes"].items()} == described
    songs = catalog["nodes"]["model.music_warehouse.stg_msd__songs"]["metadata"]
    assert songs["type"] == "LATE BINDING VIEW"


@pytest.mark.usefixtures("built")
def test_freshness_is_looked_at(checkout, stand_in):
    result = checkout.run("dbt", "source", "freshness", **stand_in.environment)
    assert result.returncode == 0, result.stdout
    assert "PASS freshness of spotify.playlist_observations" in result.stdout


@pytest.mark.usefixtures("built")
def test_raw_tables_and_marts_equal_those_of_the_embedded_warehouse(checkout, stand_in):
    for command in (["python", "-m", "ingestion", "load"], ["dbt", "run"]):
        result = checkout.run(*command)
        assert result.returncode == 0, result.stdout
    database = checkout.path / "data" / "in_use" / "warehouse.duckdb"
    with duckdb.connect(str(database), read_only=True) as embedded:
        embedded.execute("set timezone = 'UTC'")
        for schema in (*(source.schema_name for source in SOURCES), "marts"):
            here = images_of_schema(embedded, schema)
            assert here
            assert_same_tables(here, images(stand_in, schema))
