"""vocabulary.yml, read: what Redshift takes, and the page of the documentation that says so."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from dbt_project.lint.redshift.tokens import tokenize

DOCUMENTATION = "https://docs.aws.amazon.com/redshift/latest/dg/{page}.html"

FUNCTIONS_PAGE, TYPES_PAGE, STATEMENTS_PAGE = "c_SQL_functions", "c_Supported_data_types", "c_SQL_commands"
"""The pages to look at for what is not listed."""


@dataclass(frozen=True)
class RefusedClause:
    """A sequence of tokens that no statement holds, what to write instead, and the page to read."""

    keys: tuple[str, ...]
    instead: str
    page: str


@dataclass(frozen=True)
class Vocabulary:
    """Lists of vocabulary.yml. A mapping is from a name in lower case to the page that lists it."""

    functions: Mapping[str, str]
    arguments: Mapping[str, int]
    instead_of_functions: Mapping[str, str]
    types: Mapping[str, str]
    largest: Mapping[str, int]
    statements: frozenset[tuple[str, ...]]
    after_tables: frozenset[str]
    refused_clauses: tuple[RefusedClause, ...]
    refused_symbols: Mapping[str, str]
    refused_values: Mapping[str, str]
    frame_needed: frozenset[str]
    reserved_words: frozenset[str]


@cache
def redshift() -> Vocabulary:
    """The vocabulary of Redshift."""
    lists = yaml.safe_load(Path(__file__).with_name("vocabulary.yml").read_text())
    return Vocabulary(
        functions=_page_by_name(lists["functions"]),
        arguments=_merged(lists["arguments"]),
        instead_of_functions=lists["instead_of_functions"],
        types=_page_by_name(lists["types"]),
        largest=_merged(lists["largest"]),
        statements=frozenset(tuple(words.split()) for words in _page_by_name(lists["statements"])),
        after_tables=frozenset(_page_by_name(lists["after_tables"])),
        refused_clauses=tuple(
            RefusedClause(tuple(token.key for token in tokenize(clause)), instead, page)
            for page, clauses in lists["refused_clauses"].items()
            for clause, instead in clauses.items()
        ),
        refused_symbols=_page_by_name(lists["refused_symbols"]),
        refused_values=_page_by_name(lists["refused_values"]),
        frame_needed=frozenset(_page_by_name(lists["frame_needed"])),
        reserved_words=frozenset(_page_by_name(lists["reserved_words"])),
    )


def _page_by_name(section: dict[str, str | list[str]]) -> dict[str, str]:
    """Each name with its page: names stand in a list, or as the words of a text."""
    return {
        name: page
        for page, names in section.items()
        for name in (names.split() if isinstance(names, str) else names)
    }


def _merged(section: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """What stands under all pages."""
    return {name: value for values in section.values() for name, value in values.items()}
