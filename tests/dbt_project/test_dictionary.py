"""The data dictionary says what the dbt project says, and the page in docs/ is current.

That its row counts are those of the sandbox is tested where a sandbox is built (tests/orchestration).
"""

import re

import pytest

from dbt_project.dictionary.diagram import diagram
from dbt_project.dictionary.models import Reference, public_models
from dbt_project.dictionary.page import data_dictionary, founding_columns
from tests.dbt_project.conftest import REPOSITORY

PAGE = REPOSITORY / "docs" / "data-dictionary.md"
RENEW = "docs/data-dictionary.md is not current: `make run`, without a source of your own, then `make docs`"

ROWS = re.compile(r"^\| \[([\w.]+)\]\(#\w+\) \| \w+ \| ([\d,]+) \|", re.MULTILINE)


def row_counts_on_the_page() -> dict[str, int]:
    return {
        name if "." in name else f"marts.{name}": int(count.replace(",", ""))
        for name, count in ROWS.findall(PAGE.read_text())
    }


def test_the_page_is_current(manifest: dict) -> None:
    row_counts = row_counts_on_the_page()
    assert set(row_counts) == {model.relation for model in public_models(manifest)}, RENEW
    assert PAGE.read_text() == data_dictionary(manifest, row_counts, founding_columns(), is_sandbox=True), (
        RENEW
    )


def test_every_link_leads_to_a_heading_of_the_page() -> None:
    page = PAGE.read_text()
    headings = [line.lstrip("# ") for line in page.splitlines() if line.startswith("#")]
    anchors = [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]
    assert len(set(anchors)) == len(anchors), "GitHub numbers headings of one name"
    assert set(re.findall(r"\]\(#([^)]+)\)", page)) <= set(anchors)


def test_every_column_of_the_founding_dictionary_has_a_home_that_exists(manifest: dict) -> None:
    columns = {f"{model.title}.{name}" for model in public_models(manifest) for name in model.columns}
    homes = [homes for table in founding_columns().values() for homes in table.values()]
    assert all(homes), "a column without a home"
    assert {home for named in homes for home in named} - columns == set()


def test_the_notebook_reads_what_its_exposure_says(manifest: dict) -> None:
    read = set(re.findall(r"\bmarts\.(\w+)", (REPOSITORY / "docs" / "notebook.py").read_text()))
    exposure = manifest["exposures"]["exposure.music_warehouse.notebook"]
    assert {name.rpartition(".")[2] for name in exposure["depends_on"]["nodes"]} == read


# ---- Mermaid's grammar of entity-relationship diagrams, as far as it is used


ENTITY, TYPE = r"[A-Za-z_]\w*", r"[a-z]\w*"
RELATIONSHIP = re.compile(rf"    ({ENTITY}) (?:\}}o|\|o)--(?:\|\||o\|) ({ENTITY}) : {ENTITY}")
OPENING = re.compile(rf"    ({ENTITY}) \{{")
ATTRIBUTE = re.compile(rf"        {TYPE} ({ENTITY}) (?:PK|FK|PK, FK)")


def check_syntax(drawn: str) -> None:
    """Every line is one that Mermaid takes there; an entity is told once, an attribute once in it."""
    first, *lines = drawn.splitlines()
    assert first == "erDiagram"
    told: dict[str, list[str]] = {}
    is_open = False
    for line in lines:
        if is_open:
            if line == "    }":
                is_open = False
                continue
            attributes = told[list(told)[-1]]
            attributes.append(ATTRIBUTE.fullmatch(line)[1])
            assert attributes.count(attributes[-1]) == 1, line
        elif opening := OPENING.fullmatch(line):
            assert opening[1] not in told, line
            told[opening[1]] = []
            is_open = True
        else:
            assert RELATIONSHIP.fullmatch(line), line
    assert not is_open
    assert all(told.values()), "an entity without a key"


def test_the_diagrams_of_the_page_are_mermaid() -> None:
    drawn = re.findall(r"^```mermaid\n(.*?)^```$", PAGE.read_text(), re.MULTILINE | re.DOTALL)
    assert drawn
    for one in drawn:
        check_syntax(one)


@pytest.mark.parametrize(
    "wrong",
    [
        "erDiagram\n    a.b }o--|| c : d",
        "erDiagram\n    a }o--|| c",
        "erDiagram\n    a {\n        double precision x PK\n    }",
        "erDiagram\n    a {\n        date x PK",
        "flowchart\n    a --> b",
    ],
    ids=["dot in a name", "no label", "type of two words", "left open", "another diagram"],
)
def test_what_mermaid_refuses_is_seen(wrong: str) -> None:
    with pytest.raises((AssertionError, TypeError)):
        check_syntax(wrong)


# ---- a small project


def model(
    name: str, group: str, columns: dict[str, str], schema: str = "marts", access: str = "public"
) -> dict:
    return {
        "resource_type": "model",
        "unique_id": f"model.shop.{name}",
        "schema": schema,
        "alias": name.removeprefix("old_"),
        "access": access,
        "description": "One row per receipt - paper\nor not. And | more.",
        "config": {
            "group": group,
            "materialized": "incremental",
            "meta": {"example_query": f"-- How many?\nselect count(*) from {schema}.{name}\n"},
        },
        "columns": {
            column: {"name": column, "data_type": type_, "description": f"The {column}\nof it."}
            for column, type_ in columns.items()
        },
    }


def data_test(tested: str, kind: str, column: str | None = None, name: str = "", **arguments: object) -> dict:
    return {
        "resource_type": "test",
        "unique_id": f"test.shop.{kind}_{tested}_{column}_{name}",
        "name": name or f"{kind}_{tested}_{column}",
        "attached_node": f"model.shop.{tested}",
        "column_name": column,
        "test_metadata": {"name": kind, "kwargs": {"model": "it", "column_name": column, **arguments}},
        "depends_on": {"nodes": [f"model.shop.{tested}"]},
        "config": {"severity": "WARN" if kind == "recency" else "ERROR"},
    }


def small_manifest() -> dict:
    sales = {"shop_id": "varchar(8)", "sold_on": "date", "amount": "double precision", "kind": "varchar(8)"}
    to_shops = {"to": "ref('dim_shops')", "field": "shop_id"}
    nodes = [
        model("dim_shops", "places", {"shop_id": "varchar(8)", "name": "varchar(64)"}),
        model("fct_sales", "money", sales),
        model("old_sales", "money", {"id": "bigint"}, schema="founders"),
        model("int_sales", "money", {"id": "bigint"}, access="protected"),
        data_test("dim_shops", "unique", "shop_id"),
        data_test("dim_shops", "not_null", "shop_id"),
        data_test("dim_shops", "unique", "name"),
        data_test("old_sales", "unique", "id"),
        data_test("old_sales", "not_null", "id"),
        data_test("old_sales", "relationships", "id", **to_shops),
        data_test("int_sales", "unique", "id"),
        data_test("fct_sales", "relationships", "shop_id", **to_shops),
        data_test("fct_sales", "not_null", "shop_id"),
        data_test("fct_sales", "not_null", "sold_on"),
        data_test("fct_sales", "unique_combination_of_columns", columns=["shop_id", "sold_on"]),
        data_test("fct_sales", "expression_is_true", expression="amount > 0 or kind = 'refund'"),
        data_test("fct_sales", "expression_is_true", name="sales_add_up", expression="1 = 1"),
        data_test("fct_sales", "accepted_range", "amount", minimum=-1, maximum=10),
        data_test("fct_sales", "accepted_values", "kind", values=["sale", "refund"]),
        data_test("fct_sales", "recency", "sold_on", interval_days=3),
    ]
    singular = {
        "resource_type": "test",
        "unique_id": "test.shop.sales_are_of_shops",
        "name": "sales_are_of_shops",
        "depends_on": {"nodes": ["model.shop.fct_sales", "model.shop.dim_shops"]},
        "config": {"severity": "ERROR"},
    }
    return {
        "metadata": {"project_name": "shop"},
        "nodes": {node["unique_id"]: node for node in [*nodes, singular]},
        "groups": {f"group.shop.{name}": {"description": f"About {name}."} for name in ("places", "money")},
        "exposures": {
            "till": {"name": "till", "label": None, "depends_on": {"nodes": ["model.shop.fct_sales"]}}
        },
    }


def test_only_public_models_are_in_it_by_group_and_name() -> None:
    assert [model.title for model in public_models(small_manifest())] == [
        "founders.sales",
        "fct_sales",
        "dim_shops",
    ]


def test_tests_are_told_in_words() -> None:
    (sales,) = (model for model in public_models(small_manifest()) if model.title == "fct_sales")
    assert {column.name: column.tests for column in sales.columns.values()} == {
        "shop_id": ["not null", "in `dim_shops.shop_id`"],
        "sold_on": ["not null", "recency (interval days 3) (warns)"],
        "amount": ["-1 to 10"],
        "kind": ["one of `sale`, `refund`"],
    }
    assert sorted(sales.tests) == [
        "`amount > 0 or kind = 'refund'`",
        "sales add up",
        "sales are of shops",
        "unique together: `shop_id`, `sold_on`",
    ]


def test_the_key_is_what_is_unique_and_never_null() -> None:
    keys = {model.title: model.key for model in public_models(small_manifest())}
    assert keys == {"dim_shops": ["shop_id"], "fct_sales": ["shop_id", "sold_on"], "founders.sales": ["id"]}


def test_references_are_those_that_tests_hold() -> None:
    (sales,) = (model for model in public_models(small_manifest()) if model.title == "fct_sales")
    assert sales.references == [Reference("shop_id", "marts.dim_shops", "shop_id")]


def test_a_diagram_shows_the_keys_of_a_group_and_what_they_refer_to() -> None:
    drawn = diagram("money", public_models(small_manifest()))
    check_syntax(drawn)
    assert drawn.splitlines() == [
        "erDiagram",
        "    founders_sales |o--|| dim_shops : id",
        "    fct_sales }o--|| dim_shops : shop_id",
        "    founders_sales {",
        "        bigint id PK, FK",
        "    }",
        "    fct_sales {",
        "        varchar shop_id PK, FK",
        "        date sold_on PK",
        "    }",
    ]


def test_a_section_holds_the_grain_the_joins_the_readers_and_a_query() -> None:
    founding = {"Shops": {"id": ["dim_shops.shop_id", "founders.sales.id"]}}
    row_counts = {"marts.dim_shops": 3, "marts.fct_sales": 1234, "founders.sales": 0}
    page = data_dictionary(small_manifest(), row_counts, founding, is_sandbox=False)
    assert "| [fct_sales](#fct_sales) | money | 1,234 | receipt |" in page
    assert "those of this warehouse" in page
    section = page[page.index("### fct_sales") : page.index("## Places")]
    assert section.splitlines()[2] == "One row per receipt - paper or not. And | more."
    for line in (
        "`marts.fct_sales`, an incremental table, public.",
        "* **Key**: `shop_id`, `sold_on`",
        "* **Refers to**: [dim_shops](#dim_shops) by `shop_id`",
        "* **Read by**: till",
        "| `amount` | double precision | The amount of it. | -1 to 10 |",
        "```sql\n-- How many?\nselect count(*) from marts.fct_sales\n```",
    ):
        assert line in section
    assert "* **Referred to by**: [founders.sales](#founderssales) by its `id`; " in page
    assert "| Shops | id | [dim_shops](#dim_shops) `shop_id`, [founders.sales](#founderssales) `id` |" in page
