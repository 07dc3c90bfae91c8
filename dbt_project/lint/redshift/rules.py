"""What the text of a statement shows that Redshift refuses.

By tokens and without a parser: generating SQL from a tree, or parsing in a dialect that knows more than
Redshift, hides what is looked for. What names and types are shows only when a statement runs.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from dbt_project.lint.redshift.tokens import (
    NotSql,
    Token,
    keys_of,
    qualified_name,
    split_list,
    statements,
    words,
)
from dbt_project.lint.redshift.vocabulary import (
    FUNCTIONS_PAGE,
    STATEMENTS_PAGE,
    TYPES_PAGE,
    Vocabulary,
    redshift,
)

_QUERYING = ("select", "with", "(", "insert", "update", "delete", "merge", "explain", "declare")
"""First words of the statements in which clauses are looked at, beside those that make tables and views."""

_BEFORE_PARENTHESIS = words("""
    all and any as asc between by case compound cube default desc distinct distkey else end except exclude
    exists filter from group having identity ilike in inner insert interleaved intersect into is join key
    lateral like limit materialized minus not offset on or over pivot qualify rollup select set sets similar
    some sortkey table then to union unique unload unpivot using values view when where with
""")
"""Keywords that a parenthesis can follow without being a call."""

_FROM_WITHIN = ("extract", "trim", "substring", "overlay", "position")
"""Functions among whose arguments FROM names no table."""

_SET_OPERATIONS = ("union", "intersect", "except", "minus")

_SORTING_AGGREGATES = ("listagg", "percentile_cont", "percentile_disc")

_NOTHING = Token("symbol", "")


@dataclass(frozen=True)
class Finding:
    """What Redshift refuses: a clause, a function or a type (`kind`), where, and the page to read."""

    line: int
    kind: str
    what: str
    page: str


def findings(sql: str, vocabulary: Vocabulary | None = None) -> list[Finding]:
    """What Redshift refuses in the statements of a text, by line. Raises NotSql where it is no SQL."""
    found = [
        finding
        for statement in statements(sql)
        for finding in findings_in(statement, vocabulary or redshift())
    ]
    return sorted(found, key=lambda finding: finding.line)


def findings_in(statement: Sequence[Token], vocabulary: Vocabulary) -> Iterator[Finding]:
    """What Redshift refuses in one statement. Raises NotSql where it is none."""
    first = keys_of(statement, 4)
    if not any(keys_of(statement, len(known)) == known for known in vocabulary.statements):
        started = " ".join(first[:3])
        yield Finding(statement[0].line, "clause", f"a statement that begins with {started}", STATEMENTS_PAGE)
    is_querying = first[0] in _QUERYING or "table" in first or "view" in first
    yield from _Reading(statement, vocabulary).findings(looks_at_clauses=is_querying)


class _Reading:
    """One statement, read from end to end by each rule."""

    def __init__(self, tokens: Sequence[Token], vocabulary: Vocabulary) -> None:
        self._tokens, self._vocabulary = tokens, vocabulary
        self._around: list[int | None] = []  # where the innermost parenthesis around each token opens
        self._closing: dict[int, int] = {}  # where a parenthesis closes, by where it opens
        opened: list[int] = []
        for place, token in enumerate(tokens):
            if token.text in (")", "]"):
                if not opened:
                    raise NotSql("a parenthesis is not opened")
                self._closing[opened.pop()] = place
            self._around.append(opened[-1] if opened else None)
            if token.text in ("(", "["):
                opened.append(place)
        if opened:
            raise NotSql("a parenthesis is not closed")
        self._opening = {end: start for start, end in self._closing.items()}

    def findings(self, *, looks_at_clauses: bool) -> Iterator[Finding]:
        """Findings of all rules."""
        type_places: set[int] = set()
        for start in self._types():
            finding, end = self._type(start)
            type_places.update(range(start, end))
            if finding:
                yield finding
        for place in range(len(self._tokens)):
            if place not in type_places and self._is_call(place):
                yield from self._call(place)
        if looks_at_clauses:
            for rule in (
                self._refused_clauses,
                self._symbols,
                self._names,
                self._values_lists,
                self._tables,
                self._correlations,
                self._windows,
                self._limits_in_set_operations,
                self._orders_of_aggregates,
                self._recursion,
                self._patterns,
                self._particular_statements,
            ):
                yield from rule()

    def _at(self, place: int) -> Token:
        return self._tokens[place] if 0 <= place < len(self._tokens) else _NOTHING

    def _key(self, place: int) -> str:
        return self._at(place).key

    def _found(self, place: int, what: str, page: str, kind: str = "clause") -> Finding:
        return Finding(self._tokens[place].line, kind, what, page)

    # Types

    def _types(self) -> Iterator[int]:
        """The places where a type begins."""
        for place, token in enumerate(self._tokens):
            is_cast = token.is_word("as") and self._calls_around(place, "cast", "try_cast")
            is_conversion = token.text == "(" and self._at(place - 1).is_word("convert")
            if token.text == "::" or is_cast or is_conversion:
                yield place + 1
        yield from self._column_types()

    def _column_types(self) -> Iterator[int]:
        """The places of the types in CREATE TABLE and ALTER TABLE."""
        first = keys_of(self._tokens, 6)
        if first[0] == "create" and "table" in first[:4]:
            place = first.index("table") + 1
            if keys_of(self._tokens[place:], 3) == ("if", "not", "exists"):
                place += 3
            _, place = qualified_name(self._tokens, place)
            if self._key(place) != "(":
                return
            definitions = split_list(self._tokens[place + 1 : self._closing[place]])
            place += 1
            for definition in definitions:
                is_constraint = definition and definition[0].is_word(
                    "primary", "unique", "foreign", "constraint", "check", "like"
                )
                if len(definition) > 1 and not is_constraint:
                    yield place + 1
                place += len(definition) + 1
        elif first[:2] == ("alter", "table"):
            for place, token in enumerate(self._tokens):
                if token.is_word("column") and self._at(place - 1).is_word("add"):
                    yield place + (5 if self._at(place + 1).is_word("if") else 2)
                elif token.is_word("type") and self._at(place - 2).is_word("column"):
                    yield place + 1

    def _type(self, start: int) -> tuple[Finding | None, int]:
        """What is wrong with the type at a place, and the place after it."""
        if start >= len(self._tokens):
            raise NotSql("a type is missing")
        name, place = self._type_name(start)
        lengths: list[str] = []
        if self._key(place) == "(":
            end = self._closing[place]
            lengths = [token.key for token in self._tokens[place + 1 : end]]
            place = end + 1
        if name not in self._vocabulary.types:
            return self._found(start, f"type {name}", TYPES_PAGE, "type"), place
        page, largest = self._vocabulary.types[name], self._vocabulary.largest.get(name)
        if self._key(place) == "[":
            return self._found(start, f"array of {name}", "c_unsupported-postgresql-datatypes"), place
        if largest and lengths and lengths[0].isdigit() and int(lengths[0]) > largest:
            return self._found(start, f"{name}({lengths[0]}): at most {largest}", page), place
        return None, place

    def _type_name(self, start: int) -> tuple[str, int]:
        """The longest type at a place, which may be of several words; else its one word."""
        for count in (4, 2):
            name = " ".join(keys_of(self._tokens[start : start + count], count))
            if name in self._vocabulary.types:
                return name, start + count
        return self._key(start), start + 1

    # Functions

    def _is_call(self, place: int) -> bool:
        """Whether the name at a place is that of a function."""
        token = self._tokens[place]
        if not token.is_name or self._key(place + 1) != "(":
            return False
        if token.is_word(*_BEFORE_PARENTHESIS) and token.key not in self._vocabulary.functions:
            return False
        before = self._at(place - 1)
        is_alias = before.text == ")" or before.is_word("as") or self._is_alias_of_a_table(place)
        after = self._closing[place + 1] + 1
        is_common_table = self._at(after).is_word("as") and self._key(after + 1) == "("
        return not (is_alias or is_common_table or self._is_table(place))

    def _is_table(self, place: int) -> bool:
        """Whether the name at a place ends that of a table that is written or made: columns follow."""
        while self._key(place - 1) == "." and self._at(place - 2).is_name:
            place -= 2
        return self._at(place - 1).is_word("into", "table", "view", "exists", "references", "update")

    def _is_alias_of_a_table(self, place: int) -> bool:
        """Whether it is the alias in `from a_table alias (column, ...)`."""
        before = self._at(place - 1)
        return before.is_name and not before.is_word(*_BEFORE_PARENTHESIS)

    def _call(self, place: int) -> Iterator[Finding]:
        name, end = self._key(place), self._closing[place + 1]
        if name not in self._vocabulary.functions:
            instead = self._vocabulary.instead_of_functions.get(name)
            hint = f": use {instead}" if instead else ""
            yield self._found(place, f"function {name}(){hint}", FUNCTIONS_PAGE, "function")
            return
        wanted = self._vocabulary.arguments.get(name)
        arguments = self._tokens[place + 2 : end]
        count = len(split_list(arguments)) if arguments else 0
        if wanted is not None and count != wanted:
            page = self._vocabulary.functions[name]
            yield self._found(place, f"{name}() with {count} arguments: it takes {wanted}", page, "function")

    def _calls_around(self, place: int, *names: str) -> bool:
        """Whether a token is directly among the arguments of a call of these functions."""
        opened = self._around[place]
        return opened is not None and self._key(opened - 1) in names

    # Clauses

    def _refused_clauses(self) -> Iterator[Finding]:
        keys = [token.key if token.kind in ("word", "symbol") else "" for token in self._tokens]
        for clause in self._vocabulary.refused_clauses:
            length = len(clause.keys)
            for place in range(len(keys) - length + 1):
                is_found = tuple(keys[place : place + length]) == clause.keys
                is_name = self._key(place - 1) in (".", "as") or self._key(place + length) == "."
                if is_found and not is_name:
                    what = f"{' '.join(clause.keys)}: use {clause.instead}"
                    yield self._found(place, what, clause.page)

    def _symbols(self) -> Iterator[Finding]:
        for place, token in enumerate(self._tokens):
            if token.kind == "symbol" and token.text in self._vocabulary.refused_symbols:
                page = self._vocabulary.refused_symbols[token.text]
                yield self._found(place, f"operator {token.text}", page)
            elif token.text == "[":
                before = self._at(place - 1)
                is_subscript = before.text in (")", "]") or (
                    before.is_name and not before.is_word(*_BEFORE_PARENTHESIS, "array")
                )
                if not is_subscript:
                    yield self._found(place, "a list in brackets", "c_unsupported-postgresql-features")

    def _names(self) -> Iterator[Finding]:
        for place, token in enumerate(self._tokens):
            if token.kind != "word" or self._key(place - 1) == "." or self._is_in_a_clause(place):
                continue
            if token.key in self._vocabulary.reserved_words:
                yield self._found(
                    place, f"{token.key} is a reserved word: as a name quote it", "r_pg_keywords"
                )
            elif token.key in self._vocabulary.refused_values and not self._at(place - 1).is_word("as"):
                page = self._vocabulary.refused_values[token.key]
                yield self._found(
                    place, f"{token.key}: use getdate or dbt.current_timestamp", page, "function"
                )

    def _is_in_a_clause(self, place: int) -> bool:
        """Whether a reserved word stands where it belongs."""
        token, before, after = self._tokens[place], self._at(place - 1), self._at(place + 1)
        match token.key:
            case "top":
                return before.is_word("select", "distinct", "all") and after.kind in ("number", "parameter")
            case "minus":
                return after.is_word("select", "with") or after.text == "("
            case "ignore" | "respect":
                return after.is_word("nulls")
            case _:
                return before.is_word("encode")

    def _values_lists(self) -> Iterator[Finding]:
        is_inserting = self._tokens[0].is_word("insert", "merge")
        for place, token in enumerate(self._tokens):
            is_list = token.is_word("values") and self._key(place + 1) == "(" and self._key(place - 1) != "."
            if is_list and not (is_inserting and self._key(place - 1) != "("):
                page = "c_unsupported-postgresql-features"
                yield self._found(place, "values as a table: use select ... union all", page)

    def _tables(self) -> Iterator[Finding]:
        """After a table and its alias comes a clause of Redshift, or one that is found by its own words."""
        for _, _, after in self._table_references():
            if self._at(after).is_name and self._key(after) not in self._after_tables:
                yield self._found(after, f"{self._key(after)} after a table", "r_FROM_clause30")

    def _table_references(self) -> Iterator[tuple[int, str, int]]:
        """What FROM and JOIN name: the place of the word, the name that columns go by, the place after it."""
        for place, token in enumerate(self._tokens):
            is_from = token.is_word("from") and not self._calls_around(place, *_FROM_WITHIN)
            if not is_from and not token.is_word("join"):
                continue
            name, after = "", place + 1
            if self._at(after).is_name:
                parts, after = qualified_name(self._tokens, after)
                name = parts[-1]
            if self._key(after) == "(":
                after = self._closing[after] + 1
            if self._at(after).is_word("as"):
                name, after = self._key(after + 1), after + 2
            elif self._at(after).is_name and self._key(after) not in self._after_tables:
                name, after = self._key(after), after + 1
            if self._key(after) == "(":
                after = self._closing[after] + 1
            yield place, name, after

    @cached_property
    def _after_tables(self) -> frozenset[str]:
        refused = {clause.keys[0] for clause in self._vocabulary.refused_clauses}
        return self._vocabulary.after_tables | refused

    def _correlations(self) -> Iterator[Finding]:
        """A subquery reads columns of the query around it, of none further out, and not in ON of outer joins.

        Only columns that are named with their table are looked at.
        """
        tables: dict[int | None, set[str]] = {}
        for place, name, _ in self._table_references():
            tables.setdefault(self._query_around(place), set()).add(name)
        for place, token in enumerate(self._tokens):
            if not token.is_name or self._key(place + 1) != "." or self._key(place - 1) == ".":
                continue
            query, levels = self._query_around(place), []
            while token.key not in tables.get(query, ()) and query is not None:
                levels.append(query)
                query = self._query_around(query)
            if token.key not in tables.get(query, ()) or not levels:
                continue
            what = f"{token.key}.{self._key(place + 2)} within a subquery"
            if len(levels) > 1:
                yield self._found(place, f"{what}: it skips a query between", "r_correlated_subqueries")
            elif self._is_in_outer_join(levels[0]):
                yield self._found(place, f"{what} in ON of an outer join", "r_correlated_subqueries")

    def _query_around(self, place: int) -> int | None:
        """Where the parenthesis of the innermost query around a token opens; None in the outermost."""
        opened = self._around[place]
        while opened is not None and not self._at(opened + 1).is_word("select", "with"):
            opened = self._around[opened]
        return opened

    def _is_in_outer_join(self, subquery: int) -> bool:
        """Whether a subquery stands in the condition of an outer join."""
        query = self._query_around(subquery)
        before = [at for at in range(subquery) if self._query_around(at) == query and self._at(at).is_name]
        clauses = [at for at in before if self._at(at).is_word("select", "from", "join", "on", "where")]
        if not clauses or not self._at(clauses[-1]).is_word("on"):
            return False
        joins = [at for at in before if self._at(at).is_word("join")]
        return bool(joins) and self._at(joins[-1] - 1).is_word("left", "right", "full", "outer")

    def _windows(self) -> Iterator[Finding]:
        for place, token in enumerate(self._tokens):
            if not token.is_word("over") or self._key(place - 1) == ".":
                continue
            if self._key(place + 1) != "(":
                if self._at(place + 1).is_name and self._key(place - 1) == ")":
                    yield self._found(place, "a window with a name: spell it out", "c_Window_functions")
                continue
            window = self._tokens[place + 2 : self._closing[place + 1]]
            keys = [part.key for part in window if part.kind == "word"]
            function, arguments = self._call_before(place)
            has_order = any(pair == ("order", "by") for pair in pairwise(keys))
            if has_order and "rows" not in keys and function in self._vocabulary.frame_needed:
                what = f"{function}() over (... order by ...) without a frame: add rows between ..."
                yield self._found(place, what, "c_Window_functions")
            if arguments and arguments[0].is_word("distinct"):
                yield self._found(place, f"{function}(distinct ...) over (...)", "c_Window_functions")

    def _call_before(self, place: int) -> tuple[str, Sequence[Token]]:
        """The function that a window belongs to, and its arguments."""
        end = place - 1
        while end > 0 and self._at(end).is_word("ignore", "respect", "nulls"):
            end -= 1
        opened = self._opening.get(end)
        if opened is None:
            return "", []
        return self._key(opened - 1), self._tokens[opened + 1 : end]

    def _limits_in_set_operations(self) -> Iterator[Finding]:
        for place, token in enumerate(self._tokens):
            if token.text != "(" or not self._at(place + 1).is_word("select", "with"):
                continue
            before, after = self._at(place - 1), self._at(self._closing[place] + 1)
            is_input = before.is_word(*_SET_OPERATIONS, "all") or (
                after.is_word(*_SET_OPERATIONS) and before.text in ("", "(")
            )
            for inner in range(place, self._closing[place] if is_input else place):
                if self._around[inner] == place and self._at(inner).is_word("limit", "offset"):
                    yield self._found(inner, f"{self._key(inner)} in the input of a set operation", "r_UNION")

    def _orders_of_aggregates(self) -> Iterator[Finding]:
        selects: dict[int | None, int] = {}  # the last SELECT within each parenthesis
        orders: dict[int | None, str] = {}  # by the place of their SELECT
        for place, token in enumerate(self._tokens):
            if token.is_word("select"):
                selects[self._around[place]] = place
            if not token.is_word(*_SORTING_AGGREGATES) or self._key(place + 1) != "(":
                continue
            end = self._closing[place + 1]
            if keys_of(self._tokens[end + 1 :], 3) != ("within", "group", "("):
                continue
            order = " ".join(key.key for key in self._tokens[end + 4 : self._closing[end + 3]])
            if orders.setdefault(selects.get(self._around[place]), order) != order:
                page = self._vocabulary.functions[token.key]
                yield self._found(place, f"{token.key}() in another order than one before it", page)

    def _recursion(self) -> Iterator[Finding]:
        """A common table expression that reads itself has the list of its columns."""
        if keys_of(self._tokens, 2) != ("with", "recursive"):
            return
        for place in range(1, len(self._tokens) - 2):
            if (
                self._around[place] is None
                and self._at(place + 1).is_word("as")
                and self._key(place + 2) == "("
            ):
                body = self._tokens[place + 2 : self._closing[place + 2]]
                reads = [(one.key, other.key) for one, other in pairwise(body)]
                name = self._key(place)
                if self._at(place).is_name and any((word, name) in reads for word in ("from", "join", ",")):
                    yield self._found(place, f"{name} reads itself and names no columns", "r_WITH_clause")

    def _patterns(self) -> Iterator[Finding]:
        for place, token in enumerate(self._tokens):
            pattern = self._at(place + 1)
            if token.text == "~" and pattern.kind == "string" and "(?" in pattern.text:
                page = "pattern-matching-conditions-posix"
                yield self._found(place, "pattern with '(?'", page)

    def _particular_statements(self) -> Iterator[Finding]:
        first = keys_of(self._tokens, 3)
        if first[:2] == ("merge", "into"):
            _, place = qualified_name(self._tokens, 2)
            while place < len(self._tokens) and not self._at(place).is_word("using"):
                place += 1
            if self._key(place + 1) == "(":
                yield self._found(place, "merge using (...): its source is a table", "r_MERGE")
        if first == ("create", "materialized", "view"):
            for place, token in enumerate(self._tokens):
                if self._around[place] is None and token.is_word("order", "limit", "offset"):
                    page = "materialized-view-create-sql-command"
                    yield self._found(place, f"{token.key} in a materialized view", page)
        for place, token in enumerate(self._tokens[1:], start=1):
            if token.is_word("insert", "update", "delete") and self._key(place - 1) == "(":
                yield self._found(place, f"{token.key} within another statement", "r_WITH_clause")
