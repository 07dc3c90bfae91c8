"""Where a song file's bytes come from: what the reader asks of it, and files on a local disk.

The reader does not care whether a file lies in a folder, in an archive or in a bucket: each way of
bringing files is a `Content` of its own. Nothing here knows HDF5.
"""

import os
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from ingestion.inputs import UnreadableInputError

FIRST_BYTES = 48 * 1024
"""What the reader asks for first: in a genuine single-song file it holds every scalar, and the artist's
terms and similar artists."""


HELD_BYTES = 64 * 2**20
"""Files from this size on (a summary file has 300 MB) are not held in memory: what is no local file goes
through a temporary one."""


class Content(Protocol):
    """The bytes of one song file.

    The reader calls `read(0, FIRST_BYTES)` first, or `read(0, size_bytes)` where it wants the arrays of a
    file below HELD_BYTES, and more only where a file is not as most are: for tags at its end, or for all
    of it.

    `path` is the file where it is a local one, for h5py to open; None where it is an object in a
    bucket or a member of an archive.
    """

    @property
    def size_bytes(self) -> int:
        """Size of the whole file."""

    @property
    def path(self) -> Path | None:
        """The local file, if it is one."""

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start` on, fewer only where the file ends.

        Raises UnreadableInputError where they cannot be had.
        """


class LocalFile:
    """A file on a local disk, open until `close` or the end of its `with` block."""

    def __init__(self, path: Path) -> None:
        """Raises UnreadableInputError: missing_file, or unreadable_file where it may not be read."""
        self.path = path
        try:
            self._descriptor = os.open(path, os.O_RDONLY)
        except FileNotFoundError as error:
            raise UnreadableInputError("missing_file", str(error)) from error
        except OSError as error:
            raise UnreadableInputError("unreadable_file", str(error)) from error
        self.size_bytes = os.fstat(self._descriptor).st_size

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start` on, fewer only where the file ends."""
        try:
            return os.pread(self._descriptor, length, start)
        except OSError as error:  # a folder that is named like a song file, a disk that fails
            raise UnreadableInputError("unreadable_file", str(error)) from error

    def close(self) -> None:
        """Give the file back."""
        os.close(self._descriptor)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class HeldBytes:
    """A whole file held in memory."""

    path = None

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.size_bytes = len(content)

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start` on, fewer only where the file ends."""
        return self._content[start : start + length]
