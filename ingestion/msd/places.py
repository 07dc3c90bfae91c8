"""Where song files lie, and how their bytes are brought from there: what reading asks of every such place."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from ingestion.inputs import InputFile, UnreadableInputError
from ingestion.msd.content import FIRST_BYTES, Content
from ingestion.source import Place

SUFFIXES = (".h5", ".hdf5")

ARCHIVE_SUFFIXES = (".tar", ".tar.gz", ".tgz")

UNREAD_ARCHIVE_SUFFIXES = (".tar.bz2", ".tbz2", ".tbz", ".tar.xz", ".txz", ".tar.zst", ".zip", ".7z", ".rar")
"""Of archives that are not read, and are said not to be."""

UNREAD_ARCHIVE = "%s is no kind of archive that is read: unpack it, or make it a .tar or .tar.gz"


def refuse_unread_archive(path: str) -> None:
    """Raises UnreadableInputError (unread_archive) where a file is called like an archive of these kinds."""
    if path.lower().endswith(UNREAD_ARCHIVE_SUFFIXES):
        raise UnreadableInputError("unread_archive", UNREAD_ARCHIVE % path)


UNREAD_REASONS = frozenset({"unreadable_file"})
"""What quarantine says of a file that could not be had (a right that is missing, a disk or a server that
fails), whatever it holds."""

Contents = Iterator[tuple[InputFile, Content | UnreadableInputError]]
"""Files and their bytes, or why they cannot be had. Each content can be used until the next is asked for."""


class SongPlace(Place, Protocol):
    """A place that gives the contents of its files."""

    def contents(self, files: Sequence[InputFile], wanted_bytes: int = FIRST_BYTES) -> Contents:
        """These files, in their order; of each `wanted_bytes` will be asked for first."""
