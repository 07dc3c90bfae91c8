"""Where song files lie, and how their bytes are brought from there: what reading asks of every such place."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from ingestion.inputs import InputFile, UnreadableInputError
from ingestion.msd.content import FIRST_BYTES, Content, LocalFile
from ingestion.source import Folder, Place

SUFFIXES = (".h5", ".hdf5")

Contents = Iterator[tuple[InputFile, Content | UnreadableInputError]]
"""Files and their bytes, or why they cannot be had. Each content can be used until the next is asked for."""


class SongPlace(Place, Protocol):
    """A place that gives the contents of its files."""

    def contents(self, files: Sequence[InputFile], wanted_bytes: int = FIRST_BYTES) -> Contents:
        """These files, in their order; of each `wanted_bytes` will be asked for first."""


class SongFolder(Folder):
    """A local folder of song files, or one such file."""

    def contents(self, files: Sequence[InputFile], wanted_bytes: int = FIRST_BYTES) -> Contents:  # noqa: ARG002
        """These files, opened one by one."""
        return open_files(self.folder, files)


def open_files(folder: Path, files: Iterable[InputFile]) -> Contents:
    """Local files, one open at a time."""
    for file in files:
        try:
            content = LocalFile(folder / file.path)
        except UnreadableInputError as error:
            yield file, error
            continue
        with content:
            yield file, content
