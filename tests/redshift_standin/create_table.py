"""CREATE TABLE: Redshift's column types and physical design as PostgreSQL's columns.

Text lengths are bytes (the catalog's event trigger checks them), keys are planner hints that are
not enforced, and distribution and sort keys only go into the catalog, in a comment that its event
trigger reads.
"""

import json
from collections.abc import Sequence

from dbt_project.lint.redshift.tokens import Token, closing, qualified_name, split_list, text_of
from tests.redshift_standin.errors import NotRecognised, RefusedByRedshift, UnknownType
from tests.redshift_standin.vocabulary import (
    CHAR_TYPES,
    DECIMAL_TYPES,
    DEFAULT_VARCHAR,
    MAXIMUM_VARCHAR,
    TEXT_TYPES,
    TYPES,
)

DESIGN_MARK = "redshift_design:"
"""Starts the comment that holds a table's distribution and sort keys."""

_LARGEST_SORT_KEY = {"compound": 400, "interleaved": 8}
"""Columns, as CREATE TABLE's documentation bounds them."""


def translate_type(tokens: Sequence[Token], start: int, *, is_column: bool) -> tuple[str, int]:
    """The PostgreSQL type for the Redshift type at `start`, and the place after it.

    Without a length a text column holds 256 bytes; in an expression the length follows the input.
    Raises UnknownType for a type outside the vocabulary.
    """
    name, place = _type_name(tokens, start)
    lengths: list[str] = []
    if place < len(tokens) and tokens[place].text == "(":
        end = closing(tokens, place)
        lengths = [part[0].key for part in split_list(tokens[place + 1 : end])]
        place = end + 1
    if place < len(tokens) and tokens[place].text == "[":
        raise RefusedByRedshift("arrays of PostgreSQL do not exist in Redshift")
    if name in TEXT_TYPES:
        if not lengths and not is_column:
            return "varchar", place
        length = lengths[0] if lengths and name != "text" else str(DEFAULT_VARCHAR)
        if length == "max":
            length = str(MAXIMUM_VARCHAR)
        if int(length) > MAXIMUM_VARCHAR:
            raise RefusedByRedshift(f"varchar({length}): at most {MAXIMUM_VARCHAR} bytes")
        return f"varchar({length})", place
    if name in CHAR_TYPES:
        return f"char({lengths[0] if lengths else 256 if name == 'bpchar' else 1})", place
    if name in DECIMAL_TYPES:
        precision, scale = [*lengths, "0"][:2] if lengths else ("18", "0")
        if int(precision) > 38:
            raise RefusedByRedshift(f"decimal({precision}): at most 38 digits")
        return f"numeric({precision},{scale})", place
    if name in TYPES:
        return TYPES[name], place
    raise UnknownType(f'type "{name}" is not one of those that the stand-in knows')


def _type_name(tokens: Sequence[Token], start: int) -> tuple[str, int]:
    """Type names of several words, the longest first."""
    if start >= len(tokens) or not tokens[start].is_name:
        raise NotRecognised("a type is missing")
    for count in (4, 2):
        words = tokens[start : start + count]
        name = " ".join(word.key for word in words if word.kind == "word")
        if (name in TYPES or name in TEXT_TYPES) and len(name.split()) == count:
            return name, start + count
    return tokens[start].key, start + 1


def translate_create_table(tokens: Sequence[Token], start: int) -> tuple[str, list[Token]]:
    """Everything of CREATE TABLE before AS, and the tokens after AS (none for a table without a query).

    `start` is the place of the table's name.
    """
    words = [token.key for token in tokens[:start]]
    head = " ".join(words)
    name, place = qualified_name(tokens, start)
    columns = ""
    design: dict[str, object] = {"table": name[-1]}
    if place < len(tokens) and tokens[place].text == "(":
        end = closing(tokens, place)
        parts = split_list(tokens[place + 1 : end])
        definitions = (
            [_like(parts[0])] if parts[0][0].is_word("like") else [_column(p, design) for p in parts]
        )
        columns = "(" + ", ".join(definition for definition in definitions if definition) + ")"
        place = end + 1
    place = _table_attributes(tokens, place, design)
    query: list[Token] = []
    if place < len(tokens):
        if not tokens[place].is_word("as"):
            raise NotRecognised(f"CREATE TABLE ... {tokens[place].text}")
        if "exists" in words:
            raise RefusedByRedshift("CREATE TABLE IF NOT EXISTS ... AS")
        query = list(tokens[place + 1 :])
    quoted_name = ".".join('"' + part.replace('"', '""') + '"' for part in name)
    comment = f"/*{DESIGN_MARK}{json.dumps(design).replace('*/', '')}*/ "
    return f"{comment}{head} {quoted_name} {columns}{' as ' if query else ''}", query


def _like(definition: list[Token]) -> str:
    """Another table's columns. Its distribution and sort keys, which Redshift takes over too, are not."""
    name, place = qualified_name(definition, 1)
    if place != len(definition):
        raise NotRecognised("CREATE TABLE (LIKE ...) with more than a table's name")
    return "like " + ".".join('"' + part.replace('"', '""') + '"' for part in name)


def _column(definition: list[Token], design: dict[str, object]) -> str:
    """One column, or nothing for a key over several: Redshift keeps keys for its planner only."""
    first = definition[0]
    if first.is_word("primary", "unique", "foreign", "constraint"):
        return ""
    if first.is_word("check", "exclude", "like"):
        raise NotRecognised(f"CREATE TABLE with {first.key.upper()}")
    column = first.key
    type_, place = translate_type(definition, 1, is_column=True)
    kept = []
    while place < len(definition):
        word = definition[place]
        if word.is_word("not") and definition[place + 1].is_word("null"):
            kept.append("not null")
            place += 2
        elif word.is_word("null"):
            place += 1
        elif word.is_word("default"):
            kept.append("default " + text_of(definition[place + 1 :]))
            break
        elif word.is_word("primary"):
            kept.append("not null")
            place += 2
        elif word.is_word("unique"):
            place += 1
        elif word.is_word("encode"):
            place += 2
        elif word.is_word("distkey"):
            _set_distribution_key(design, definition[:1])
            place += 1
        elif word.is_word("sortkey"):
            design["sortkeys"] = [column]
            place += 1
        elif word.is_word("references"):
            _, place = qualified_name(definition, place + 1)
            if place < len(definition) and definition[place].text == "(":
                place = closing(definition, place) + 1
        elif word.is_word("check", "generated", "collate"):
            raise RefusedByRedshift(f"{word.key.upper()} on a column is not supported here")
        else:
            raise NotRecognised(f"column {column}: {word.text}")
    return " ".join(['"' + column.replace('"', '""') + '"', type_, *kept])


def _table_attributes(tokens: Sequence[Token], place: int, design: dict[str, object]) -> int:
    while place < len(tokens) and not tokens[place].is_word("as"):
        word = tokens[place]
        if word.is_word("backup"):
            place += 2
        elif word.is_word("diststyle"):
            design.setdefault("diststyle", tokens[place + 1].key.upper())
            place += 2
        elif word.is_word("distkey"):
            end = closing(tokens, place + 1)
            _set_distribution_key(design, tokens[place + 2 : end])
            place = end + 1
        elif word.is_word("compound", "interleaved"):
            place += 1
        elif word.is_word("sortkey"):
            if tokens[place + 1].is_word("auto"):
                place += 2
                continue
            end = closing(tokens, place + 1)
            keys = [part[0].key for part in split_list(tokens[place + 2 : end])]
            largest = _LARGEST_SORT_KEY[
                "interleaved" if tokens[place - 1].is_word("interleaved") else "compound"
            ]
            if len(keys) > largest:
                raise RefusedByRedshift(f"a sort key of {len(keys)} columns: at most {largest}")
            design["sortkeys"] = keys
            place = end + 1
        else:
            raise NotRecognised(f"CREATE TABLE ... {word.text}")
    if design.get("diststyle") == "KEY":
        raise RefusedByRedshift("DISTSTYLE KEY without a DISTKEY")
    return place


def _set_distribution_key(design: dict[str, object], columns: Sequence[Token]) -> None:
    if "distkey" in design or len(columns) != 1:
        raise RefusedByRedshift("a distribution key of several columns")
    design["distkey"] = columns[0].key
    design["diststyle"] = f"KEY({columns[0].key})"
