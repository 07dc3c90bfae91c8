"""Names of artists taken apart: who is it, who else, and by which texts the same name is found elsewhere."""

import re
from typing import NamedTuple

from matching.text import fold, fold_form, key_words, words
from matching.vocabulary import GUESTS

_GUESTS_AFTER = re.compile(rf"\s*[(\[]?\b(?:{GUESTS})\b\.?:?\s+|\s+/\s+|\s*;\s*")
"""What parts an artist from guests, in a credit ("A feat. B", "A / B")."""

_MEMBERS = re.compile(
    r"\s*[,/&+]\s*|\s+(?:and|with|y|et|und|e|con|avec|mit|vs\.?|x|presents|pres\.?)\s+", re.IGNORECASE
)
"""What may part one artist of several from the others, and may as well stand within one's name."""

SHORTEST_PART = 4
"""Letters of a part by which a name is looked for: shorter ones ("DJ", "the") are parts of too many."""


class Name(NamedTuple):
    """A name as it is compared.

    `core` is without guests, articles and accents, `exact` with the latter two. `key` is the core without
    spaces, `sorted_key` its words in alphabetical order. `parts` are keys of those that it may name beside
    one another, which are weaker evidence.
    """

    core: str
    exact: str
    key: str
    sorted_key: str
    parts: tuple[str, ...] = ()
    guests: tuple[str, ...] = ()


def read_name(text: str) -> Name:
    """Take a name apart."""
    main, *guests = [part for part in _GUESTS_AFTER.split(fold_form(text)) if part.strip("()[] ")] or [text]
    core = _core(main)
    exact = words(main)
    key = core.replace(" ", "")
    members = _MEMBERS.split(main)
    parts = [text] * bool(guests) + members * (len(members) > 1)
    parts = dict.fromkeys(_core(part).replace(" ", "") for part in parts)
    guests = [words(fold(guest.strip("()[] "))) for guest in guests]
    return Name(
        core,
        exact,
        key,
        "".join(sorted(core.split())),
        tuple(part for part in parts if len(part) >= SHORTEST_PART and part != key),
        tuple(sorted(filter(None, guests))),
    )


def _core(text: str) -> str:
    return key_words(words(fold(text)))
