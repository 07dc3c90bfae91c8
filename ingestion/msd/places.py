"""Where song files lie, and how their bytes are brought from there: what reading asks of every such place."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from ingestion.inputs import InputFile, UnreadableInputError
from ingestion.msd.content import Content, LocalFile
from ingestion.source import Folder, Place

SUFFIXES = (".h5", ".hdf5")

Contents = Iterator[tuple[InputFile, Content | UnreadableInputError]]
"""Files and their bytes, or why they cannot be had. Each content can be used until the next is asked for."""


class SongPlace(Place, Protocol):
    """A place that gives the contents of its files."""

    def contents(self, files: Sequence[InputFile]) -> Contents:
        """These files, in their order."""


class SongFolder(Folder):
    """A local folder of song files, or one such file."""

    def contents(self, files: Sequence[InputFile]) -> Contents:
        """These files, opened one by one."""
        folder = self.folder
        for file in files:
            try:
                content = LocalFile(folder / file.path)
            except UnreadableInputError as error:
                yield file, error
                continue
            with content:
                yield file, content


def song_place(path: Path) -> SongPlace:
    """Where the songs at `path` lie."""
    return SongFolder(path, SUFFIXES)
