"""The rules of the house hold for this project, and each of them can fail."""

from collections import Counter
from collections.abc import Callable
from copy import deepcopy

import pytest
import yaml

from tests.dbt_project import house_rules
from tests.dbt_project.conftest import REPOSITORY
from tests.dbt_project.house_rules import RULES


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds(rule: Callable[[dict], list[str]], manifest: dict) -> None:
    assert rule(manifest) == []


def test_a_column_used_twice_is_described_once() -> None:
    described = Counter()
    for path in (REPOSITORY / "dbt_project" / "models").rglob("*.yml"):
        content = yaml.safe_load(path.read_text())
        tables = content.get("models", []) + [
            table for source in content.get("sources", []) for table in source["tables"]
        ]
        described.update(
            (column["name"], " ".join(column["description"].split()))
            for table in tables
            for column in table["columns"]
            if "doc(" not in column["description"]
        )
    assert [column for column, count in described.items() if count > 1] == []


# ---- a small project in which every rule holds, and a breach of each


def column(name: str, data_type: str | None = None) -> dict:
    return {"name": name, "description": "What it means.", "data_type": data_type}


def source(name: str) -> dict:
    return {
        "unique_id": f"source.shop.till.{name}",
        "source_name": "till",
        "name": name,
        "source_description": "The till.",
        "description": "One row per receipt.",
        "columns": {"id": column("id")},
        "loaded_at_field": "printed_at",
        "freshness": {"warn_after": {"count": 1, "period": "day"}, "error_after": {"count": None}},
        "config": {"meta": {}},
    }


def model(layer: str, area: str, name: str, parents: list[str], code: str = "select 1") -> dict:
    path = f"dbt_project/models/{layer}/{area}/{name}"
    schema, alias = layer, name
    columns = [column("id", "varchar(8)"), column("day", "date")]
    if layer == "marts":
        columns += [column("source_system", "varchar(8)"), column("terms_of_use", "varchar(8)")]
        columns += [column("is_training_allowed", "boolean"), column("loaded_at", "timestamp")]
    if layer == "founding":
        schema, alias = area, name.removeprefix(f"founding_{area}_")
    return {
        "resource_type": "model",
        "unique_id": f"model.shop.{name}",
        "name": name,
        "alias": alias,
        "fqn": ["shop", layer, area, name],
        "schema": schema,
        "description": "One row per receipt.",
        "columns": {each["name"]: each for each in columns},
        "config": {
            "group": layer if layer == "founding" else area,
            "access": "public" if layer in ("marts", "founding") else "protected",
            "contract": {"enforced": layer in ("marts", "founding")},
            "dist": "id",
            "sort": ["day", "id"],
            "meta": {
                "distribution_reason": "It is joined by id.",
                "example_query": f"-- How many?\nselect count(*) from {schema}.{alias}\n",
            },
        },
        "original_file_path": f"{path}.sql",
        "patch_path": f"shop://{path}.yml",
        "raw_code": code,
        "depends_on": {"nodes": parents},
    }


def data_test(tested: str, name: str, column_name: str | None = None, **arguments: object) -> dict:
    return {
        "resource_type": "test",
        "unique_id": f"test.shop.{name}_{tested}_{column_name}",
        "name": name,
        "attached_node": f"model.shop.{tested}",
        "column_name": column_name,
        "test_metadata": {"name": name, "kwargs": arguments},
        "raw_code": "",
        "depends_on": {"nodes": []},
    }


def unit_test(tested: str) -> dict:
    return {
        "name": "adds_up",
        "model": tested,
        "given": [{"input": "ref('x')", "rows": [{"id": "a", "sum": 1}, {"id": "b", "sum": None}]}],
        "expect": {"rows": [{"id": "a"}]},
    }


def macro(path: str, name: str, sql: str = "{{ adapter.dispatch('cents') }}") -> dict:
    return {
        "package_name": "shop",
        "name": name,
        "original_file_path": f"dbt_project/macros/{path}.sql",
        "macro_sql": sql,
    }


def small_manifest() -> dict:
    models = [
        model("staging", "till", "stg_till__receipts", ["source.shop.till.receipts"]),
        model("intermediate", "sales", "int_receipts_summed", ["model.shop.stg_till__receipts"]),
        model("marts", "sales", "fct_sales", ["model.shop.int_receipts_summed"]),
        model("marts", "sales", "dim_days", ["model.shop.int_receipts_summed"]),
        model("founding", "books", "founding_books_days", ["model.shop.dim_days"]),
    ]
    tests = [data_test(each["name"], test, "id") for each in models for test in ("unique", "not_null")] + [
        data_test(name, "varchar_lengths_fit_contract")
        for name in ("fct_sales", "dim_days", "founding_books_days")
    ]
    return {
        "nodes": {node["unique_id"]: node for node in [*models, *tests]},
        "sources": {"source.shop.till.receipts": source("receipts")},
        "unit_tests": {each["name"]: unit_test(each["name"]) for each in models[1:]},
        "groups": {
            name: {"name": name, "owner": {"name": "Someone"}} for name in ("till", "sales", "founding")
        },
        "exposures": {
            "till": {
                "name": "till",
                "description": "Shows sales.",
                "owner": {"name": "Someone"},
                "depends_on": {"nodes": ["model.shop.fct_sales"]},
            }
        },
        "macros": {
            each["name"]: each
            for each in (
                macro("euros", "euros", "{{ cents(target.schema) }}"),
                macro("portable/cents", "cents"),
                macro("portable/cents", "default__cents", "select 1"),
                macro("portable/cents", "duckdb__cents", "select 1"),
                macro("portable/cents", "redshift__cents", "select 1"),
            )
        },
        "metadata": {"project_name": "shop"},
    }


STAGING, SUMMED, FACT, DAYS, FOUNDING = (
    f"model.shop.{name}"
    for name in ("stg_till__receipts", "int_receipts_summed", "fct_sales", "dim_days", "founding_books_days")
)
RECEIPTS = "source.shop.till.receipts"


def drop_tests(manifest: dict, *unique_ids: str) -> None:
    for unique_id in unique_ids:
        del manifest["nodes"][unique_id]


def plant(manifest: dict, *path: str, value: object) -> None:
    """Set the value at a path of keys."""
    *folders, last = path
    for key in folders:
        manifest = manifest[key]
    manifest[last] = value


def planted(*path: str, value: object) -> Callable[[dict], None]:
    return lambda manifest: plant(manifest, *path, value=value)


BREACHES = [
    ("everything_is_described", planted("nodes", FACT, "description", value="Sales.")),
    ("everything_is_described", planted("nodes", FACT, "columns", "id", "description", value=" ")),
    ("everything_is_described", planted("nodes", FACT, "columns", value={})),
    ("everything_is_described", planted("sources", RECEIPTS, "source_description", value="")),
    ("everything_is_described", planted("sources", RECEIPTS, "description", value="")),
    ("everything_is_described", planted("sources", RECEIPTS, "columns", "id", "description", value="")),
    (
        "every_model_has_a_primary_key_test",
        lambda manifest: drop_tests(manifest, "test.shop.unique_fct_sales_id"),
    ),
    (
        "every_model_has_a_primary_key_test",
        lambda manifest: drop_tests(manifest, "test.shop.not_null_stg_till__receipts_id"),
    ),
    ("names_say_the_layer", planted("nodes", STAGING, "name", value="stg_receipts")),
    ("names_say_the_layer", planted("nodes", STAGING, "name", value="stg_other__receipts")),
    ("names_say_the_layer", planted("nodes", SUMMED, "name", value="int_receipts")),
    ("names_say_the_layer", planted("nodes", FACT, "name", value="sales")),
    ("names_say_the_layer", planted("nodes", FACT, "alias", value="sales")),
    ("names_say_the_layer", planted("nodes", FOUNDING, "alias", value="founding_books_days")),
    ("folders_are_schemas_and_groups", planted("nodes", FACT, "schema", value="main_marts")),
    ("folders_are_schemas_and_groups", planted("nodes", FACT, "config", "group", value="till")),
    ("folders_are_schemas_and_groups", planted("nodes", FACT, "fqn", value=["shop", "marts", "fct_sales"])),
    ("folders_are_schemas_and_groups", planted("nodes", FACT, "patch_path", value="shop://all.yml")),
    ("folders_are_schemas_and_groups", planted("nodes", FACT, "patch_path", value=None)),
    ("folders_are_schemas_and_groups", planted("nodes", FOUNDING, "schema", value="founding")),
    ("folders_are_schemas_and_groups", planted("nodes", FOUNDING, "config", "group", value="sales")),
    ("folders_are_schemas_and_groups", planted("groups", "sales", "owner", value={"name": None})),
    ("only_staging_reads_sources", planted("nodes", SUMMED, "depends_on", "nodes", value=[RECEIPTS])),
    ("every_source_table_has_one_staging_model", planted("nodes", STAGING, "name", value="stg_till__bills")),
    (
        "every_source_table_has_one_staging_model",
        planted("nodes", STAGING, "depends_on", "nodes", value=[]),
    ),
    (
        "every_source_table_has_one_staging_model",
        planted("sources", "source.shop.till.refunds", value=source("refunds")),
    ),
    (
        "every_source_table_has_one_staging_model",
        planted(
            "nodes", "model.shop.second", value=model("staging", "till", "stg_till__seconds", [RECEIPTS])
        ),
    ),
    ("marts_have_contracts", planted("nodes", FACT, "config", "contract", "enforced", value=False)),
    ("marts_have_contracts", planted("nodes", FOUNDING, "config", "contract", "enforced", value=False)),
    ("marts_have_contracts", planted("nodes", FACT, "columns", "id", "data_type", value=None)),
    ("marts_have_contracts", planted("nodes", FACT, "columns", "id", "data_type", value="varchar")),
    ("marts_have_contracts", planted("nodes", FACT, "columns", "id", "data_type", value="text")),
    (
        "marts_have_contracts",
        lambda manifest: drop_tests(manifest, "test.shop.varchar_lengths_fit_contract_fct_sales_None"),
    ),
    ("tables_lie_for_a_reason", planted("nodes", FACT, "config", "dist", value=None)),
    ("tables_lie_for_a_reason", planted("nodes", FACT, "config", "sort", value=None)),
    ("tables_lie_for_a_reason", planted("nodes", FACT, "config", "dist", value="shop_id")),
    ("tables_lie_for_a_reason", planted("nodes", SUMMED, "config", "sort", value="week")),
    ("tables_lie_for_a_reason", planted("nodes", FACT, "config", "meta", value={})),
    ("tables_lie_for_a_reason", planted("nodes", SUMMED, "config", "meta", value={})),
    ("readers_see_marts_alone", planted("nodes", FACT, "config", "access", value="protected")),
    ("readers_see_marts_alone", planted("nodes", SUMMED, "config", "access", value="public")),
    ("readers_see_marts_alone", planted("exposures", "till", "depends_on", "nodes", value=[SUMMED])),
    ("readers_see_marts_alone", planted("exposures", "till", "owner", value={"name": None})),
    ("readers_see_marts_alone", planted("exposures", "till", "description", value=" ")),
    (
        "public_models_have_an_example_query",
        lambda manifest: manifest["nodes"][FACT]["config"]["meta"].pop("example_query"),
    ),
    *(
        (
            "public_models_have_an_example_query",
            planted("nodes", FACT, "config", "meta", "example_query", value=query),
        )
        for query in (
            "select count(*) from marts.fct_sales",
            "-- All of them\nselect count(*) from marts.fct_sales",
            "-- How many?\nselect count(*) from marts.fct_sales_2",
            "-- How many?\nselect count(*) from marts.fct_sales;",
        )
    ),
    (
        "marts_with_terms_say_whether_to_train",
        lambda manifest: manifest["nodes"][FACT]["columns"].pop("is_training_allowed"),
    ),
    *(
        (
            "rows_say_where_they_come_from",
            lambda manifest, name=name: manifest["nodes"][FACT]["columns"].pop(name),
        )
        for name in ("source_system", "terms_of_use", "loaded_at")
    ),
    ("logic_has_a_unit_test", lambda manifest: manifest["unit_tests"].pop("int_receipts_summed")),
    ("logic_has_a_unit_test", planted("nodes", STAGING, "raw_code", value="select nullif(a, 0) from b")),
    ("logic_has_a_unit_test", planted("nodes", STAGING, "raw_code", value="select {{ cents('a') }} from b")),
    ("logic_has_a_unit_test", planted("nodes", STAGING, "raw_code", value="select a from b\nWHERE a > 0")),
    (
        "no_upstream_concept_is_rejoined",
        lambda manifest: (
            drop_tests(manifest, DAYS),
            plant(manifest, "nodes", FACT, "depends_on", "nodes", value=[STAGING, SUMMED]),
        ),
    ),
    ("layers_flow_one_way", planted("nodes", STAGING, "depends_on", "nodes", value=[RECEIPTS, FACT])),
    ("layers_flow_one_way", planted("nodes", SUMMED, "depends_on", "nodes", value=[DAYS])),
    ("layers_flow_one_way", planted("nodes", FACT, "depends_on", "nodes", value=[FOUNDING])),
    ("layers_flow_one_way", planted("nodes", FOUNDING, "depends_on", "nodes", value=[SUMMED])),
    ("sources_are_fresh_or_exempt", planted("sources", RECEIPTS, "freshness", value=None)),
    ("sources_are_fresh_or_exempt", planted("sources", RECEIPTS, "loaded_at_field", value=None)),
    (
        "sources_are_fresh_or_exempt",
        planted("sources", RECEIPTS, "config", "meta", value={"freshness_exemption": "No reason."}),
    ),
    (
        "no_model_asks_for_the_target",
        planted("nodes", FACT, "raw_code", value="{% if target.type == 'duckdb' %}select 1{% endif %}"),
    ),
    (
        "macros_for_one_target_are_portable",
        planted("macros", "euros", "macro_sql", value="{% if target.type == 'duckdb' %}1{% endif %}"),
    ),
    ("macros_for_one_target_are_portable", planted("macros", "euros", value=macro("euros", "euros"))),
    (
        "macros_for_one_target_are_portable",
        planted("macros", "euros", value=macro("euros", "redshift__euros", "select 1")),
    ),
    (
        "macros_for_one_target_are_portable",
        planted("macros", "cents", value=macro("portable/money", "cents")),
    ),
    ("macros_for_one_target_are_portable", lambda manifest: manifest["macros"].pop("redshift__cents")),
    (
        "unit_test_fixtures_begin_with_a_full_row",
        planted("unit_tests", "fct_sales", "expect", value={"rows": [{"id": None}, {"id": "b"}]}),
    ),
    (
        "unit_test_fixtures_begin_with_a_full_row",
        planted("unit_tests", "fct_sales", "expect", value={"rows": [{"id": "a"}, {"id": "b", "sum": 1}]}),
    ),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_rule_holds_in_the_small_project(rule: Callable[[dict], list[str]]) -> None:
    assert rule(small_manifest()) == []


@pytest.mark.parametrize(
    ("rule", "breach"), BREACHES, ids=[f"{rule}-{number}" for number, (rule, _) in enumerate(BREACHES)]
)
def test_breach_is_found(rule: str, breach: Callable[[dict], None]) -> None:
    manifest = deepcopy(small_manifest())
    breach(manifest)
    assert getattr(house_rules, rule)(manifest)


def test_every_rule_has_a_breach() -> None:
    assert {rule for rule, _ in BREACHES} == {rule.__name__ for rule in RULES}


def test_a_comment_is_no_logic() -> None:
    manifest = small_manifest()
    plant(manifest, "nodes", STAGING, "raw_code", value="-- where from\nselect 1 {# join #}")
    assert house_rules.logic_has_a_unit_test(manifest) == []


def test_a_mart_may_leave_its_sort_key_to_redshift() -> None:
    manifest = small_manifest()
    plant(manifest, "nodes", FACT, "config", "dist", value="auto")
    plant(manifest, "nodes", FACT, "config", "sort", value=None)
    assert house_rules.tables_lie_for_a_reason(manifest) == []


def test_a_parent_with_a_second_child_may_be_rejoined() -> None:
    manifest = small_manifest()
    plant(manifest, "nodes", FACT, "depends_on", "nodes", value=[STAGING, SUMMED])
    assert house_rules.no_upstream_concept_is_rejoined(manifest) == []
