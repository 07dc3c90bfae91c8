"""Song files in a tar archive, plain or gzipped, read from end to end: nothing is unpacked to disk.

The archive is read by hand, header by header: `tarfile` as a stream takes five times as long for everything
but the inflating (decision 0014). Knows archives, and of songs only how their files are called.
"""

import os
import tempfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice, takewhile
from pathlib import Path
from tarfile import BLOCKSIZE, EmptyHeaderError, EOFHeaderError, HeaderError, TarInfo, TruncatedHeaderError
from typing import BinaryIO, Self

from ingestion.inputs import InputFile, UnreadableInputError, is_hidden, storable
from ingestion.msd.content import HELD_BYTES, Content, LocalFile
from ingestion.msd.places import ARCHIVE_SUFFIXES, SUFFIXES, UNREAD_ARCHIVE_SUFFIXES, Contents

try:  # Intel's inflate takes half the time (package isal, extra `fast`)
    from isal import isal_zlib as gzip_zlib
except ImportError:
    gzip_zlib = zlib

GZIP_MAGIC = b"\x1f\x8b"

GZIP_FORMAT = 31
"""zlib's `wbits` for gzip's header and checksum around the largest window."""

READ_BYTES = 256 * 1024
"""Of the archive, at a time."""

INFLATED_BYTES = 1024 * 1024
"""At most so much from that: what packs well must not fill the memory."""

MAX_EXTENDED_BYTES = 1024 * 1024
"""Of a long name or an extended header: a path has at most some thousand bytes."""

MAX_SECONDS = 2**33
"""A time of change beyond that, in the year 2242, is damage and taken as unknown: dates end at year 9999."""

SHOWN_PASSED_OVER = 5
"""Names kept of the members that are no song files."""

_LONG_NAME, _EXTENDED, _EXTENDED_GLOBAL, _LONG_LINK = b"L", b"x", b"g", b"K"
_REGULAR = (b"0", b"\0", b"7")
_WITHOUT_CONTENT = (b"1", b"2", b"3", b"4", b"5", b"6")
_FOLDER = b"5"


class Inflated:
    """The bytes of a file from end to end, inflated if it is gzipped.

    Raises UnreadableInputError (truncated_archive, corrupt_archive) where there should be more.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._block = b""
        self._at = 0
        self._inflater = None
        self._error: UnreadableInputError | None = None
        magic = file.read(len(GZIP_MAGIC))
        file.seek(0)
        if magic == GZIP_MAGIC:
            self._inflater = gzip_zlib.decompressobj(GZIP_FORMAT)

    def read(self, length: int) -> bytes:
        """The next `length` bytes; fewer only at the very end."""
        return b"".join(self.take(length))

    def take(self, length: int) -> list[memoryview]:
        """The same as it was inflated, piece by piece: copying it would cost half as much as inflating."""
        pieces = []
        while length:
            if self._at == len(self._block):
                self._block, self._at = self._next_block(), 0
                if not self._block:
                    break
            piece = memoryview(self._block)[self._at : self._at + length]
            pieces.append(piece)
            self._at += len(piece)
            length -= len(piece)
        return pieces

    def skip(self, length: int) -> int:
        """Pass over the next `length` bytes; returns how many there were."""
        skipped = min(length, len(self._block) - self._at)
        self._at += skipped
        if self._inflater is None:
            here = self._file.tell()
            there = min(here + length - skipped, self._file.seek(0, os.SEEK_END))
            self._file.seek(there)
            return skipped + there - here
        while skipped < length:
            self._block = self._next_block()
            if not self._block:
                break
            self._at = min(length - skipped, len(self._block))
            skipped += self._at
        return skipped

    def blocks(self) -> Iterator[bytes]:
        """What is left, as it comes."""
        while block := self._next_block():
            yield block

    def _next_block(self) -> bytes:
        if self._inflater is None:
            return self._file.read(READ_BYTES)
        if self._error:
            raise self._error
        try:
            return self._inflated_block()
        except UnreadableInputError as error:
            self._error = error
            raise

    def _inflated_block(self) -> bytes:
        while True:
            packed = self._inflater.unconsumed_tail
            if self._inflater.eof:  # there may be several, end to end, and zeros after the last
                packed = self._inflater.unused_data.lstrip(b"\0") or self._file.read(READ_BYTES).lstrip(b"\0")
                if not packed:
                    return b""
                self._inflater = gzip_zlib.decompressobj(GZIP_FORMAT)
            packed = packed or self._file.read(READ_BYTES)
            if not packed:
                raise UnreadableInputError("truncated_archive", "the gzip stream has no end")
            try:
                block = self._inflater.decompress(packed, INFLATED_BYTES)
            except gzip_zlib.error as error:
                raise UnreadableInputError("corrupt_archive", str(error)) from error
            if block:
                return block


class _Pieces:
    """A whole file held in memory, in pieces that follow each other."""

    path = None

    def __init__(self, pieces: Sequence[memoryview]) -> None:
        self._pieces = pieces
        self.size_bytes = sum(map(len, pieces))

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start` on, fewer only where the file ends."""
        parts = []
        for piece in self._pieces:
            if length and start < len(piece):
                parts.append(piece[start : start + length])
                length -= len(parts[-1])
            start = max(0, start - len(piece))
        return b"".join(parts)


class _Member:
    """A song file in the archive; its bytes can be had until the next member is asked for."""

    def __init__(self, bytes_: Inflated, file: InputFile) -> None:
        self._bytes = bytes_
        self.file = file
        self.left = file.size_bytes

    @contextmanager
    def content(self) -> Iterator[Content]:
        """The whole file. Raises UnreadableInputError where the archive ends before it does."""
        if self.left < HELD_BYTES:
            yield _Pieces(self._take(self.left))
            return
        with tempfile.NamedTemporaryFile(suffix=".h5") as copy:
            while self.left:
                copy.writelines(self._take(min(self.left, READ_BYTES)))
            copy.flush()
            with LocalFile(Path(copy.name)) as content:
                yield content

    def _take(self, length: int) -> list[memoryview]:
        pieces = self._bytes.take(length)
        if sum(map(len, pieces)) < length:
            raise UnreadableInputError("truncated_archive", f"it ends inside {self.file.path}")
        self.left -= length
        return pieces


@dataclass
class Reading:
    """One reading of an archive from its beginning to its end, member by member.

    `error` says, at the end, why the archive could not be read to its end, if that is so. `position` is how
    many of the archive's bytes were read so far; `passed_over` counts members that are hidden or no song
    files, `passed_over_names` are the first of them, and `archives_inside` the first that are archives.
    """

    archive: "Archive"
    error: UnreadableInputError | None = None
    passed_over: int = 0
    passed_over_names: list[str] = field(default_factory=list)
    archives_inside: list[str] = field(default_factory=list)
    _file: BinaryIO | None = None

    @property
    def position(self) -> int:
        """How many of the archive's bytes were read so far."""
        return self._file.tell() if self._file and not self._file.closed else self.archive.file.size_bytes

    def members(self) -> Iterator[_Member]:
        """The song files, in the order in which they lie in the archive."""
        with self.archive.open() as self._file:
            try:
                yield from self._members(Inflated(self._file))
            except UnreadableInputError as error:
                self.error = error

    def _members(self, bytes_: Inflated) -> Iterator[_Member]:
        first_folder: list[str] | None = None
        while (header := _next_header(bytes_, first_folder is None)) is not None:
            names = [name for name in storable(header.name).split("/") if name not in ("", ".")]
            path = "/".join(names)
            if first_folder is None:
                first_folder = names if header.type == _FOLDER else names[:-1]
            padding = -header.size % BLOCKSIZE
            member = _Member(bytes_, InputFile(path, header.size, _modified_ns(header)))
            is_song_file = path.lower().endswith(SUFFIXES) and not (
                is_hidden(path) and _is_hidden_inside(names, first_folder)
            )
            if header.type in _REGULAR and is_song_file:
                yield member
            elif header.type != _FOLDER:
                self._pass_over(path)
            rest = member.left + padding
            if bytes_.skip(rest) < rest:
                raise UnreadableInputError("truncated_archive", f"it ends inside {path}")
        for _ in bytes_.blocks():  # a checksum stands at the very end
            pass

    def _pass_over(self, path: str) -> None:
        self.passed_over += 1
        if len(self.passed_over_names) < SHOWN_PASSED_OVER:
            self.passed_over_names.append(path)
        is_archive = path.lower().endswith(ARCHIVE_SUFFIXES + UNREAD_ARCHIVE_SUFFIXES)
        if is_archive and len(self.archives_inside) < SHOWN_PASSED_OVER:
            self.archives_inside.append(path)


def _is_hidden_inside(names: list[str], first_folder: list[str]) -> bool:
    """Whether a name of the path begins with a dot, but for folders that the first member is in too.

    Who packs a hidden folder means what is in it.
    """
    pairs = zip(names[:-1], first_folder, strict=False)
    shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
    return is_hidden("/".join(names[shared:]))


def _next_header(bytes_: Inflated, is_first: bool) -> TarInfo | None:
    """The next member's header, with its long name; None at the archive's end mark."""
    extended: dict[str, str] = {}
    while True:
        block = bytes_.read(BLOCKSIZE)
        try:
            header = TarInfo.frombuf(block, "utf-8", "surrogateescape")
        except EOFHeaderError:
            return None
        except (EmptyHeaderError, TruncatedHeaderError) as error:
            if is_first and not extended:
                raise UnreadableInputError("not_an_archive", "it is no tar archive") from error
            raise UnreadableInputError("truncated_archive", "it has no end mark") from error
        except HeaderError as error:
            reason = "not_an_archive" if is_first else "corrupt_archive"
            raise UnreadableInputError(reason, f"not a tar header: {error}") from error
        if header.type not in (_LONG_NAME, _LONG_LINK, _EXTENDED, _EXTENDED_GLOBAL):
            break
        if not 0 <= header.size <= MAX_EXTENDED_BYTES:
            raise UnreadableInputError("corrupt_archive", f"an extended header of {header.size:,} bytes")
        body = bytes_.read(header.size)
        bytes_.skip(-header.size % BLOCKSIZE)
        if header.type == _LONG_NAME:
            extended["path"] = body.rstrip(b"\0").decode("utf-8", "surrogateescape")
        elif header.type == _EXTENDED:
            extended |= _extended_fields(body)
    header.name = extended.get("path", header.name)
    size = str(extended.get("size", header.size))
    if not size.isdecimal():
        raise UnreadableInputError("corrupt_archive", f"{storable(header.name)} is said to have {size} bytes")
    header.size = 0 if header.type in _WITHOUT_CONTENT else int(size)
    return header


def _modified_ns(header: TarInfo) -> int:
    return int(header.mtime) * 10**9 if 0 <= header.mtime < MAX_SECONDS else 0


def _extended_fields(body: bytes) -> dict[str, str]:
    """The fields of a POSIX extended header: lines of `<length> <name>=<value>`."""
    fields = {}
    while body:
        length, _, _ = body.partition(b" ")
        if not length.isdigit() or not 0 < int(length) <= len(body):
            raise UnreadableInputError("corrupt_archive", "an extended header that is none")
        name, _, value = body[len(length) + 1 : int(length) - 1].partition(b"=")
        fields[name.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
        body = body[int(length) :]
    return fields


@dataclass(frozen=True)
class Archive:
    """A tar archive of song files: `file` in `folder`, whose bytes `open` gives from the first on.

    On a local disk or elsewhere: that is for `open` to know.
    """

    folder: str
    file: InputFile
    open: Callable[[], BinaryIO]

    @classmethod
    def at(cls, path: Path) -> Self:
        """A local archive as it is now."""
        path = path.expanduser().resolve()
        found = path.stat()
        file = InputFile(storable(path.name), found.st_size, found.st_mtime_ns)
        return cls(str(path.parent), file, partial(path.open, "rb", buffering=0))

    @property
    def root(self) -> str:
        """The archive: what its members' paths are relative to."""
        return f"{self.folder.rstrip('/')}/{self.file.path}"

    def read(self) -> Reading:
        """Read it from the beginning."""
        return Reading(self)

    def next_unit(self, members: Iterable[_Member]) -> "Members":
        """Members as a place to read them from."""
        return Members(self.root, members)

    def contents(self, files: Sequence[InputFile], wanted_bytes: int = 0) -> Contents:  # noqa: ARG002
        """These members, in the archive's order, which must be theirs: all before them is read over."""
        wanted = {file.path for file in files}
        members = (member for member in self.read().members() if member.file.path in wanted)
        yield from contents_of(islice(members, len(wanted)))


@dataclass(frozen=True)
class Members:
    """The next members of a reading, as a place to read them from: once, in their order."""

    root: str
    members: Iterable[_Member]

    def contents(self, files: Sequence[InputFile], wanted_bytes: int = 0) -> Contents:  # noqa: ARG002
        """All of them: nobody knows before which they are."""
        return contents_of(self.members)


def contents_of(members: Iterable[_Member]) -> Contents:
    """Members and their bytes; one that is cut comes with its error, and is the last."""
    for member in members:
        try:
            with member.content() as content:
                yield member.file, content
        except UnreadableInputError as error:
            yield member.file, error
