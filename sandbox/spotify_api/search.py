"""Search: words and filters over names, popular things first."""

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple

from sandbox.model import Album, SpotifyArtist, Track
from sandbox.world import World

_FILTER = re.compile(r"\b(track|artist|album|year|isrc|upc|genre):", re.IGNORECASE)


class _Document(NamedTuple):
    thing: Track | Album | SpotifyArtist
    popularity: int
    words: dict[str, frozenset[str]]
    year: int | None
    codes: frozenset[str]


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
        free_words, filters = _parse(query)
        return [
            document.thing
            for document in self._documents.get(kind, ())
            if free_words <= frozenset().union(*document.words.values())
            and all(_passes(document, name, value) for name, value in filters)
        ]

    def _track(self, track: Track) -> _Document:
        album = self._world.albums[track.album_id]
        artists = [self._world.spotify_artists[artist_id] for artist_id in track.artist_ids]
        words = {
            "track": _words(track.name),
            "album": _words(album.name),
            "artist": _words(" ".join(artist.name for artist in artists)),
            "genre": _words(" ".join(genre for artist in artists for genre in artist.genres)),
        }
        codes = frozenset({f"isrc:{track.isrc}"} if track.isrc else ())
        return _Document(track, track.popularity, words, int(album.release_date[:4]), codes)

    def _album(self, album: Album, popularity: int) -> _Document:
        artists = [self._world.spotify_artists[artist_id] for artist_id in album.artist_ids]
        words = {
            "album": _words(album.name),
            "artist": _words(" ".join(artist.name for artist in artists)),
        }
        codes = frozenset({f"upc:{album.upc}"} if album.upc else ())
        return _Document(album, popularity, words, int(album.release_date[:4]), codes)

    def _artist(self, artist: SpotifyArtist) -> _Document:
        words = {"artist": _words(artist.name), "genre": _words(" ".join(artist.genres))}
        return _Document(artist, artist.popularity, words, None, frozenset())


def _ranked(documents: Iterable[_Document]) -> list[_Document]:
    return sorted(documents, key=lambda document: -document.popularity)


def _words(text: str) -> frozenset[str]:
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    return frozenset(re.findall(r"\w+", plain.replace("'", "").replace("\u2019", "")))


def _parse(query: str) -> tuple[frozenset[str], list[tuple[str, str]]]:
    """The words before the first filter, and each filter with the text up to the next one."""
    first, *rest = _FILTER.split(query)
    filters = [(name.lower(), value.strip()) for name, value in zip(rest[::2], rest[1::2], strict=True)]
    return _words(first), filters


def _passes(document: _Document, name: str, value: str) -> bool:
    value = value.strip('"')
    if name == "year":
        first, _, last = value.partition("-")
        if document.year is None or not first.isdigit():
            return False
        return int(first) <= document.year <= int(last if last.isdigit() else first)
    if name in ("isrc", "upc"):
        return f"{name}:{value.upper()}" in document.codes
    return _words(value) <= document.words.get(name, frozenset()) if value else True
