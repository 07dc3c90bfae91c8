"""SQL text as tokens that keep every character, so that what is not replaced can be sent on verbatim."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_TOKEN = re.compile(
    r"""
      (?P<space>   \s+ | --[^\n]* | /\*.*?\*/ )
    | (?P<string>  [eE]?'(?:[^'\\]|\\.|'')*' | \$(?P<tag>[A-Za-z_]*\w*)\$.*?\$(?P=tag)\$ )
    | (?P<quoted>  "(?:[^"]|"")*" )
    | (?P<parameter> \$\d+ )
    | (?P<number>  \d+(?:\.\d*)?(?:[eE][+-]?\d+)? | \.\d+(?:[eE][+-]?\d+)? )
    | (?P<word>    [^\W\d][\w$]* )
    | (?P<symbol>  :: | <> | != | <= | >= | \|\| | ->>? | \#>>? | // | \*\* | @> | <@ | && | \^@
                | [-+*/%^<>=~!@\#&|?:;,.(){}\[\]] )
    """,
    re.VERBOSE | re.DOTALL,
)


class NotSql(ValueError):  # noqa: N818 - says what it is
    """A text that cannot be read as SQL."""


@dataclass(frozen=True)
class Token:
    """One token: its kind (a group's name above), its text, the space and comments before it, its line."""

    kind: str
    text: str
    before: str = ""
    line: int = 1

    @property
    def key(self) -> str:
        """What it is compared by: a word in lower case, an identifier without its quotes."""
        if self.kind == "quoted":
            return self.text[1:-1].replace('""', '"').lower()
        return self.text.lower() if self.kind == "word" else self.text

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords; a quoted identifier never is."""
        return self.kind == "word" and self.key in words

    @property
    def is_name(self) -> bool:
        """Whether it can name something."""
        return self.kind in ("word", "quoted")


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def tokenize(sql: str) -> list[Token]:
    """The tokens of a text. Raises NotSql at a character that starts none."""
    tokens, place, before, line = [], 0, "", 1
    while place < len(sql):
        match = _TOKEN.match(sql, place)
        if match is None:
            raise NotSql(f"no token starts at {sql[place : place + 20]!r}")
        kind = match.lastgroup if match.lastgroup != "tag" else "string"
        if kind == "space":
            before += match[0]
        else:
            tokens.append(Token(kind, match[0], before, line))
            before = ""
        line += match[0].count("\n")
        place = match.end()
    return tokens


def statements(sql: str) -> Iterator[list[Token]]:
    """The statements of a text that hold anything, without their semicolons."""
    statement: list[Token] = []
    for token in [*tokenize(sql), Token("symbol", ";")]:
        if token.text != ";":
            statement.append(token)
        elif statement:
            yield statement
            statement = []


def text_of(tokens: Sequence[Token]) -> str:
    """The tokens as text again."""
    return "".join(token.before + token.text for token in tokens)


def keys_of(tokens: Sequence[Token], count: int) -> tuple[str, ...]:
    """The first keywords, to tell a statement by."""
    return tuple(token.key for token in tokens[:count])


def closing(tokens: Sequence[Token], opening: int) -> int:
    """The place of the parenthesis that closes the one at `opening`."""
    depth = 0
    for place in range(opening, len(tokens)):
        if tokens[place].text in ("(", "["):
            depth += 1
        elif tokens[place].text in (")", "]"):
            depth -= 1
            if depth == 0:
                return place
    raise NotSql("a parenthesis is not closed")


def split_list(tokens: Sequence[Token]) -> list[list[Token]]:
    """What stands between the commas that are in no parenthesis."""
    parts: list[list[Token]] = [[]]
    depth = 0
    for token in tokens:
        if token.text in ("(", "["):
            depth += 1
        elif token.text in (")", "]"):
            depth -= 1
        if token.text == "," and depth == 0:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def qualified_name(tokens: Sequence[Token], start: int) -> tuple[tuple[str, ...], int]:
    """The parts of the dotted name at `start`, folded as Redshift folds them, and the place after it."""
    if start >= len(tokens) or not tokens[start].is_name:
        raise NotSql("a name is missing")
    parts, place = [tokens[start].key], start + 1
    while place + 1 < len(tokens) and tokens[place].text == "." and tokens[place + 1].is_name:
        parts.append(tokens[place + 1].key)
        place += 2
    return tuple(parts), place
