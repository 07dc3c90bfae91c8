"""What reading gives, whichever way a file is read: the songs' values as the file holds them."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np

from ingestion.msd.layout import ARRAYS, ROW_TYPES


class Tier(IntEnum):
    """How much of each song is read; each tier holds those before it."""

    SCALARS = 1
    """The columns of the three tables."""
    ARTISTS = 2
    """Also the arrays about the artist: terms, similar artists, MusicBrainz tags."""
    ARRAYS = 3
    """All 21 arrays."""


SCALARS = {
    name: row_type[name]
    for row_type in ROW_TYPES.values()
    for name in row_type.names
    if not name.startswith("idx_")
}
"""Type of each scalar by its name."""

_OF_THE_ARTIST = ("metadata", "musicbrainz")
"""Groups whose arrays say something about the artist."""

ARRAYS_OF = {
    Tier.SCALARS: (),
    Tier.ARTISTS: tuple(name for name, array in ARRAYS.items() if array.group in _OF_THE_ARTIST),
    Tier.ARRAYS: tuple(ARRAYS),
}
"""Names of the arrays that each tier reads."""


@dataclass(frozen=True)
class Ragged:
    """An array of each of several songs: the rows of all end to end, and how many are whose."""

    values: np.ndarray
    counts: np.ndarray

    def only(self, is_wanted: np.ndarray) -> "Ragged":
        """The same of those songs for which `is_wanted` is true."""
        return Ragged(self.values[np.repeat(is_wanted, self.counts)], self.counts[is_wanted])

    def of(self, song: int) -> np.ndarray:
        """The rows of one song, numbered from 0."""
        end = int(self.counts[: song + 1].sum())
        return self.values[end - int(self.counts[song]) : end]


@dataclass(frozen=True)
class Songs:
    """Songs that were read together.

    `rows` holds a value per song by column name, without the `idx_` columns; texts are NUL-padded bytes,
    UTF-8 but where the file cut a character. `arrays` holds the tier's arrays by name, float64 where the file
    has float64; pitches and timbre have 12 columns. `is_summary` says that the file has no arrays at all.
    """

    rows: dict[str, np.ndarray]
    arrays: dict[str, Ragged]
    is_summary: bool

    def __len__(self) -> int:
        return len(self.rows["track_id"])
