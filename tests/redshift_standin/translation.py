"""One Redshift statement as one PostgreSQL statement.

Statements are told by their first words: those that are not listed are errors. Within queries only
what differs is replaced (functions, types, late-binding views); the rest is sent as it came.
"""

import base64
import json
from collections.abc import Callable, Mapping, Sequence

from dbt_project.lint.redshift.tokens import (
    Token,
    closing,
    keys_of,
    qualified_name,
    split_list,
    text_of,
    tokenize,
    words,
)
from tests.redshift_standin.create_table import translate_create_table, translate_type
from tests.redshift_standin.errors import NotRecognised, RefusedByRedshift, UnknownFunction, complete
from tests.redshift_standin.refusals import check_translatable, refuse
from tests.redshift_standin.vocabulary import (
    FUNCTIONS,
    FUNCTIONS_WITH_A_DATE_PART,
    IGNORED_SETTINGS,
    ROLE_PREFIX,
    SETTINGS,
)

Views = Mapping[tuple[str, str], str]
"""The text of each late-binding view, by schema and name."""

VIEW_MARK = "late_binding_view:"
"""Starts the comment that holds a late-binding view's text."""

_BEFORE_PARENTHESIS = words("""
    all and any as asc between by case cube desc distinct else end except exists from group having ilike in
    inner insert intersect into is join like limit not offset on or over rollup select set sets similar some
    then to union using values when where with
""")
"""Keywords that a parenthesis can follow without being a call."""

_AFTER_TABLE = words("""
    as cross except full group having inner intersect join left limit minus natural offset on order right set
    union using where
""")
"""Keywords that can follow a table's name: any other word there is its alias."""


def translate(tokens: Sequence[Token], views: Views) -> str:
    """The PostgreSQL text of a statement other than COPY. Raises StandInError where there is none."""
    with complete():
        refuse(tokens)
    for start, translate_statement in _STATEMENTS.items():
        if keys_of(tokens, len(start)) == start:
            with complete():
                check_translatable(tokens)
                return translate_statement(list(tokens), views)
    raise NotRecognised(f"statement {' '.join(keys_of(tokens, 3))!r} is not one of those that are translated")


def _query(tokens: list[Token], views: Views) -> str:
    if any(token.is_word("into") for token in tokens):
        raise NotRecognised("SELECT INTO is not translated")
    return _Expression(tokens, views).translated()


def _explain(tokens: list[Token], views: Views) -> str:
    return "explain " + translate(tokens[1:], views)


def _declare(tokens: list[Token], views: Views) -> str:
    if keys_of(tokens[2:], 2) != ("cursor", "for"):
        raise RefusedByRedshift("a cursor with options")
    return folded(tokens[:4]) + _query(tokens[4:], views)


def _insert(tokens: list[Token], views: Views) -> str:
    _, place = qualified_name(tokens, 2)
    head = folded(tokens[:place])
    if tokens[place].text == "(" and not tokens[place + 1].is_word("select", "with"):
        end = closing(tokens, place) + 1
        head += folded(tokens[place:end])
        place = end
    return head + _Expression(tokens[place:], views).translated()


def _delete(tokens: list[Token], views: Views) -> str:
    _, place = qualified_name(tokens, 2 if tokens[1].is_word("from") else 1)
    return "delete from" + folded(tokens[2:place]) + _Expression(tokens[place:], views).translated()


def _merge(tokens: list[Token], views: Views) -> str:
    for place, token in enumerate(tokens):
        if token.is_word("using") and qualified_name(tokens, place + 1)[0][-2:] in views:
            raise RefusedByRedshift("MERGE from a view: its source is a table")
    return _Expression(tokens, views).translated()


def _update(tokens: list[Token], views: Views) -> str:
    _, place = qualified_name(tokens, 1)
    return folded(tokens[:place]) + _Expression(tokens[place:], views).translated()


def _create_table(tokens: list[Token], views: Views) -> str:
    start = keys_of(tokens, 3).index("table") + 1
    if tokens[start].is_word("if"):
        start += 3
    head, query = translate_create_table(tokens, start)
    return head + (_query(query, views) if query else "")


def _create_view(tokens: list[Token], views: Views) -> str:
    start = keys_of(tokens, 4).index("view") + 1
    if tokens[start].is_word("if"):
        raise RefusedByRedshift("CREATE VIEW IF NOT EXISTS")
    name, place = qualified_name(tokens, start)
    if not tokens[place].is_word("as"):
        raise NotRecognised("CREATE VIEW with a list of columns")
    head, query = folded(tokens[:place]), tokens[place + 1 :]
    if keys_of(query[-4:], 4) != ("with", "no", "schema", "binding"):
        return head + " as " + _query(query, views)
    if len(name) == 1:
        raise RefusedByRedshift("a late-binding view without its schema's name")
    query = query[:-4]
    _query(query, views)  # what is refused is refused when the view is made
    held = {"view": name[-1], "text": base64.b64encode(text_of(query).encode()).decode()}
    # PostgreSQL gets a view without columns, to name, comment, grant and drop.
    return f"/*{VIEW_MARK}{json.dumps(held)}*/ {head} as select"


def _create_schema(tokens: list[Token], _: Views) -> str:
    start = 5 if tokens[2].is_word("if") else 2
    name, place = qualified_name(tokens, start)
    if place != len(tokens) and not (tokens[place].is_word("authorization") and place + 2 == len(tokens)):
        raise NotRecognised("CREATE SCHEMA with more than a name and an owner")
    return folded(tokens[:start]) + f' "{name[-1]}"' + folded(tokens[place:])


def _grant(tokens: list[Token], _: Views) -> str:
    """GRANT and REVOKE, of privileges or of roles."""
    pieces, place = [], 0
    while place < len(tokens):
        if tokens[place].is_word("role"):
            pieces.append(f" {_role(tokens[place + 1])}")
            place += 2
        else:
            pieces.append(folded(tokens[place : place + 1]))
            place += 1
    return "".join(pieces)


def _role(name: Token) -> str:
    """What PostgreSQL calls a role: there a role and a user cannot have one name."""
    return f'"{ROLE_PREFIX}{name.key}"'


def _create_role(tokens: list[Token], _: Views) -> str:
    if len(tokens) != 3:
        raise NotRecognised("CREATE ROLE with more than a name")
    return f"create role {_role(tokens[2])}"


def password_given(tokens: Sequence[Token]) -> tuple[str, str | None] | None:
    """User and password of a CREATE or ALTER USER that sets or disables one; None for another statement."""
    if keys_of(tokens, 2) not in (("create", "user"), ("alter", "user")) or len(tokens) != 5:
        return None
    if not tokens[3].is_word("password"):
        return None
    return tokens[2].key, None if tokens[4].is_word("disable") else tokens[4].text[1:-1]


def _create_user(tokens: list[Token], _: Views) -> str:
    if password_given(tokens) is None:
        raise NotRecognised("CREATE USER with more or less than a password")
    # Whoever may COPY lets PostgreSQL read the file that the proxy makes of the objects.
    return f"create role {folded(tokens[2:3])} login in role pg_read_server_files"


def _alter_user(tokens: list[Token], views: Views) -> str:
    if password_given(tokens) is not None:
        return _nothing()
    if not tokens[3].is_word("set"):
        raise NotRecognised(f"ALTER USER ... {tokens[3].key}")
    return f"alter role {folded(tokens[2:3])} {_set(tokens[3:], views)}"


def _alter_table(tokens: list[Token], _: Views) -> str:
    _, place = qualified_name(tokens, 2)
    head, action = folded(tokens[:place]), tokens[place:]
    if len(split_list(action)) > 1:
        raise RefusedByRedshift("ALTER TABLE with more than one action")
    match keys_of(action, 2):
        case "rename", "to":
            if len(action) != 3:
                raise RefusedByRedshift("ALTER TABLE ... RENAME TO a name with a schema")
            return head + folded(action)
        case (("rename" | "drop"), "column"):
            return head + folded(action)
        case "add", "column":
            if action[2].is_word("if"):
                raise RefusedByRedshift("ADD COLUMN IF NOT EXISTS")
            type_, place = translate_type(action, 3, is_column=True)
            if any(token.is_word("not") for token in action[place:]) and not any(
                token.is_word("default") for token in action[place:]
            ):
                raise RefusedByRedshift("ADD COLUMN ... NOT NULL without a default")
            return f"{head} add column {folded(action[2:3])} {type_}{folded(action[place:])}"
        case "alter", "column":
            type_, place = translate_type(action, 4, is_column=True)
            if not action[3].is_word("type") or not type_.startswith("varchar") or place != len(action):
                raise RefusedByRedshift("ALTER COLUMN changes nothing but the length of a varchar")
            column = folded(action[2:3])
            return f"{head} alter column {column} type {type_} using rs.text_only({column})"
        case _:
            raise NotRecognised(f"ALTER TABLE ... {' '.join(keys_of(action, 2))}")


def _comment(tokens: list[Token], views: Views) -> str:
    if tokens[2].is_word("column"):
        name, _ = qualified_name(tokens, 3)
        if name[-3:-1] in views:
            raise RefusedByRedshift("a comment on a column of a late-binding view")
    return folded(tokens)


def _set(tokens: list[Token], _: Views) -> str:
    setting = tokens[1].key
    if setting in IGNORED_SETTINGS:
        return f"set rs.{setting}{folded(tokens[2:])}"
    if setting not in SETTINGS:
        raise NotRecognised(f"setting {setting!r}")
    return folded(tokens)


def _reset(tokens: list[Token], _: Views) -> str:
    if tokens[1].key in IGNORED_SETTINGS:
        return f"set rs.{tokens[1].key} to default"
    if tokens[1].key not in SETTINGS:
        raise NotRecognised(f"setting {tokens[1].key!r}")
    return folded(tokens)


def _show(tokens: list[Token], _: Views) -> str:
    setting = tokens[1].key
    if len(tokens) == 2 and setting in IGNORED_SETTINGS:
        return f"select rs.setting('{setting}') as {setting}"
    if len(tokens) != 2 or setting not in SETTINGS:
        raise NotRecognised(f"SHOW {setting}")
    return folded(tokens)


def _nothing(*_: object) -> str:
    return "do 'begin end'"


def _as_it_is(tokens: list[Token], _: Views) -> str:
    return folded(tokens)


_STATEMENTS: dict[tuple[str, ...], Callable[[list[Token], Views], str]] = {
    ("select",): _query,
    ("with",): _query,
    ("(",): _query,
    ("explain",): _explain,
    ("declare",): _declare,
    ("fetch", "forward"): _as_it_is,
    ("close",): _as_it_is,
    ("insert", "into"): _insert,
    ("delete", "from"): _delete,
    ("merge", "into"): _merge,
    ("update",): _update,
    ("truncate",): _as_it_is,
    ("create", "table"): _create_table,
    ("create", "temp", "table"): _create_table,
    ("create", "temporary", "table"): _create_table,
    ("create", "view"): _create_view,
    ("create", "or", "replace", "view"): _create_view,
    ("create", "schema"): _create_schema,
    ("create", "group"): _as_it_is,
    ("create", "role"): _create_role,
    ("create", "user"): _create_user,
    ("alter", "table"): _alter_table,
    ("alter", "user"): _alter_user,
    ("drop", "table"): _as_it_is,
    ("drop", "view"): _as_it_is,
    ("drop", "schema"): _as_it_is,
    ("comment", "on"): _comment,
    ("grant",): _grant,
    ("revoke",): _grant,
    ("begin",): _as_it_is,
    ("start", "transaction"): _as_it_is,
    ("commit",): _as_it_is,
    ("end",): _as_it_is,
    ("rollback",): _as_it_is,
    ("abort",): _as_it_is,
    ("set", "session", "authorization", "default"): _as_it_is,
    ("set",): _set,
    ("reset", "all"): _as_it_is,
    ("reset",): _reset,
    ("show",): _show,
    ("lock",): _as_it_is,
    ("analyze",): _nothing,
    ("vacuum",): _nothing,
}


def _decode(value: str, *searched: str) -> str:
    """DECODE as CASE: pairs of what is searched and its result, then perhaps a default. NULL equals NULL."""
    pairs = zip(searched[::2], searched[1::2], strict=False)
    cases = [f"when {value} is not distinct from {wanted} then {result}" for wanted, result in pairs]
    default = f" else {searched[-1]}" if len(searched) % 2 else ""
    return f"case {' '.join(cases)}{default} end"


_EXPANDED: dict[str, Callable[..., str]] = {
    "decode": _decode,
    "median": lambda value: f"percentile_cont(0.5) within group (order by {value})",
    "nvl2": lambda value, given, missing: f"case when {value} is not null then {given} else {missing} end",
}


def folded(tokens: Sequence[Token]) -> str:
    """The tokens as they came, with quoted identifiers in lower case, as Redshift reads them."""
    return "".join(token.before + _folded_text(token) for token in tokens)


def _folded_text(token: Token) -> str:
    return token.text.lower() if token.kind == "quoted" else token.text


class _Expression:
    """Tokens of a query, or of a part of one, on their way to PostgreSQL's text."""

    def __init__(self, tokens: Sequence[Token], views: Views) -> None:
        self._tokens, self._views = tokens, views

    def translated(self) -> str:
        """The text in PostgreSQL's spelling."""
        pieces, place = [], 0
        while place < len(self._tokens):
            text, place = self._step(place)
            pieces.append(text)
        return "".join(pieces)

    def _step(self, place: int) -> tuple[str, int]:
        """The text for what starts at `place`, and the place after it."""
        token = self._tokens[place]
        if token.text == "::":
            type_, after = translate_type(self._tokens, place + 1, is_column=False)
            return f"::{type_}", after
        if not token.is_name:
            return token.before + token.text, place + 1
        is_column = self._text(place - 1) == "."
        if token.is_word("sysdate") and not is_column:
            return f"{token.before}rs.sysdate()", place + 1
        if token.is_word("minus") and not is_column:
            return f"{token.before}except", place + 1
        if token.is_word("approximate") and self._text(place + 2) == "(":
            return token.before, place + 1  # exact is near enough
        if self._is_table_place(place):
            return self._table(place)
        if self._text(place + 1) == "(" and self._is_call(place):
            return self._call(place)
        return token.before + _folded_text(token), place + 1

    def _text(self, place: int) -> str:
        return self._tokens[place].text if 0 <= place < len(self._tokens) else ""

    def _is_table_place(self, place: int) -> bool:
        return place > 0 and (
            self._tokens[place - 1].is_word("from", "join", "using") or self._text(place - 1) == ","
        )

    def _table(self, place: int) -> tuple[str, int]:
        """A table's name; in the place of a late-binding view's name its text, bound now."""
        name, after = qualified_name(self._tokens, place)
        view = self._views.get(name[-2:]) if len(name) >= 2 else None
        if view is None:
            if self._text(after) == "(" and self._is_call(after - 1):
                before = folded(self._tokens[place : after - 1])  # a schema, if anything
                text, after = self._call(after - 1)
                return before + text, after
            return folded(self._tokens[place:after]), after
        has_alias = after < len(self._tokens) and (
            self._tokens[after].is_word("as")
            or (self._tokens[after].is_name and self._tokens[after].key not in _AFTER_TABLE)
        )
        alias = "" if has_alias else f' as "{name[-1]}"'
        return f" ({_Expression(tokenize(view), self._views).translated()}){alias}", after

    def _is_call(self, place: int) -> bool:
        token, end = self._tokens[place], closing(self._tokens, place + 1)
        if token.is_word(*_BEFORE_PARENTHESIS) and token.key not in FUNCTIONS:
            return False
        is_column_list = self._text(place - 1) == ")" or (place and self._tokens[place - 1].is_word("as"))
        is_cte = (
            end + 1 < len(self._tokens)
            and self._tokens[end + 1].is_word("as")
            and (self._text(end + 2) == "(")
        )
        return not is_column_list and not is_cte

    def _call(self, place: int) -> tuple[str, int]:
        """A call of a function in the vocabulary. Raises RefusedByRedshift or UnknownFunction for others."""
        name, end = self._tokens[place].key, closing(self._tokens, place + 1)
        before, arguments = self._tokens[place].before, self._tokens[place + 2 : end]
        if name not in FUNCTIONS:
            raise UnknownFunction(f"function {name}() is not one of those that the stand-in knows")
        if name == "current_setting" and arguments[0].text.strip("'") not in SETTINGS | IGNORED_SETTINGS:
            raise NotRecognised(f"setting {arguments[0].text}")
        if name in ("cast", "try_cast"):
            return before + self._cast(arguments, is_trying=name == "try_cast"), end + 1
        if name in ("decode", "median", "nvl2"):
            values = [_Expression(part, self._views).translated() for part in split_list(arguments)]
            return before + _EXPANDED[name](*values), end + 1
        if name == "listagg":
            return self._listagg(place, end)
        if name == "pg_get_late_binding_view_cols":
            return before + self._view_columns(), end + 1
        if name in FUNCTIONS_WITH_A_DATE_PART:
            part = arguments[0].text.strip("'")
            arguments = [Token("string", f"'{part}'"), *arguments[1:]]
        return f"{before}{FUNCTIONS[name]}({_Expression(arguments, self._views).translated()})", end + 1

    def _cast(self, arguments: Sequence[Token], *, is_trying: bool) -> str:
        depth, as_place = 0, None
        for place, token in enumerate(arguments):
            depth += (token.text == "(") - (token.text == ")")
            if depth == 0 and token.is_word("as"):
                as_place = place
        if as_place is None:
            raise NotRecognised("cast without AS")
        value = _Expression(arguments[:as_place], self._views).translated()
        type_, after = translate_type(arguments, as_place + 1, is_column=False)
        if after != len(arguments):
            raise NotRecognised(f"cast to {text_of(arguments[as_place + 1 :])}")
        if type_.startswith("varchar("):
            value = f"rs.cut({value}, {type_[8:-1]})"
        if is_trying:
            return f"rs.try_cast(cast({value} as varchar), '{type_}', cast(null as {type_}))"
        return f"cast({value} as {type_})"

    def _listagg(self, place: int, end: int) -> tuple[str, int]:
        """`listagg(text, separator) within group (order by ...)`, whose order PostgreSQL wants inside."""
        arguments = split_list(self._tokens[place + 2 : end])
        text, separator = arguments if len(arguments) == 2 else (*arguments, [Token("string", "''")])
        order, after = "", end + 1
        if keys_of(self._tokens[after:], 3) == ("within", "group", "("):
            after = closing(self._tokens, end + 3) + 1
            order = " " + _Expression(self._tokens[end + 4 : after - 1], self._views).translated()
        distinct = ""
        if text[0].is_word("distinct"):
            distinct, text = "distinct ", text[1:]
        value = f"cast({_Expression(text, self._views).translated()} as varchar)"
        if order and distinct:
            if [token.key for token in text] != [token.key for token in self._tokens[end + 6 : after - 1]]:
                raise NotRecognised("listagg(distinct ...) in another order than its own is not translated")
            order = f" order by {value}"
        joined = _Expression(separator, self._views).translated()
        before = self._tokens[place].before
        return f"{before}string_agg({distinct}{value}, {joined}{order})", after

    def _view_columns(self) -> str:
        """The columns of all late-binding views; where the query asks for one by name, of that one."""
        wanted = {
            self._tokens[place + 2].text.strip("'").lower()
            for place in range(len(self._tokens) - 2)
            if self._tokens[place].is_word("view_name") and self._text(place + 1) == "="
        }
        described = [
            {"schema": schema, "name": name, "query": _Expression(tokenize(text), self._views).translated()}
            for (schema, name), text in self._views.items()
            if not wanted or name in wanted
        ]
        return f"rs.view_columns($views${json.dumps(described)}$views$)"
