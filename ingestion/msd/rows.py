"""From songs as files hold them to batches of the raw tables, with an account of every file.

Knows nothing of HDF5, and of the lake and the warehouse neither.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.inputs import InputFile, UnreadableInputError, accounting, file_row, quarantine_row
from ingestion.msd.content import Content
from ingestion.msd.places import SongPlace
from ingestion.msd.read import SongsRead, Unreadable, read_songs
from ingestion.msd.songs import ARRAYS_OF, SCALARS, Ragged, Tier
from ingestion.msd.tables import ARTIST_MBTAGS, ARTIST_TERMS, SIMILAR_ARTISTS, SONGS
from ingestion.source import Batches, HashUser
from ingestion.tables import RawTable

READER_VERSION = 2

SONGS_PER_BATCH = 10_000
"""Songs collected until they are a batch: 20 kB each."""

TRACK_ID = re.compile(r"TR[A-Z0-9]{16}")

PROVENANCE = {"source_system": "msd", "terms_of_use": "msd_research"}

CHILDREN = (
    (ARTIST_TERMS, ("artist_terms", "artist_terms_weight", "artist_terms_freq")),
    (SIMILAR_ARTISTS, ("similar_artists",)),
    (ARTIST_MBTAGS, ("artist_mbtags", "artist_mbtags_count")),
)
"""Child tables, and the parallel arrays that are their columns after the key."""


def read_unit(place: SongPlace, inputs: Sequence[InputFile], hash_user: HashUser) -> Batches:  # noqa: ARG001
    """Songs, artist terms, similar artists and MusicBrainz tags of these files of a place."""
    return read_contents(place.root, place.contents(inputs))


class Batch(Protocol):
    """Songs collected from several files until they are worth a batch."""

    songs: int
    songs_wanted: int

    def add(self, read: SongsRead[InputFile], is_good: np.ndarray) -> None:
        """Take in the good ones of these songs."""

    def tables(self) -> Batches:
        """The collected songs as Arrow tables."""


def read_contents(
    root: str,
    contents: Iterable[tuple[InputFile, Content | UnreadableInputError]],
    tier: Tier = Tier.ARTISTS,
    new_batch: Callable[[], Batch] | None = None,
) -> Batches:
    """What these files hold; `root` is what their account says they lie below.

    As rows of the raw tables, or as what another kind of batch makes of them. A file that cannot be read
    becomes a row of `quarantined_inputs`; so does a song without a track id, or with one that came before
    among these files or contradicts the file's name.
    """
    accounts: dict[InputFile, _Account] = {}

    def noted() -> Iterator[tuple[InputFile, Content | UnreadableInputError]]:
        for file, content in contents:
            accounts[file] = _Account()
            yield file, content

    new_batch = new_batch or _Batch
    batch = new_batch()
    seen: set[tuple[str, bool]] = set()
    for read in read_songs(noted(), tier):
        if isinstance(read, Unreadable):
            accounts[read.file].problems.append((read.error, ""))
            continue
        batch.add(read, _good_songs(read, accounts, seen))
        if batch.songs >= batch.songs_wanted:
            yield from batch.tables()
            batch = new_batch()
    yield from batch.tables()
    yield from accounting(
        [
            file_row(root, file, "msd_hdf5", account.taken, len(account.problems))
            for file, account in accounts.items()
        ],
        [
            quarantine_row(root, file, error, item)
            for file, account in accounts.items()
            for error, item in account.problems
        ],
    )


@dataclass
class _Account:
    """What became of a file: songs seen and taken in, and what could not be, with the item's name."""

    songs: int = 0
    taken: int = 0
    problems: list[tuple[UnreadableInputError, str]] = field(default_factory=list)


def _good_songs(
    read: SongsRead[InputFile], accounts: dict[InputFile, _Account], seen: set[tuple[str, bool]]
) -> np.ndarray:
    """Which songs can be taken in; what is wrong with the others goes to their files' accounts."""
    is_good = np.ones(len(read.files), bool)
    for row, (track_id, file) in enumerate(zip(_texts(read.songs.rows["track_id"]), read.files, strict=True)):
        account = accounts[file]
        is_only_song = read.read_by == "fixed_offsets" or (not account.songs and len(read.files) == 1)
        key = (track_id, read.songs.is_summary)
        stem = Path(file.path).stem
        if not track_id:
            error = UnreadableInputError("missing_track_id", "the song has no track id")
        elif is_only_song and stem != track_id and TRACK_ID.fullmatch(stem):
            error = UnreadableInputError("track_id_differs", f"the file holds {track_id}")
        elif key in seen:
            error = UnreadableInputError("duplicate_track_id", f"{track_id} came before")
        else:
            error = None
        if error:
            is_good[row] = False
            account.problems.append((error, "" if is_only_song else f"song {account.songs}"))
        else:
            seen.add(key)
            account.taken += 1
        account.songs += 1
    return is_good


@dataclass
class _Batch:
    """Songs collected from several files, in the files' own types, until they are worth a batch."""

    songs_wanted: ClassVar[int] = SONGS_PER_BATCH
    songs: int = 0
    columns: dict[str, list[np.ndarray]] = field(default_factory=lambda: {name: [] for name in SCALARS})
    is_summary: list[np.ndarray] = field(default_factory=list)
    file_paths: list[str] = field(default_factory=list)
    arrays: dict[str, list[Ragged]] = field(
        default_factory=lambda: {name: [] for name in ARRAYS_OF[Tier.ARTISTS]}
    )

    def add(self, read: SongsRead[InputFile], is_good: np.ndarray) -> None:
        """Take in the good ones of these songs."""
        good = np.flatnonzero(is_good)
        for name, parts in self.columns.items():
            parts.append(read.songs.rows[name][good])
        self.is_summary.append(np.full(len(good), read.songs.is_summary))
        self.file_paths += [read.files[row].path for row in good]
        self.songs += len(good)
        for name, parts in self.arrays.items():
            parts.append(read.songs.arrays[name].only(is_good))

    def tables(self) -> Batches:
        """The collected songs as Arrow tables."""
        if not self.songs:
            return
        columns = {name: _arrow(np.concatenate(parts)) for name, parts in self.columns.items()}
        columns["is_summary"] = pa.array(np.concatenate(self.is_summary))
        columns["file_path"] = pa.array(self.file_paths)
        columns |= {name: pa.repeat(value, self.songs) for name, value in PROVENANCE.items()}
        yield SONGS, pa.table(columns).select(SONGS.schema.names).cast(SONGS.schema)
        for table, names in CHILDREN:
            yield table, self._child_table(table, names, columns["track_id"])

    def _child_table(self, table: RawTable, names: Sequence[str], track_ids: pa.Array) -> pa.Table:
        counts = np.concatenate([array.counts for array in self.arrays[names[0]]])
        first_rows = np.cumsum(counts) - counts
        positions = np.arange(counts.sum()) - np.repeat(first_rows, counts)
        keys = [track_ids.take(pa.array(np.repeat(np.arange(len(counts)), counts))), pa.array(positions)]
        values = [_arrow(np.concatenate([array.values for array in self.arrays[name]])) for name in names]
        return pa.table([*keys, *values], names=table.schema.names).cast(table.schema)


def _arrow(values: np.ndarray) -> pa.Array:
    """A column as Arrow: text decoded, NaN as NULL."""
    if values.dtype.kind != "S":
        return pa.array(values, from_pandas=True)
    return as_text(values)


def as_text(values: np.ndarray) -> pa.Array:
    """NUL-padded UTF-8 as Arrow."""
    # Arrow is several times as fast, but takes a text to end at its first NUL and refuses a cut character.
    texts = pa.array(values, pa.binary())
    if np.char.str_len(values).sum() == (pc.sum(pc.binary_length(texts)).as_py() or 0):
        with suppress(pa.ArrowInvalid):
            return texts.cast(pa.string())
    return pa.array(_texts(values), pa.string())


def _texts(values: np.ndarray) -> list[str]:
    """NUL-padded UTF-8. The file's fixed widths can cut a character: it becomes U+FFFD."""
    return [value.decode("utf-8", "replace").replace("\0", "") for value in values.tolist()]
