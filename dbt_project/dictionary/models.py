"""What readers may see: the public models of a dbt manifest, their columns, keys and references."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

NOT_ARGUMENTS = ("model", "column_name")
"""What dbt adds to the arguments of a test."""


@dataclass
class Column:
    """A column: its type as the contract says it, what it means, and its tests in words."""

    name: str
    type: str
    description: str
    tests: list[str] = field(default_factory=list)
    is_required: bool = False


@dataclass(frozen=True)
class Reference:
    """A column whose values are those of another model's column, as a test of relationships says."""

    column: str
    to: str
    to_column: str


@dataclass
class Model:
    """A public model. `relation` is what queries call it; `tests` are those of no single column, in words.

    `unique` are the columns, alone or together, that are tested to be unique.
    """

    unique_id: str
    relation: str
    group: str
    access: str
    materialized: str
    description: str
    example_query: str
    columns: dict[str, Column]
    tests: list[str] = field(default_factory=list)
    references: list[Reference] = field(default_factory=list)
    unique: list[list[str]] = field(default_factory=list)

    @property
    def key(self) -> list[str]:
        """The columns that identify a row: of those that are unique and never NULL, the fewest."""
        keys = [names for names in self.unique if all(self.columns[name].is_required for name in names)]
        return min(keys, key=len)

    @property
    def title(self) -> str:
        """The relation's name, in `marts` without the schema."""
        return self.relation.removeprefix("marts.")


def public_models(manifest: dict) -> list[Model]:
    """The public models of a manifest, by group and name; what their columns refer to is public, too."""
    found = {
        node["unique_id"]: _model(node)
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model" and node["access"] == "public"
    }
    for test in _tests_in_order(manifest):
        _note(test, found)
    return sorted(found.values(), key=lambda model: (model.group, model.relation))


def _model(node: dict) -> Model:
    return Model(
        unique_id=node["unique_id"],
        relation=f"{node['schema']}.{node['alias']}",
        group=node["config"]["group"],
        access=node["access"],
        materialized=node["config"]["materialized"],
        description=node["description"],
        example_query=node["config"]["meta"]["example_query"].strip(),
        columns={
            column["name"]: Column(column["name"], column["data_type"], column["description"])
            for column in node["columns"].values()
        },
    )


def _tests_in_order(manifest: dict) -> Iterator[dict]:
    tests = [node for node in manifest["nodes"].values() if node["resource_type"] == "test"]
    yield from sorted(tests, key=lambda test: (ORDER.get(_kind(test), len(ORDER)), test["name"]))


ORDER = {kind: place for place, kind in enumerate(("unique", "not_null", "relationships"))}


def _kind(test: dict) -> str:
    """The name of a generic test; '' for a query of its own."""
    return (test.get("test_metadata") or {}).get("name", "")


def _note(test: dict, models: dict[str, Model]) -> None:
    """Add a test to what it is a test of."""
    kind = _kind(test)
    if not kind:
        for unique_id in test["depends_on"]["nodes"]:
            if unique_id in models:
                models[unique_id].tests.append(_as_sentence(test["name"]))
        return
    model = models.get(test.get("attached_node"))
    if model is None:
        return
    arguments = test["test_metadata"]["kwargs"]
    column = model.columns.get(test.get("column_name"))
    if kind == "relationships" and column:
        (name,) = re.findall(r"ref\('(\w+)'\)", arguments["to"])
        parents = [one for one in models.values() if one.unique_id.endswith(f".{name}")]
        for parent in parents:
            model.references.append(Reference(column.name, parent.relation, arguments["field"]))
    if kind == "unique" and column:
        model.unique.append([column.name])
    if kind == "unique_combination_of_columns":
        model.unique.append(arguments["columns"])
    if kind == "not_null" and column:
        column.is_required = True
    words = _in_words(test, kind, {k: v for k, v in arguments.items() if k not in NOT_ARGUMENTS})
    if test["config"].get("severity", "error").lower() == "warn":
        words += " (warns)"
    (column or model).tests.append(words)


def _in_words(test: dict, kind: str, arguments: dict) -> str:
    if not test["name"].startswith(kind):  # it was given a name
        return _as_sentence(test["name"])
    match kind:
        case "relationships":
            (name,) = re.findall(r"ref\('(\w+)'\)", arguments["to"])
            return f"in `{name}.{arguments['field']}`"
        case "accepted_values":
            return "one of " + ", ".join(f"`{value}`" for value in arguments["values"])
        case "accepted_range":
            low, high = (arguments.get(limit) for limit in ("minimum", "maximum"))
            if low is None or high is None:
                return f"at least {low}" if high is None else f"at most {high}"
            return f"{low} to {high}"
        case "unique_combination_of_columns":
            return "unique together: " + ", ".join(f"`{name}`" for name in arguments["columns"])
        case "expression_is_true":
            return f"`{arguments['expression']}`"
    details = ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in arguments.items())
    return _as_sentence(kind) + (f" ({details})" if details else "")


def _as_sentence(name: str) -> str:
    return name.replace("_", " ")
