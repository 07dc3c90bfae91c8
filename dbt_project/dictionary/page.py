"""The page: what there is, how it hangs together, and every model with its columns and a query."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml

from dbt_project.dictionary.diagram import diagram
from dbt_project.dictionary.models import Column, Model, public_models

FOUNDING = Path(__file__).with_name("founding.yml")


def data_dictionary(
    manifest: dict,
    row_counts: Mapping[str, int],
    founding: Mapping[str, Mapping[str, Sequence[str]]],
    is_sandbox: bool,
) -> str:
    """The data dictionary as Markdown; `row_counts` by relation, `founding` by `founding_columns`."""
    models = public_models(manifest)
    whose = "the made-up world that `make run` builds without any setting" if is_sandbox else "this warehouse"
    lines = [
        "# Data dictionary",
        "",
        "Written by `make docs` from the dbt project: change the models' YAML, not this page. "
        f"Row counts are those of {whose}.",
        "",
        "| table | area | rows | one row per |",
        "|---|---|--:|---|",
        *(
            f"| {_link(model)} | {model.group} | {row_counts[model.relation]:,} | {_cell(_grain(model))} |"
            for model in models
        ),
        "",
        "Where the columns of the project's founding documents live: "
        "[the end of this page](#founding-data-dictionary-where-each-column-lives).",
    ]
    for group in dict.fromkeys(model.group for model in models):
        about = manifest["groups"][f"group.{manifest['metadata']['project_name']}.{group}"]
        lines += ["", f"## {group.capitalize()}", "", _flat(about["description"]), ""]
        lines += ["```mermaid", diagram(group, models), "```"]
        for model in models:
            if model.group == group:
                lines += _section(model, models, manifest)
    lines += _founding(models, founding)
    return "\n".join(lines) + "\n"


def _section(model: Model, models: Sequence[Model], manifest: dict) -> Iterator[str]:
    yield from ("", f"### {model.title}", "", _flat(model.description), "")
    yield f"`{model.relation}`, {_article(model.materialized)}, {model.access}."
    yield from ("", "* **Key**: " + ", ".join(f"`{name}`" for name in model.key))
    by_relation = {one.relation: one for one in models}
    joins = [f"{_link(by_relation[to.to])} by `{to.column}`" for to in model.references]
    joined = [
        f"{_link(one)} by its `{to.column}`"
        for one in models
        for to in one.references
        if to.to == model.relation and one is not model
    ]
    users = [
        exposure["label"] or exposure["name"]
        for exposure in manifest["exposures"].values()
        if model.unique_id in exposure["depends_on"]["nodes"]
    ]
    for what, found in (
        ("Refers to", joins),
        ("Referred to by", joined),
        ("Holds", model.tests),
        ("Read by", sorted(users)),
    ):
        if found:
            yield f"* **{what}**: {'; '.join(found)}"
    yield from ("", "| column | type | meaning | tests |", "|---|---|---|---|")
    for column in model.columns.values():
        yield f"| `{column.name}` | {column.type} | {_cell(column.description)} | {_tests(column)} |"
    yield from ("", "```sql", model.example_query, "```")


def _founding(models: Sequence[Model], founding: Mapping[str, Mapping[str, Sequence[str]]]) -> Iterator[str]:
    yield from ("", "## Founding data dictionary: where each column lives", "")
    yield "| table | column | here |"
    yield "|---|---|---|"
    titles = {model.title: model for model in models}
    for table, columns in founding.items():
        for column, homes in columns.items():
            here = [f"{_link(titles[home.rpartition('.')[0]])} `{home.rpartition('.')[2]}`" for home in homes]
            yield f"| {table} | {column} | {', '.join(here)} |"


def founding_columns() -> dict[str, dict[str, list[str]]]:
    """The founding dictionary: by table and column, the columns (`mart.column`) that hold it."""
    return yaml.safe_load(FOUNDING.read_text())


def _grain(model: Model) -> str:
    """The first sentence of the description, which begins with the grain, up to its first aside."""
    sentence = _flat(model.description).removeprefix("One row per ").split(". ")[0]
    return sentence.split(" - ")[0].removesuffix(".")


def _tests(column: Column) -> str:
    return _cell("; ".join(column.tests))


def _article(materialized: str) -> str:
    return f"{'an' if materialized[0] in 'aeiou' else 'a'} {materialized}{_TABLE.get(materialized, '')}"


_TABLE = {"incremental": " table"}


def _link(model: Model) -> str:
    return f"[{model.title}](#{model.title.replace('.', '')})"


def _flat(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _flat(text).replace("|", r"\|")
