"""How models hang together, as entity-relationship diagrams in Mermaid, which GitHub draws."""

from collections.abc import Iterable, Sequence

from dbt_project.dictionary.models import Model, Reference


def diagram(group: str, models: Sequence[Model]) -> str:
    """The models of a group with the columns that identify or refer, and what they refer to.

    Models of other groups appear where one of this group refers to them, as a name alone.
    """
    lines = ["erDiagram"]
    inside = [model for model in models if model.group == group]
    for model in inside:
        for reference in model.references:
            lines.append(f"    {_relationship(model, reference)}")
    for model in inside:
        lines.append(f"    {_entity(model.relation)} {{")
        lines += [f"        {attribute}" for attribute in _attributes(model)]
        lines.append("    }")
    return "\n".join(lines)


def _relationship(model: Model, reference: Reference) -> str:
    column = model.columns[reference.column]
    many = "|o" if [column.name] in model.unique else "}o"
    one = "||" if column.is_required else "o|"
    return f"{_entity(model.relation)} {many}--{one} {_entity(reference.to)} : {reference.column}"


def _attributes(model: Model) -> Iterable[str]:
    key = model.key
    referring = {reference.column for reference in model.references}
    for column in model.columns.values():
        marks = [
            mark for mark, holds in (("PK", column.name in key), ("FK", column.name in referring)) if holds
        ]
        if marks:
            type_ = column.type.split("(")[0].replace(" ", "_")
            yield f"{type_} {column.name} {', '.join(marks)}"


def _entity(relation: str) -> str:
    """The name of a box: Mermaid takes no dots in names."""
    return relation.removeprefix("marts.").replace(".", "_")
