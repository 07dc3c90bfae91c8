"""Texts as they are compared: folded, then words alone.

What a title or a name says beyond that (guests, tags) is the business of `titles.py` and `names.py`.
"""

import re
import unicodedata

_ACCENTS = re.compile("[\u0300-\u036f]")
"""Combining marks of Latin, Greek and Cyrillic letters. Those of other scripts are letters of their own."""

_LETTERS = str.maketrans(
    {"æ": "ae", "ð": "d", "ø": "o", "þ": "th", "đ": "d", "ħ": "h", "\u0131": "i", "ł": "l", "œ": "oe"}
)
"""Letters that have no accent to lose."""

_SIGNS_ALIKE = str.maketrans(
    dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2015\u2212", "-")
    | dict.fromkeys("\u2018\u2019\u02bc\u00b4\u02b9", "'")
    | {"\u201c": '"', "\u201d": '"', "\u2033": '"'}
)
"""Dashes, apostrophes and quotes. Normalisation would make an accent of one, and two of another."""

_SIGN_IN_WORD = re.compile(r"(?<=\w)[$!](?=\w)")
_SIGNS = {"$": "s", "!": "i"}

_UNITS = ("", "i", "ii", "iii", "iv", "v", "vi", "vii", "viii", "ix")
ROMAN = {
    tens + units: str(10 * ten + unit)
    for ten, tens in enumerate(("", "x", "xx", "xxx"))
    for unit, units in enumerate(_UNITS)
    if ten or unit
}
"""Roman numerals below 40, in digits."""

_NUMBERS = {**ROMAN, "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}
_COUNTED = {
    "part": "part",
    "pt": "part",
    "volume": "volume",
    "vol": "volume",
    "no": "no",
    "nr": "no",
    "act": "act",
    "chapter": "chapter",
    "movement": "movement",
    "mvt": "movement",
}
_ARTICLES = ("the ", "a ", "an ")


class _Words(dict):
    """For str.translate: letters, digits and marks stay, apostrophes go, '&' is a word, all else a space."""

    def __missing__(self, code: int) -> str | int:
        letter = chr(code)
        kept = letter.isalnum() or unicodedata.category(letter).startswith("M")
        self[code] = code if kept else " "
        return self[code]


_WORDS = _Words({ord("'"): "", ord("`"): "", ord("&"): " and ", ord("+"): " and ", ord("@"): " at "})


def fold(text: str) -> str:
    """The text in lower case, without accents on letters; dashes, apostrophes and quotes are ASCII's."""
    if text.isascii():
        return text.lower()
    bare = _ACCENTS.sub("", unicodedata.normalize("NFKD", text.translate(_SIGNS_ALIKE)))
    return unicodedata.normalize("NFC", bare).casefold().translate(_LETTERS)


def fold_form(text: str) -> str:
    """The text in lower case, in one form of each letter, with its accents; signs as `fold` has them."""
    if text.isascii():
        return text.lower()
    return unicodedata.normalize("NFKC", text.translate(_SIGNS_ALIKE)).casefold()


def words(folded: str) -> str:
    """The words of a folded text, a space between each; a text of signs alone ('!!!') stays as it is."""
    if "$" in folded or "!" in folded:
        folded = _SIGN_IN_WORD.sub(lambda sign: _SIGNS[sign[0]], folded)
    return " ".join(folded.translate(_WORDS).split()) or "".join(folded.split())


def key_words(text: str) -> str:
    """Words without what is written now so and now otherwise: a leading article, 'n', 'pt. II', 'II'."""
    for article in _ARTICLES:
        if text.startswith(article):
            text = text[len(article) :]
            break
    else:
        if text.endswith(" the"):  # "Beatles, The"
            text = text[:-4]
    found = text.split()
    for place, word in enumerate(found):
        if word == "n" and place > 0:
            found[place] = "and"
        elif word in _COUNTED and place + 1 < len(found):
            number = found[place + 1]
            if number.isdigit() or number in _NUMBERS:
                found[place] = _COUNTED[word]
                found[place + 1] = _NUMBERS.get(number, number)
    if len(found) > 1 and len(found[-1]) > 1:  # "Malcolm X" is no tenth
        found[-1] = ROMAN.get(found[-1], found[-1])
    return " ".join(found)


def numbers(text: str) -> str:
    """The words of a text that are numbers, sorted: what tells one part or volume from another."""
    if not any("0" <= sign <= "9" for sign in text):
        return ""
    return " ".join(sorted(word for word in text.split() if word.isdigit()))
