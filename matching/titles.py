"""Titles taken apart: what the song is called, who is its guest, and of which recording it speaks."""

import re
from functools import lru_cache
from typing import NamedTuple

from matching.text import ROMAN, fold, key_words, words
from matching.vocabulary import (
    ANY_VERSION,
    EDITIONS,
    GUESTS,
    GUESTS_IN_ASIDE,
    KEPT_ASIDE,
    LIVE_RELEASE,
    NO_GUEST,
    TAIL,
    VERSIONS,
)

_ASIDES_POSSIBLE = re.compile(rf"[(\[{{]|\s-|-\s|--|\b({GUESTS}|version|mix|edit|remix|remaster(ed)?)\b")
_BRACKET = re.compile(r"[(\[{]([^()\[\]{}]*)([)\]}]|$)")
_DASH = re.compile(r"\s+-+\s*|\s*-+\s+|--+")
_GUEST = re.compile(rf"(?:^|\s)(?:{GUESTS})\b\.?:?\s+(\S.*)$")
_GUEST_ASIDE = re.compile(rf"^(?:{GUESTS_IN_ASIDE})(?![\w'])\.?:?\s*(?!(?:{NO_GUEST})\b)(\S.*)$")
_CUT = re.compile(r"\s*[/,;:|]\s*|\s-\s")
_SEVERAL = re.compile(r"\s*[,;/&+]\s*|\s+(?:and|y|et|und|e|x)\s+")

_MOVEMENT = re.compile(r"(^|[:(\[-]\s*)([ivx]+)\.(?=\s+[^\W\d]{3})")
"""The number of a movement: "Symphony No. 5: II. Andante". "I. O. U." is none."""

_INCHES = re.compile(r"\b(7|10|12)(?:\"|'')")
_SHORT_VERSION = re.compile(r"\bver\.")

_VERSIONS = [(tag, re.compile(pattern)) for tag, pattern in VERSIONS.items()]
_EDITIONS = [(tag, re.compile(pattern)) for tag, pattern in EDITIONS.items()]


class Title(NamedTuple):
    """A title as it is compared.

    `core` is without guests, brackets and tags; `full` is all of it. Tags and guests are in alphabetical
    order. `remark` is what stands in brackets and is none of that.
    """

    core: str
    full: str
    versions: tuple[str, ...] = ()
    editions: tuple[str, ...] = ()
    guests: tuple[str, ...] = ()
    remark: str = ""


def read_title(text: str) -> Title:
    """Take a title apart. One without letters or digits ('...') stands for itself."""
    folded = _MOVEMENT.sub(lambda found: found[1] + ROMAN.get(found[2], found[2]), fold(text))
    full = words(folded)
    if not _ASIDES_POSSIBLE.search(folded):
        return Title(key_words(full), full)
    guests, versions, editions, remarks = set(), set(), set(), []

    def is_aside(aside: str) -> bool:
        """Note what an aside says; whether it says anything of guests or versions."""
        guest = _GUEST_ASIDE.match(aside) or _GUEST.search(aside)
        if guest:
            named = _DASH.split(guest[1])[0]
            guests.update(filter(None, map(words, _SEVERAL.split(named))))
            aside = aside[: guest.start()] + " - " + guest[1][len(named) :]
        these_versions, these_editions = _tags(aside)
        versions.update(these_versions)
        editions.update(these_editions)
        return bool(guest or these_versions or these_editions)

    rest = folded
    if not any(map(str.isalnum, _BRACKET.sub("", rest))):  # a bracket that holds the whole title
        rest = _BRACKET.sub(r" \1 ", rest, count=1)
    while bracket := _BRACKET.search(rest):
        aside = bracket[1].strip()
        kept = ROMAN.get(aside, aside) if KEPT_ASIDE.search(aside) else ""
        if not is_aside(aside) and not kept:
            remarks.append(words(aside))
        rest = f"{rest[: bracket.start()]} {kept} {rest[bracket.end() :]}"
    first, *others = _DASH.split(rest.strip())
    kept = [first] + [other for other in others if other and not is_aside(other.strip())]
    rest = " ".join(kept)
    if guest := _GUEST.search(rest):
        is_aside(rest[guest.start() :].strip())
        rest = rest[: guest.start()]
    if tail := TAIL.search(rest):
        is_aside(tail[1])
        rest = rest[: tail.start()]
    core = key_words(words(rest)) or full
    tags = (tuple(sorted(each)) for each in (versions, editions, guests))
    return Title(core, full, *tags, " ".join(remarks))


@lru_cache(100_000)
def _tags(aside: str) -> tuple[frozenset[str], frozenset[str]]:
    """The versions and editions that an aside names: few asides make most of all."""
    versions, editions = set(), set()
    aside = _SHORT_VERSION.sub("version ", _INCHES.sub(r"\1 inch", aside))
    for piece in filter(None, map(words, _CUT.split(aside))):
        of_piece = {tag for tag, pattern in _VERSIONS if pattern.search(piece)}
        these = {tag for tag, pattern in _EDITIONS if pattern.search(piece)}
        if not of_piece and not these and ANY_VERSION.search(piece):
            of_piece = {"alternate"}
        versions |= of_piece
        editions |= these
    return frozenset(versions), frozenset(editions)


class Release(NamedTuple):
    """The name of a release as it is compared, and whether it says that all on it is live."""

    core: str
    is_live: bool


def read_release(text: str) -> Release:
    """Take the name of a release apart."""
    title = read_title(text)
    return Release(title.core, "live" in title.versions or bool(LIVE_RELEASE.search(fold(text).strip())))
