"""The one way to read song files: at fixed offsets where a file has the genuine byte layout, else with HDF5.

Both ways give equal values; a file that the first one declines goes to the second.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, Literal, TypeVar

from ingestion.inputs import UnreadableInputError
from ingestion.msd import fixed_offsets, hdf5
from ingestion.msd.content import Content
from ingestion.msd.songs import Songs, Tier

File = TypeVar("File")
"""Whatever the caller knows a file by."""

DECODED_AT_ONCE = {Tier.SCALARS: 100, Tier.ARTISTS: 50, Tier.ARRAYS: 10}
"""Single-song files that are decoded together: a few MB, at 5.5, 55 and 310 kB each. More take longer."""


@dataclass(frozen=True)
class SongsRead(Generic[File]):
    """Songs read together, and the file that each is from."""

    songs: Songs
    files: list[File]
    read_by: Literal["fixed_offsets", "hdf5"]


@dataclass(frozen=True)
class Unreadable(Generic[File]):
    """A file that cannot be read; of an aggregate some songs may have been read before."""

    file: File
    error: UnreadableInputError


def read_songs(
    contents: Iterable[tuple[File, Content | UnreadableInputError]], tier: Tier = Tier.ARTISTS
) -> Iterator[SongsRead[File] | Unreadable[File]]:
    """The songs of these files, in their order, those of many single-song files together.

    A content is used until the next one is asked for: a generator can open and close them in turn, and
    gives an error in place of one that cannot be had.
    """
    raw_songs: list[fixed_offsets.RawSong] = []
    files: list[File] = []

    def decoded() -> Iterator[SongsRead[File]]:
        if raw_songs:
            yield SongsRead(fixed_offsets.decode(raw_songs, tier), files.copy(), "fixed_offsets")
            raw_songs.clear()
            files.clear()

    for file, content in contents:
        try:
            if isinstance(content, UnreadableInputError):
                raise content
            raw_song = fixed_offsets.read(content, tier)
            if raw_song:
                raw_songs.append(raw_song)
                files.append(file)
                if len(files) >= DECODED_AT_ONCE[tier]:
                    yield from decoded()
            else:
                yield from decoded()
                for songs in hdf5.read(content, tier):
                    yield SongsRead(songs, [file] * len(songs), "hdf5")
        except UnreadableInputError as error:
            yield from decoded()
            yield Unreadable(file, error)
    yield from decoded()
