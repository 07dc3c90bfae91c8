"""Which artist of songs may be which artist of tracks, by their names alone."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import product
from typing import NamedTuple

import numpy as np

from matching.names import Name
from matching.similarity import alike

NAME_FLOOR = 0.8
"""Names less alike than this are not those of one artist: five letters with one of them wrong."""

ARTICLE_OR_ACCENT = 0.98
"""How alike names can be that are equal only without articles and accents: both may exist ("The Comets" and
"Comets"), and then the equal one is the better."""

PART = 0.9
"""How alike a name is to one that is a part of it ("Bob Marley", "Bob Marley & The Wailers")."""

SHORTEST_MISSPELT = 5
"""Letters of names that are compared without one of them: of four, a third of all words are left alike."""

SHORTEST_WORD = 4
LARGEST_BLOCK = 1_000
"""Pairs of names that share a word: a word of more ("band", "orchestra") does not say who they are."""


class NamePairs(NamedTuple):
    """Names of songs' artists and of tracks' artists that are alike; sorted by both.

    `part` says that one names the other beside somebody else.
    """

    song_name: np.ndarray
    track_name: np.ndarray
    similarity: np.ndarray
    part: np.ndarray


def pair_names(names: list[Name], song_names: np.ndarray, track_names: np.ndarray) -> NamePairs:
    """The pairs of names that are alike, of those at the given places."""
    width = len(names)
    by_song = {int(place): names[place] for place in song_names}
    by_track = {int(place): names[place] for place in track_names}
    found = np.fromiter((song * width + track for song, track in _near(by_song, by_track)), dtype=np.int64)
    parts = np.fromiter((song * width + track for song, track in _parts(by_song, by_track)), dtype=np.int64)
    parts = np.unique(parts)
    found = np.union1d(found, parts)
    song, track = np.divmod(found, width) if width else (found, found)
    is_part = np.isin(found, parts)
    similarity = name_similarity(names, song, track, is_part)
    kept = similarity >= NAME_FLOOR
    return NamePairs(song[kept], track[kept], similarity[kept], found[is_part & kept])


def name_similarity(
    names: list[Name], left: np.ndarray, right: np.ndarray, is_part: np.ndarray
) -> np.ndarray:
    """How alike the names at these places are, in whatever order their words stand."""
    one, other = ([names[place] for place in places] for places in (left, right))
    similarity = np.maximum(
        alike([name.key for name in one], [name.key for name in other]),
        alike([name.sorted_key for name in one], [name.sorted_key for name in other]),
    )
    similarity = np.where(is_part, np.maximum(similarity, PART), similarity)
    return np.where(left == right, 1.0, np.minimum(similarity, ARTICLE_OR_ACCENT)).astype(np.float64)


Pairs = Iterator[tuple[int, int]]


def _near(songs: dict[int, Name], tracks: dict[int, Name]) -> Pairs:
    """Pairs of names that may be one: equal but for a letter on each side, or with a rare word in common."""
    yield from _sharing(
        _index((key, place) for place, name in songs.items() for key in {name.key, name.sorted_key}),
        ((key, place) for place, name in tracks.items() for key in {name.key, name.sorted_key}),
    )
    yield from _sharing(_index(_misspelt(songs)), _misspelt(tracks))
    words_of_songs, words_of_tracks = (_index(_words(names)) for names in (songs, tracks))
    for word, places in words_of_songs.items():
        others = words_of_tracks.get(word, ())
        if len(places) * len(others) <= LARGEST_BLOCK:
            yield from product(places, others)


def _parts(songs: dict[int, Name], tracks: dict[int, Name]) -> Pairs:
    """Pairs of names one of which is a part of the other."""
    wholes = _index((name.key, place) for place, name in songs.items())
    yield from _sharing(wholes, ((part, place) for place, name in tracks.items() for part in name.parts))
    wholes = _index((name.key, place) for place, name in tracks.items())
    for track, song in _sharing(
        wholes, ((part, place) for place, name in songs.items() for part in name.parts)
    ):
        yield song, track


Keyed = Iterable[tuple[str, int]]


def _index(keyed: Keyed) -> dict[str, list[int]]:
    index = defaultdict(list)
    for key, place in keyed:
        index[key].append(place)
    return index


def _sharing(index: dict[str, list[int]], keyed: Keyed) -> Pairs:
    for key, place in keyed:
        for other in index.get(key, ()):
            yield other, place


def _misspelt(names: dict[int, Name]) -> Keyed:
    """The keys of names and all that is left of them without one letter."""
    for place, name in names.items():
        key = name.key
        if len(key) >= SHORTEST_MISSPELT:
            yield key, place
            for cut in range(len(key)):
                yield key[:cut] + key[cut + 1 :], place


def _words(names: dict[int, Name]) -> Keyed:
    for place, name in names.items():
        for word in set(name.core.split()):
            if len(word) >= SHORTEST_WORD:
                yield word, place
