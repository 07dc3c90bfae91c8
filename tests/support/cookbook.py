"""The queries of docs/cookbook.md and the answers that are printed below them.

`python -m tests.support.cookbook DATABASE` runs them on a DuckDB file that holds the sandbox, and writes the
answers anew.
"""

import re
import sys
from collections.abc import Callable
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import duckdb

from tests.support.checkout import ROOT

COOKBOOK = ROOT / "docs" / "cookbook.md"

_RECIPE = re.compile(r"```sql\n(?P<query>[^`]*)```\n(?P<answer>(?:\n(?:\|[^\n]*\n)+)?)")


class Recipe(NamedTuple):
    """A query, and its answer as a table of Markdown; '' where none is printed."""

    query: str
    answer: str


def recipes() -> list[Recipe]:
    """All of the document, in its order."""
    text = COOKBOOK.read_text()
    found = [Recipe(match["query"], match["answer"].strip()) for match in _RECIPE.finditer(text)]
    assert len(found) == text.count("```sql") > 0
    return found


def answer(connection: Any, query: str) -> str:
    """What a query answers through any DB-API connection, as a table of Markdown."""
    cursor = connection.cursor()
    cursor.execute(query)
    names = [column[0] for column in cursor.description]
    rows = [names, ["---"] * len(names), *([_cell(value) for value in row] for row in cursor.fetchall())]
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cell(value: Any) -> str:
    match value:
        case None:
            return ""
        case float() | Decimal():
            return f"{float(value):.6g}"
        case date() | datetime():
            return value.isoformat()
        case _:
            return str(value).replace("|", "\\|")


def write_answers(answered: Callable[[str], str]) -> None:
    """Put under each query of the document what `answered` says of it."""
    text = _RECIPE.sub(
        lambda match: f"```sql\n{match['query']}```\n\n{answered(match['query'])}\n", COOKBOOK.read_text()
    )
    COOKBOOK.write_text(text)


if __name__ == "__main__":
    with duckdb.connect(sys.argv[1], read_only=True) as connection:
        write_answers(lambda query: answer(connection, query))
