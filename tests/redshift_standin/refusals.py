"""What does not reach PostgreSQL: what the lint knows that Redshift refuses, and what has no translation."""

from collections.abc import Sequence
from dataclasses import replace

from dbt_project.lint.redshift.rules import findings_in
from dbt_project.lint.redshift.tokens import Token, keys_of
from dbt_project.lint.redshift.vocabulary import redshift
from tests.redshift_standin.errors import NotRecognised, RefusedByRedshift
from tests.redshift_standin.vocabulary import CATALOG_FUNCTIONS, CATALOG_TYPES

_SQLSTATES = {"clause": "0A000", "function": "42883", "type": "42704"}

_VOCABULARY = replace(
    redshift(),
    functions={**redshift().functions, **CATALOG_FUNCTIONS},
    types={**redshift().types, **CATALOG_TYPES},
)

_NOT_TRANSLATED = ("pivot", "unpivot")


def refuse(tokens: Sequence[Token]) -> None:
    """Raise RefusedByRedshift with the first thing in a statement that Redshift does not take."""
    for finding in findings_in(tokens, _VOCABULARY):
        raise RefusedByRedshift(f"{finding.what} (see {finding.page})", _SQLSTATES[finding.kind])


def check_translatable(tokens: Sequence[Token]) -> None:
    """Raise NotRecognised for what Redshift takes and has no translation."""
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else Token("symbol", "")
        previous = tokens[place - 1] if place else Token("symbol", "")
        if token.kind == "symbol" and token.text in ("[", "@", "?"):
            raise NotRecognised(f"{token.text}: arrays and SUPER are not translated")
        if token.is_word("qualify") and previous.text != "." and following.is_name:
            raise NotRecognised(f"{token.key.upper()} is not translated")
        if token.is_word("top") and following.kind == "number":
            raise NotRecognised("TOP is not translated: use LIMIT")
        if keys_of(tokens[place:], 3) == ("group", "by", "all"):
            raise NotRecognised("GROUP BY ALL is not translated")
        if token.is_word(*_NOT_TRANSLATED) and following.text == "(":
            raise NotRecognised(f"{token.key.upper()} is not translated")
