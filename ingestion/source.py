"""What a source is: its raw tables; and what a file source is: where its files lie, how they are read.

The bridge between the readers, which know a format, and the lake and the loader, which
know none.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import pyarrow as pa

from ingestion.inputs import InputFile, UnreadableInputError, find_inputs, group_into_units, source_root
from ingestion.tables import RawTable

Batches = Iterator[tuple[RawTable, pa.Table]]
HashUser = Callable[[str], str]


class Place(Protocol):
    """Where files lie that can be listed and read in any order. Reading processes are handed copies of it.

    `streams` are those that lie among the files; they are known once `files` has come to its end.
    """

    streams: Sequence["Stream"]

    @property
    def root(self) -> str:
        """What the files' paths are relative to, as rows name it."""

    def files(self) -> Iterable[InputFile]:
        """Every file of the source here, by path. Raises FileNotFoundError where there is nothing to read."""


class Reading(Protocol):
    """One reading of a stream from its beginning to its end.

    `error` says, at the end, why the stream could not be read to its end, if that is so. `position` is how
    many of its bytes were read so far; `passed_over` counts what is no file of the source, and
    `passed_over_names` are the first of these, `archives_inside` the first that are archives themselves.
    """

    error: UnreadableInputError | None
    position: int
    passed_over: int
    passed_over_names: list[str]
    archives_inside: list[str]

    def members(self) -> Iterator[Any]:
        """The files, in the order in which they lie in the stream; each has its `file`."""


@runtime_checkable
class Stream(Protocol):
    """Files that lie end to end in one, as in an archive, and can only be read from the first on.

    `file` is the stream itself as an input, relative to the folder `folder`.
    """

    root: str
    file: InputFile
    folder: str

    def read(self) -> Reading:
        """Read it from the beginning."""

    def next_unit(self, members: Iterable[Any]) -> Place:
        """Members as a place to read them from: once, in their order, whichever files are asked for."""


@dataclass(frozen=True)
class Folder:
    """A local folder, with all that lies below it, or a single file."""

    path: Path
    suffixes: tuple[str, ...]
    streams: Sequence[Stream] = ()

    @cached_property
    def folder(self) -> Path:
        """The folder that paths are relative to."""
        return source_root(self.path)

    @cached_property
    def root(self) -> str:
        """The same, as rows name it."""
        return str(self.folder)

    def files(self) -> Iterator[InputFile]:
        """As `find_inputs` finds them."""
        return find_inputs(self.path, self.suffixes)


def of_folder(
    read_unit: Callable[[Path, Sequence[InputFile], HashUser], Batches],
) -> Callable[[Folder, Sequence[InputFile], HashUser], Batches]:
    """A reader of files below a path, as a reader of files of a `Folder`."""

    def read_unit_of_folder(place: Folder, inputs: Sequence[InputFile], hash_user: HashUser) -> Batches:
        return read_unit(place.folder, inputs, hash_user)

    return read_unit_of_folder


@dataclass(frozen=True)
class Source:
    """A source of raw data, as the loader sees it.

    Units hold rows of `lake_only_tables` as well: they are kept, and the loader passes them over.
    """

    name: str
    tables: tuple[RawTable, ...]
    lake_only_tables: tuple[RawTable, ...] = field(default=(), kw_only=True)

    @property
    def schema_name(self) -> str:
        """The raw schema that the source is loaded into."""
        return f"raw_{self.name}"


@dataclass(frozen=True)
class FileSource(Source):
    """A source that is files.

    `reader_version` goes up when the reader would give other rows for the same bytes:
    every unit then counts as new. `files_per_unit` is a mean: large enough that parts are
    worth loading, small enough that a killed run repeats seconds of work. `read_unit` is given a
    place, files of it and the hash of users. A reader that `may_crash`, taking its process with it,
    is run in processes of its own. `find_place` knows more places than local folders. `unread_reasons`
    are those of quarantine that say of a file that it could not be had: every run tries it again.
    """

    suffixes: tuple[str, ...]
    reader_version: int
    files_per_unit: int
    counted_as: str
    read_unit: Callable[[Any, Sequence[InputFile], HashUser], Batches]
    may_crash: bool = False
    find_place: Callable[[Path | str], Place | Stream] | None = None
    unread_reasons: frozenset[str] = frozenset()

    def place(self, path: Path | str) -> Place | Stream:
        """Where the files at `path` lie. Raises FileNotFoundError where that is nowhere."""
        return self.find_place(path) if self.find_place else Folder(Path(path), self.suffixes)

    def units(self, place: Place) -> Iterator[list[InputFile]]:
        """The files of a place, grouped into units. Raises FileNotFoundError where there are none."""
        return group_into_units(place.files(), self.files_per_unit)

    def read(self, path: Path | str, hash_user: HashUser) -> Batches:
        """Every row of the files at `path`, past the lake: for a quick look at few files."""
        place = self.place(path)
        streams = [place]
        if not isinstance(place, Stream):
            for unit in self.units(place):
                yield from self.read_unit(place, unit, hash_user)
            streams = place.streams
        for stream in streams:
            yield from self.read_unit(stream.next_unit(stream.read().members()), (), hash_user)
