"""Songs and tracks as numbers: each distinct text is taken apart once, and known by its place in a list.

All arrays have a value per song or track; a text that is missing or empty is -1.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.progress import Progress
from matching.names import Name, read_name
from matching.reading import Input
from matching.text import numbers
from matching.titles import Release, Title, read_release, read_title

T = TypeVar("T")

AT_ONCE = 10_000
"""Texts between two looks at the clock: a tenth of a second."""


@dataclass
class Numbered:
    """Distinct texts, each with a number: its place in `texts`."""

    texts: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._numbers = {text: number for number, text in enumerate(self.texts)}

    def number(self, text: str) -> int:
        """The number of a text: a new one where it is new."""
        number = self._numbers.setdefault(text, len(self.texts))
        if number == len(self.texts):
            self.texts.append(text)
        return number


class Side(NamedTuple):
    """The songs, or the tracks. `title` is a place in `Catalogue.titles`, and so on; a missing length or year
    is NaN."""

    title: np.ndarray
    core: np.ndarray
    name: np.ndarray
    credit: np.ndarray
    release: np.ndarray
    seconds: np.ndarray
    year: np.ndarray


class Groups(NamedTuple):
    """Members by owner: those of owner `n` are `members[starts[n] : starts[n + 1]]`, in ascending order."""

    starts: np.ndarray
    members: np.ndarray

    @classmethod
    def of(cls, owners: np.ndarray, count: int, members: np.ndarray | None = None) -> "Groups":
        """Group members, by default the places 0, 1, ..., by their owners; those of owner -1 are left out."""
        if members is None:
            members = np.arange(len(owners), dtype=np.int64)
        owned = owners >= 0
        owners, members = owners[owned], members[owned]
        order = np.lexsort((members, owners))
        return cls(np.searchsorted(owners[order], np.arange(count + 1)), members[order])

    def sizes(self, owners: np.ndarray) -> np.ndarray:
        """How many members each of these owners has."""
        return self.starts[owners + 1] - self.starts[owners]

    def expand(self, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """All members of these owners: the place in `owners`, and the member."""
        sizes = self.sizes(owners)
        places = np.repeat(np.arange(len(owners)), sizes)
        within = np.arange(len(places)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        return places, self.members[self.starts[owners[places]] + within]


@dataclass(frozen=True)
class Catalogue:
    """Both sides and the texts that they share.

    `core_texts` are titles without asides, `core_numbers` tell apart which numbers are in them (-1 for none).
    `credited` are texts that name artists, `names` the distinct names in them. `credits` gives the names of
    all artists of a track, `isrcs` a number per track, -1 for none.
    """

    songs: Side
    tracks: Side
    titles: list[Title]
    releases: list[Release]
    credited: list[Name]
    names: list[Name]
    core_texts: list[str]
    core_numbers: np.ndarray
    credits: Groups
    isrcs: np.ndarray
    isrc_count: int


def read_catalogue(given: Input, progress: Progress) -> Catalogue:
    """Take all texts apart; the progress counts texts."""
    tables = (given.songs, given.tracks)
    title_ids, title_texts = numbered([table["title"] for table in tables])
    name_ids, name_texts = numbered(
        [*(table["artist_name"] for table in tables), given.credits["artist_name"]]
    )
    release_ids, release_texts = numbered([table["release_name"] for table in tables])
    progress.expect(len(title_texts) + len(release_texts) + len(name_texts))
    titles = _each(read_title, title_texts, progress)
    releases = _each(read_release, release_texts, progress)
    credited = _each(read_name, name_texts, progress)

    cores, exact, number_texts = Numbered(), Numbered(), Numbered()
    core_of_title = np.array([cores.number(title.core) if title.core else -1 for title in titles] + [-1])
    name_of_credit = np.array([exact.number(name.exact) if name.exact else -1 for name in credited] + [-1])
    names = {name.exact: name for name in reversed(credited)}

    sides = [
        Side(
            title_ids[place],
            core_of_title[title_ids[place]],
            name_of_credit[name_ids[place]],
            name_ids[place],
            release_ids[place],
            _floats(table["duration_seconds"]),
            _floats(table["release_year"]),
        )
        for place, table in enumerate(tables)
    ]
    isrcs, isrc_texts = numbered([given.tracks["isrc"]])
    return Catalogue(
        *sides,
        titles,
        releases,
        credited,
        [names[text] for text in exact.texts],
        cores.texts,
        np.array([number_texts.number(text) if text else -1 for text in map(numbers, cores.texts)], np.int64),
        _credits(given, sides[1].name, name_of_credit[name_ids[2]]),
        isrcs[0],
        len(isrc_texts),
    )


def _credits(given: Input, main: np.ndarray, credited: np.ndarray) -> Groups:
    """The names by track: the main artist's, and where it is known those of all artists."""
    by_id, ids = numbered([given.tracks["spotify_track_id"], given.credits["spotify_track_id"]])
    of_track = Groups.of(by_id[0], len(ids))
    places, tracks = of_track.expand(by_id[1])
    pairs = np.concatenate(
        [np.stack([np.arange(len(main)), main]), np.stack([tracks, credited[places]])], axis=1
    )
    tracks, names = np.unique(pairs[:, pairs[1] >= 0], axis=1)
    return Groups.of(tracks, len(main), names)


def numbered(columns: Sequence[pa.ChunkedArray]) -> tuple[list[np.ndarray], list[str]]:
    """The texts of some columns as numbers, -1 for NULL, and the distinct texts."""
    together = pa.chunked_array([chunk for column in columns for chunk in column.chunks], pa.string())
    encoded = together.combine_chunks().dictionary_encode()
    indices = pc.fill_null(encoded.indices, -1).to_numpy(zero_copy_only=False).astype(np.int64)
    cuts = np.cumsum([len(column) for column in columns])[:-1]
    return np.split(indices, cuts), encoded.dictionary.to_pylist()


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    """Numbers of a column, NaN for NULL."""
    return column.cast(pa.float64()).to_numpy()


def _each(read: Callable[[str], T], texts: Sequence[str], progress: Progress) -> list[T]:
    found = []
    for start in range(0, len(texts), AT_ONCE):
        found += map(read, texts[start : start + AT_ONCE])
        progress.advance(len(found) - start)
    return found
