"""What PostgreSQL takes and Redshift refuses, found in the tokens of a statement.

Functions and types are refused by not being in the vocabulary; here is the syntax.
"""

from collections.abc import Sequence
from itertools import pairwise

from tests.redshift_standin.errors import NotRecognised, RefusedByRedshift
from tests.redshift_standin.tokens import Token, closing
from tests.redshift_standin.vocabulary import NEEDS_FRAME, RESERVED_WORDS

_REFUSED_SEQUENCES = {
    ("distinct", "on"): "SELECT DISTINCT ON: use row_number()",
    ("filter", "("): "FILTER (WHERE ...): use sum(case when ... then 1 end)",
    ("lateral", "("): "LATERAL",
    ("on", "conflict"): "INSERT ... ON CONFLICT",
    ("for", "update"): "SELECT ... FOR UPDATE",
    ("for", "share"): "SELECT ... FOR SHARE",
    ("distinct", "from"): "IS DISTINCT FROM",
    ("array", "["): "arrays of PostgreSQL",
}

_NOT_RECOGNISED_WORDS = ("qualify", "pivot", "unpivot", "tablesample", "cube", "rollup")


def check_syntax(tokens: Sequence[Token], *, may_hold_values: bool = False) -> None:
    """Raise RefusedByRedshift or NotRecognised for syntax that must not reach PostgreSQL.

    A VALUES list is taken in INSERT only.
    """
    for place, token in enumerate(tokens):
        following = tokens[place + 1] if place + 1 < len(tokens) else Token("symbol", "")
        previous = tokens[place - 1] if place else Token("symbol", "")
        if token.kind == "symbol" and token.text in ("[", "->", "->>", "#>", "#>>", "@", "?"):
            raise NotRecognised(f"{token.text}: arrays, JSON operators and SUPER are not translated")
        if token.kind != "word":
            continue
        reason = _REFUSED_SEQUENCES.get((token.key, following.key))
        if reason:
            raise RefusedByRedshift(reason)
        if token.key in ("insert", "update", "delete") and previous.text == "(":
            raise RefusedByRedshift(f"{token.key.upper()} within another statement")
        if token.key == "returning":
            raise RefusedByRedshift("RETURNING")
        if token.key == "values" and following.text == "(" and not may_hold_values:
            raise RefusedByRedshift("VALUES as a table: use select ... union all")
        if token.key in _NOT_RECOGNISED_WORDS and following.text in ("(", "group"):
            raise NotRecognised(f"{token.key.upper()} is not translated")
        if token.key == "qualify" and previous.text != ".":
            raise NotRecognised("QUALIFY is not translated")
        if token.key in RESERVED_WORDS and previous.text != ".":
            raise RefusedByRedshift(f'"{token.key}" is a reserved word: as a name it must be quoted')


def check_window(function: str, arguments: Sequence[Token], window: Sequence[Token]) -> None:
    """Raise RefusedByRedshift for a window that Redshift does not take: `window` is what OVER (...) holds."""
    words = [token.key for token in window if token.kind == "word"]
    if any(word in words for word in ("range", "groups")):
        raise RefusedByRedshift("window frames other than ROWS")
    has_order = any(pair == ("order", "by") for pair in pairwise(words))
    if has_order and "rows" not in words and function in NEEDS_FRAME:
        raise RefusedByRedshift(
            f"{function}() over (... order by ...): aggregate window functions with an ORDER BY clause "
            "require a frame clause"
        )
    if arguments and arguments[0].is_word("distinct"):
        raise RefusedByRedshift(f"{function}(distinct ...) over (...)")


def window_after(tokens: Sequence[Token], place: int) -> Sequence[Token] | None:
    """What `over (...)` at `place` holds; None where there is none."""
    if place + 1 < len(tokens) and tokens[place].is_word("over"):
        if tokens[place + 1].text != "(":
            raise NotRecognised("OVER with a named window")
        return tokens[place + 2 : closing(tokens, place + 1)]
    return None
