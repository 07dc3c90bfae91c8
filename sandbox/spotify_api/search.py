"""Search: words and filters over names, popular things first.

As documented: words in any order, between quotes in theirs; a filter holds for the quoted text after it, or
for the words up to the next filter; what follows NOT is excluded. Case and accents do not matter. Not
documented but seen: queries of more than `MOST_CHARACTERS` are refused.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sandbox.model import Album, SpotifyArtist, Track
from sandbox.world import World

MOST_CHARACTERS = 100

_TERM = re.compile(
    r'(?:(?P<filter>track|artist|album|year|isrc|upc|genre):)?(?:"(?P<phrase>[^"]*)"|(?P<word>[^\s"]+))',
    re.IGNORECASE,
)
_ANYWHERE = ""


class _Document(NamedTuple):
    """`texts`: by filter, each name as its words with a space around every one."""

    thing: Track | Album | SpotifyArtist
    popularity: int
    texts: dict[str, tuple[str, ...]]
    year: int | None
    codes: frozenset[str]


class _Term(NamedTuple):
    """One condition: a filter, or _ANYWHERE, what it is about, and whether it must not hold."""

    filter: str
    value: str
    is_excluded: bool


class Index:
    """What can be found in one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        popularity: dict[str, int] = {}
        for track in world.tracks.values():
            popularity[track.album_id] = max(track.popularity, popularity.get(track.album_id, 0))
        self._documents = {
            "track": _ranked(self._track(track) for track in world.tracks.values()),
            "album": _ranked(
                self._album(album, popularity.get(album.album_id, 0)) for album in world.albums.values()
            ),
            "artist": _ranked(self._artist(artist) for artist in world.spotify_artists.values()),
        }

    def find(self, kind: str, query: str) -> list[Track | Album | SpotifyArtist]:
        """What of that kind matches the query, the most popular first; nothing for other kinds."""
        terms = list(_parse(query))
        return [
            document.thing
            for document in self._documents.get(kind, ())
            if terms and all(_holds(document, term) is not term.is_excluded for term in terms)
        ]

    def _track(self, track: Track) -> _Document:
        album = self._world.albums[track.album_id]
        artists = [self._world.spotify_artists[artist_id] for artist_id in track.artist_ids]
        texts = {
            "track": (_text(track.name),),
            "album": (_text(album.name),),
            "artist": tuple(_text(artist.name) for artist in artists),
            "genre": tuple(_text(genre) for artist in artists for genre in artist.genres),
        }
        codes = frozenset({f"isrc:{track.isrc}"} if track.isrc else ())
        return _Document(track, track.popularity, texts, int(album.release_date[:4]), codes)

    def _album(self, album: Album, popularity: int) -> _Document:
        artists = [self._world.spotify_artists[artist_id] for artist_id in album.artist_ids]
        texts = {"album": (_text(album.name),), "artist": tuple(_text(artist.name) for artist in artists)}
        codes = frozenset({f"upc:{album.upc}"} if album.upc else ())
        return _Document(album, popularity, texts, int(album.release_date[:4]), codes)

    def _artist(self, artist: SpotifyArtist) -> _Document:
        texts = {"artist": (_text(artist.name),), "genre": tuple(map(_text, artist.genres))}
        return _Document(artist, artist.popularity, texts, None, frozenset())


def _ranked(documents: Iterable[_Document]) -> list[_Document]:
    return sorted(documents, key=lambda document: -document.popularity)


def _text(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    words = re.findall(r"\w+", plain.replace("'", "").replace("\u2019", ""))
    return f" {' '.join(words)} "


def _parse(query: str) -> Iterator[_Term]:
    """The terms of a query that hold letters or digits.

    Words after an unquoted filter are its own, up to the next filter or quote.
    """
    open_filter, is_excluded = _ANYWHERE, False
    for found in _TERM.finditer(query):
        name, phrase, word = (found["filter"] or "").lower(), found["phrase"], found["word"]
        if word == "NOT" and not name:
            is_excluded = True
            continue
        if phrase is not None:
            open_filter = _ANYWHERE
        elif name:
            open_filter = name
        term = _Term(name or open_filter, word if phrase is None else phrase, is_excluded)
        if _text(term.value).strip():
            yield term
        is_excluded = False


def _holds(document: _Document, term: _Term) -> bool:
    if term.filter == "year":
        first, _, last = term.value.partition("-")
        if document.year is None or not first.isdigit():
            return False
        return int(first) <= document.year <= int(last if last.isdigit() else first)
    if term.filter in ("isrc", "upc"):
        return f"{term.filter}:{term.value.upper()}" in document.codes
    if term.filter == _ANYWHERE:
        texts = [text for group in document.texts.values() for text in group]
    else:
        texts = document.texts.get(term.filter, ())
    wanted = _text(term.value)
    return any(wanted in text for text in texts)
