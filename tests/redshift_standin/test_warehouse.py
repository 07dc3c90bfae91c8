"""The whole warehouse on Redshift: the sandbox by Dagster, dbt and the loader, all unmodified.

On the stand-in, which was never compared with a real Redshift; and on a real one where REDSHIFT_TEST_URL
names it (docs/verify-on-aws.md).
"""

import json
import re
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, replace

import duckdb
import psycopg2
import pytest
import redshift_connector

from ingestion.sources import SOURCES
from tests.dbt_project.conftest import MODELS_ALONE
from tests.redshift_standin.clients import rows_of, run, sqlstate
from tests.redshift_standin.engines import Redshift
from tests.support.checkout import ROOT, Checkout, fresh_checkout
from tests.support.cookbook import answer, recipes
from tests.support.row_hash import TableImage, assert_same_tables, images_of_schema

PASSWORD = "Pass-word-1"
PIPELINE, ANALYST = "music_warehouse", "curious_analyst"
ANALYSTS = 100
PUBLISHED = {"marts", "msd", "mapped", "spotify", "analytics"}
"""The schemas that analysts may enter."""


@dataclass(frozen=True)
class Documented:
    """What `dbt docs generate` wrote: what the project says, and what is in the database."""

    manifest: dict
    catalog: dict

    @property
    def models(self) -> dict[str, dict]:
        nodes = self.manifest["nodes"].items()
        return {name: node for name, node in nodes if node["resource_type"] == "model"}


@pytest.fixture(scope="module")
def redshift(administrator: Redshift) -> Redshift:
    """Redshift for the loader and dbt, once an administrator has made users and roles as documented."""
    schemas = {source.schema_name for source in SOURCES} | {"staging", "intermediate", *PUBLISHED}
    with closing(administrator.connect()) as connection:
        here = "select schema_name from svv_redshift_schemas where database_name = current_database()"
        present = {name for (name,) in rows_of(connection, here)}
        assert not schemas & present, "these tests want a database that holds no warehouse"
        script = (ROOT / "docs" / "redshift-roles.sql").read_text()
        run(
            connection,
            *filter(str.strip, script.split(";\n")),
            f"alter user {PIPELINE} password '{PASSWORD}'",
            f"create user {ANALYST} password '{PASSWORD}'",
            f"grant role analyst to {ANALYST}",
        )
    pipeline = administrator.as_user(PIPELINE, PASSWORD)
    readers = {"REDSHIFT_MART_READERS": "role:analyst role:loader role:transformer"}
    return replace(pipeline, environment={**pipeline.environment, **readers})


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory, redshift: Redshift) -> Checkout:  # noqa: ARG001 - one each
    return fresh_checkout(tmp_path_factory.mktemp("redshift_checkout"))


@pytest.fixture(scope="module")
def built(checkout: Checkout, redshift: Redshift) -> str:
    """What `make run`, the graph from the sandbox to the marts, printed."""
    errors_before = len(redshift.errors)
    result = checkout.make("run", **redshift.environment)
    assert result.returncode == 0, result.stdout
    assert redshift.errors[errors_before:] == []
    return result.stdout


@pytest.fixture(scope="module")
def documented(checkout: Checkout, redshift: Redshift, built: str) -> Documented:  # noqa: ARG001 - of what is built
    result = checkout.run("dbt", "docs", "generate", **redshift.environment)
    assert result.returncode == 0, result.stdout
    target = checkout.path / "target"
    return Documented(
        *(json.loads((target / f"{name}.json").read_text()) for name in ("manifest", "catalog"))
    )


def images(redshift: Redshift, schema: str) -> Mapping[str, TableImage]:
    with closing(redshift.connect()) as connection:
        return images_of_schema(connection, schema)


def test_the_graph_brings_the_sandbox_to_the_marts(built, redshift):
    passed, total = re.search(r"Checks: (\d+) of (\d+) passed", built).groups()
    assert passed == total != "0"
    assert "marts.dim_songs" in built
    host, port = redshift.environment["REDSHIFT_HOST"], redshift.environment["REDSHIFT_PORT"]
    assert f"Warehouse: redshift://{host}:{port}/" in built


@pytest.mark.usefixtures("built")
def test_a_second_load_brings_nothing(checkout, redshift):
    result = checkout.run("python", "-m", "ingestion", "load", **redshift.environment)
    assert result.returncode == 0, result.stdout
    assert re.findall(r"(raw_\w+): (\d+) new units", result.stdout) == [
        (source.schema_name, "0") for source in SOURCES
    ]


@pytest.mark.faults
@pytest.mark.usefixtures("built")
def test_a_second_dbt_build_passes_its_unit_tests_too_and_changes_nothing(checkout, redshift):
    before, errors_before = images(redshift, "marts"), len(redshift.errors)
    # The data tests passed when the graph ran.
    result = checkout.run("dbt", "build", "--exclude-resource-type", "test", **redshift.environment)
    assert result.returncode == 0, result.stdout
    assert redshift.errors[errors_before:] == []
    assert_same_tables(before, images(redshift, "marts"))


@pytest.mark.usefixtures("built")
def test_what_no_model_makes_any_more_is_dropped_and_nothing_else(checkout, redshift):
    here = "select table_schema, table_name from information_schema.tables where table_schema not like 'pg_%'"
    with closing(redshift.connect()) as connection:
        before = sorted(map(tuple, rows_of(connection, here)))
        run(
            connection,
            "create table marts.fct_earlier as select 1 as n",
            "create view staging.stg_earlier as select n from marts.fct_earlier with no schema binding",
            "create table raw_msd.earlier as select 1 as n",
        )
    result = checkout.run("dbt", "run-operation", "drop_leftovers", **redshift.environment)
    assert result.returncode == 0, result.stdout
    assert re.findall(r"dropped (\S+)", result.stdout) == ["marts.fct_earlier", "staging.stg_earlier"]
    with closing(redshift.connect()) as connection:
        run(connection, "drop table raw_msd.earlier")
        assert sorted(map(tuple, rows_of(connection, here))) == before


def test_the_documentation_knows_every_model_and_its_columns(documented):
    tables = documented.manifest["nodes"].items()
    assert {name: set(node["columns"]) for name, node in documented.catalog["nodes"].items()} == {
        name: set(node["columns"]) for name, node in tables if node["resource_type"] in ("model", "seed")
    }


def test_descriptions_are_in_the_database(documented, administrator):
    expected = {}
    for model in documented.models.values():
        expected[model["schema"], model["alias"], None] = model["description"]
        if model["config"]["materialized"] == "view":
            continue  # Redshift keeps no comments on columns of late-binding views
        for column in model["columns"].values():
            expected[model["schema"], model["alias"], column["name"]] = column["description"]
    with closing(administrator.connect()) as connection:
        found = {
            tuple(place): description
            for *place, description in rows_of(
                connection,
                "select n.nspname, c.relname, a.attname, d.description from pg_catalog.pg_description as d "
                "inner join pg_catalog.pg_class as c on c.oid = d.objoid "
                "inner join pg_catalog.pg_namespace as n on n.oid = c.relnamespace "
                "left join pg_catalog.pg_attribute as a on a.attrelid = d.objoid and a.attnum = d.objsubid "
                "and d.objsubid > 0",
            )
        }
    assert {place: found.get(place) for place in expected} == expected


def test_every_view_binds_late(documented):
    views = {
        name: documented.catalog["nodes"][name]["metadata"]["type"]
        for name, model in documented.models.items()
        if model["config"]["materialized"] == "view"
    }
    assert any(".stg_" in name for name in views)
    assert set(views.values()) == {"LATE BINDING VIEW"}


@pytest.mark.usefixtures("built")
def test_a_staging_view_survives_its_raw_table_being_made_anew(administrator):
    files = "select count(*), max(file_path) from staging.stg_msd__files"
    with closing(administrator.connect()) as connection:
        before = rows_of(connection, files)
        assert before[0][0]
        connection.autocommit = False
        run(
            connection,
            "create temporary table kept as select * from raw_msd.files",
            "drop table raw_msd.files",
            "create table raw_msd.files as select * from kept",
        )
        assert rows_of(connection, files) == before
        connection.rollback()


def test_tables_lie_as_their_models_say(documented, administrator):
    with closing(administrator.connect()) as connection:
        found = {
            (schema, table): (distribution, sort_key, sort_key_count)
            for schema, table, distribution, sort_key, sort_key_count in rows_of(
                connection, 'select "schema", "table", diststyle, sortkey1, sortkey_num from svv_table_info'
            )
        }
        for model in documented.models.values():
            dist, sort = model["config"].get("dist"), model["config"].get("sort") or []
            table = (model["schema"], model["name"])
            if not dist:
                continue
            if table not in found:  # Redshift lists no empty tables
                assert rows_of(connection, f"select count(*) from {'.'.join(table)}") == [(0,)]
                continue
            distribution, sort_key, sort_key_count = found[table]
            if dist == "auto":
                assert distribution.startswith("AUTO"), table
            else:
                assert distribution == ("ALL" if dist == "all" else f"KEY({dist})"), table
            keys = [sort] if isinstance(sort, str) else sort
            if keys:
                assert (sort_key, sort_key_count) == (keys[0], len(keys)), table


def test_every_model_can_be_planned(documented, redshift):
    with closing(redshift.connect()) as connection:
        for name, model in documented.models.items():
            assert rows_of(connection, f"explain {model['compiled_code']}"), name


def test_an_analyst_reads_what_is_published_and_nothing_else(documented, redshift):
    schemas = {model["schema"] for model in documented.models.values()}
    assert schemas == {"staging", "intermediate", *PUBLISHED}
    with closing(redshift.as_user(ANALYST, PASSWORD).connect()) as connection:
        for model in documented.models.values():
            count = f"select count(*) from {model['schema']}.{model['alias']}"
            if model["schema"] in PUBLISHED:
                assert rows_of(connection, count)
            else:
                assert denied(connection, count), model["name"]
        for statement in (
            "select count(*) from raw_msd.songs",
            "delete from marts.dim_songs",
            "create table marts.mine as select 1 as n",
            "create schema mine",
        ):
            assert denied(connection, statement), statement


def denied(connection, statement: str) -> bool:
    """Whether a statement fails for want of a privilege."""
    try:
        run(connection, statement)
    except (psycopg2.Error, redshift_connector.Error) as error:
        return sqlstate(error) == "42501"
    return False


@pytest.mark.usefixtures("built")
def test_sessions_say_what_they_are_for(checkout, redshift):
    label = "select current_setting('query_group') as query_group"
    with closing(redshift.connect()) as connection:  # as the loader's
        assert rows_of(connection, label) == [("warehouse_load",)]
    shown = checkout.run("dbt", "show", "--quiet", "--inline", label, **redshift.environment)
    assert "| warehouse_transform" in shown.stdout


def test_a_hundred_analysts_are_answered_at_once(documented, redshift):
    published = [
        f"{model['schema']}.{model['alias']}"
        for model in documented.models.values()
        if model["schema"] in PUBLISHED
    ]
    analyst = redshift.as_user(ANALYST, PASSWORD)

    def row_counts(connection) -> list[int]:
        return [rows_of(connection, f"select count(*) from {name}")[0][0] for name in published]

    with ThreadPoolExecutor(ANALYSTS) as pool:
        connections = list(pool.map(lambda _: analyst.connect(), range(ANALYSTS)))
        answers = list(pool.map(row_counts, connections))
        assert answers == [row_counts(connections[0])] * ANALYSTS
        list(pool.map(lambda connection: connection.close(), connections))


@pytest.mark.usefixtures("built")
def test_the_cookbook_prints_what_the_sandbox_answers(redshift):
    with closing(redshift.connect()) as connection:
        found = [answer(connection, recipe.query) for recipe in recipes()]
    assert found == [recipe.answer for recipe in recipes()]


@pytest.mark.usefixtures("built")
def test_freshness_is_looked_at(checkout, redshift):
    result = checkout.run("dbt", "source", "freshness", **redshift.environment)
    assert result.returncode == 0, result.stdout
    assert "PASS freshness of spotify.playlist_observations" in result.stdout


@pytest.mark.usefixtures("built")
def test_raw_tables_and_marts_equal_those_of_the_embedded_warehouse(checkout, redshift):
    for command in (["python", "-m", "ingestion", "load"], ["dbt", "build", *MODELS_ALONE]):
        result = checkout.run(*command)
        assert result.returncode == 0, result.stdout
    database = checkout.path / "data" / "in_use" / "warehouse.duckdb"
    with duckdb.connect(str(database), read_only=True) as embedded:
        embedded.execute("set timezone = 'UTC'")
        for schema in (*(source.schema_name for source in SOURCES), "marts"):
            here = images_of_schema(embedded, schema)
            assert here
            assert_same_tables(here, images(redshift, schema))
