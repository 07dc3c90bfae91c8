"""What a source is: its raw tables; and what a file source is: which files it takes, how they are read.

The bridge between the readers, which know a format, and the lake and the loader, which
know none.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from ingestion.inputs import InputFile, find_inputs, group_into_units, source_root
from ingestion.tables import RawTable

Batches = Iterator[tuple[RawTable, pa.Table]]
HashUser = Callable[[str], str]


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
    """A source that is files on disk.

    `reader_version` goes up when the reader would give other rows for the same bytes:
    every unit then counts as new. `files_per_unit` is a mean: large enough that parts are
    worth loading, small enough that a killed run repeats seconds of work. A reader that
    `may_crash`, taking its process with it, is run in processes of its own.
    """

    suffixes: tuple[str, ...]
    reader_version: int
    files_per_unit: int
    counted_as: str
    read_unit: Callable[[Path, Sequence[InputFile], HashUser], Batches]
    may_crash: bool = False

    def units(self, path: Path) -> Iterable[list[InputFile]]:
        """The files at `path`, grouped into units. Raises FileNotFoundError where there are none."""
        return group_into_units(find_inputs(path, self.suffixes), self.files_per_unit)

    def read(self, path: Path, hash_user: HashUser) -> Batches:
        """Every row of the files at `path`, past the lake: for a quick look at few files."""
        for unit in self.units(path):
            yield from self.read_unit(source_root(path), unit, hash_user)
