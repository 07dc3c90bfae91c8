"""Reading song files of the Million Song Dataset: HDF5 in, Arrow out.

A file holds one song or, as an aggregate, many; a summary file holds many without arrays.
Each of its three `songs` tables has a row per song. In an aggregate the arrays of all songs
lie end to end and `idx_<array>` is where a song's part starts; in a single-song file it is 0.
Layout: the dataset's own `hdf5_descriptors`. Knows nothing of the lake or the warehouse.
"""

import io
import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa

from ingestion.inputs import InputFile, UnreadableInputError, accounting, file_row, quarantine_row
from ingestion.msd.content import Content
from ingestion.msd.places import SongPlace
from ingestion.msd.tables import ARTIST_MBTAGS, ARTIST_TERMS, SIMILAR_ARTISTS, SONGS
from ingestion.source import Batches, HashUser
from ingestion.tables import RawTable

READER_VERSION = 1

SONGS_AT_ONCE = 10_000
"""Songs held in memory at a time: 5.5 kB each in the file's own form."""

TRACK_ID = re.compile(r"TR[A-Z0-9]{16}")

SIGNATURE = b"\x89HDF\r\n\x1a\n"
GROUPS = ("metadata", "analysis", "musicbrainz")
PROVENANCE = {"source_system": "msd", "terms_of_use": "msd_research"}
SCALARS = [
    name for name in SONGS.schema.names if name not in ("is_summary", "file_path") and name not in PROVENANCE
]
COLUMNS = ["is_summary", *SCALARS]

CHILDREN = (
    (ARTIST_TERMS, "metadata", ("artist_terms", "artist_terms_weight", "artist_terms_freq")),
    (SIMILAR_ARTISTS, "metadata", ("similar_artists",)),
    (ARTIST_MBTAGS, "musicbrainz", ("artist_mbtags", "artist_mbtags_count")),
)
"""Child tables, the group their arrays lie in, and the array of each column after the key.

The arrays of one child table are parallel: the first one's `idx_` column serves all.
"""


def read_unit(place: SongPlace, inputs: Sequence[InputFile], hash_user: HashUser) -> Batches:  # noqa: ARG001
    """Songs, artist terms, similar artists and MusicBrainz tags of these files.

    A file that cannot be read becomes a row of `quarantined_inputs`; so does a song without
    a track id, or with one that came before in the unit or contradicts the file's name.
    """
    block = _Block()
    seen: set[tuple[str, bool]] = set()
    files, quarantined = [], []
    for file, content in place.contents(inputs):
        taken, problems = 0, []
        try:
            if isinstance(content, UnreadableInputError):
                raise content
            for rows, children in _song_rows(content):
                good, bad = _checked(file, rows, seen)
                problems += bad
                taken += len(good)
                block.add(file.path, rows, children, good)
                if block.songs >= SONGS_AT_ONCE:
                    yield from block.tables()
                    block = _Block()
        except UnreadableInputError as error:
            problems.append((error, ""))
        files.append(file_row(place.root, file, "msd_hdf5", taken, len(problems)))
        quarantined += [quarantine_row(place.root, file, error, item) for error, item in problems]
    yield from block.tables()
    yield from accounting(files, quarantined)


@dataclass
class _Child:
    """The rows of one child table for a run of songs: columns end to end, and each song's count."""

    columns: list[np.ndarray]
    counts: np.ndarray


SongRows = tuple[dict[str, np.ndarray], dict[str, _Child]]


def _song_rows(content: Content) -> Iterator[SongRows]:
    """The file's songs, some thousands at a time: scalar columns, and children by table name.

    Raises UnreadableInputError, whichever way HDF5 fails.
    """
    try:
        path = content.path or io.BytesIO(content.read(0, content.size_bytes))
        with h5py.File(path, "r", locking=False) as h5:
            tables = {group: _dataset(h5[group], "songs") for group in GROUPS}
            shapes = {table.shape for table in tables.values()}
            if len(shapes) != 1 or len(*shapes) != 1:
                raise UnreadableInputError("wrong_layout", "the songs tables differ in shape")
            ((total,),) = shapes
            is_summary = not any(name in h5[group] for _, group, arrays in CHILDREN for name in arrays)
            for start in range(0, total, SONGS_AT_ONCE):
                rows, children = _rows_between(h5, tables, start, min(start + SONGS_AT_ONCE, total))
                rows["is_summary"] = np.full(len(rows["track_id"]), is_summary)
                yield rows, children
    except KeyError as error:
        reason = "missing_table" if "doesn't exist" in str(error) else "corrupt_file"
        raise UnreadableInputError(reason, str(error.args[0])) from error
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise UnreadableInputError(_reason(content, error), str(error)) from error


def _dataset(group: h5py.Group, name: str) -> h5py.Dataset:
    dataset = group[name]
    if not isinstance(dataset, h5py.Dataset):
        raise UnreadableInputError("wrong_layout", f"{dataset.name} is not a dataset")
    if dataset.chunks:
        _check_filters(dataset)
    return dataset


def _check_filters(dataset: h5py.Dataset) -> None:
    """Refuse chunks that skip a filter (shuffle, deflate) they went through: HDF5 would read noise.

    A writer may skip the filters of a chunk that would not shrink: its stored size is its full size.
    """
    full_size = math.prod(dataset.chunks) * dataset.dtype.itemsize

    def check(chunk: h5py.h5d.StoreInfo) -> None:
        if chunk.filter_mask and chunk.size != full_size:
            raise UnreadableInputError("corrupt_file", f"{dataset.name} has a chunk with a filter mask")

    dataset.id.chunk_iter(check)


def _reason(content: Content, error: Exception) -> str:
    if content.path and not content.path.exists():
        return "missing_file"
    if content.size_bytes == 0:
        return "empty_file"
    if not _is_hdf5(content):
        return "not_hdf5"
    return "truncated_file" if "truncated file" in str(error) else "corrupt_file"


def _is_hdf5(content: Content) -> bool:
    """Whether the signature stands where HDF5 looks for it: at 0, 512, 1024, 2048 and so on."""
    start = 0
    while start < content.size_bytes:
        if content.read(start, len(SIGNATURE)) == SIGNATURE:
            return True
        start = 2 * start or 512
    return False


def _rows_between(h5: h5py.File, tables: dict[str, h5py.Dataset], start: int, stop: int) -> SongRows:
    rows: dict[str, np.ndarray] = {}
    starts: dict[str, np.ndarray] = {}
    for table in tables.values():
        ahead = table[start : stop + 1]  # one row more tells where the last song's arrays end
        for name in ahead.dtype.names or ():
            if name.startswith("idx_"):
                starts[name.removeprefix("idx_")] = ahead[name]
            else:
                rows[name] = ahead[name][: stop - start]
    for name in SCALARS:
        if name not in rows:
            raise UnreadableInputError("wrong_layout", f"there is no column {name}")
        rows[name] = _typed(rows[name], name, SONGS.schema.field(name).type)
    return rows, {
        table.name: _children(h5[group], table, arrays, starts.get(arrays[0]), stop - start)
        for table, group, arrays in CHILDREN
    }


def _typed(values: np.ndarray, name: str, type_: pa.DataType) -> np.ndarray:
    """The values of a column or array in the type it should have, where that loses nothing."""
    if values.ndim == 1 and pa.types.is_string(type_) and values.dtype.kind == "S":
        return values
    if values.ndim == 1 and not pa.types.is_string(type_) and values.dtype.kind in "iuf":
        wanted = np.dtype(type_.to_pandas_dtype())
        if np.can_cast(values.dtype, wanted):
            return values.astype(wanted, copy=False)
    raise UnreadableInputError("wrong_layout", f"{name} has type {values.dtype}")


def _children(
    group: h5py.Group, table: RawTable, arrays: Sequence[str], starts: np.ndarray | None, songs: int
) -> _Child:
    if starts is None or any(name not in group for name in arrays):  # a summary file has no arrays
        return _Child([], np.zeros(songs, np.int64))
    datasets = [_dataset(group, name) for name in arrays]
    length = datasets[0].shape[0]
    if any(dataset.shape != (length,) for dataset in datasets):
        raise UnreadableInputError("wrong_layout", f"{', '.join(arrays)} differ in length")
    bounds = starts.astype(np.int64)
    if len(bounds) == songs:
        bounds = np.append(bounds, length)
    counts = np.diff(bounds)
    if len(counts) and (counts.min() < 0 or bounds[0] < 0 or bounds[-1] > length):
        raise UnreadableInputError("wrong_layout", f"idx_{arrays[0]} does not index {arrays[0]}")
    types = table.schema.types[-len(arrays) :]
    return _Child(
        [
            _typed(dataset[bounds[0] : bounds[-1]], name, type_)
            for dataset, name, type_ in zip(datasets, arrays, types, strict=True)
        ],
        counts,
    )


def _checked(
    file: InputFile, rows: dict[str, np.ndarray], seen: set[tuple[str, bool]]
) -> tuple[list[int], list[tuple[UnreadableInputError, str]]]:
    """Which songs can be taken in, and what is wrong with each of the others."""
    good, bad = [], []
    track_ids = _texts(rows["track_id"])
    stem = Path(file.path).stem
    for row, key in enumerate(zip(track_ids, rows["is_summary"].tolist(), strict=True)):
        track_id = key[0]
        if not track_id:
            error = UnreadableInputError("missing_track_id", "the song has no track id")
        elif len(track_ids) == 1 and TRACK_ID.fullmatch(stem) and stem != track_id:
            error = UnreadableInputError("track_id_differs", f"the file holds {track_id}")
        elif key in seen:
            error = UnreadableInputError("duplicate_track_id", f"{track_id} came before")
        else:
            seen.add(key)
            good.append(row)
            continue
        bad.append((error, "" if len(track_ids) == 1 else f"song {row}"))
    return good, bad


@dataclass
class _Block:
    """Songs collected from several files, in the files' own types, until they are worth a batch."""

    songs: int = 0
    columns: dict[str, list[np.ndarray]] = field(default_factory=lambda: {name: [] for name in COLUMNS})
    file_paths: list[str] = field(default_factory=list)
    children: dict[str, list[_Child]] = field(default_factory=lambda: {t.name: [] for t, _, _ in CHILDREN})

    def add(
        self, file_path: str, rows: dict[str, np.ndarray], children: dict[str, _Child], good: list[int]
    ) -> None:
        """Take in the songs numbered `good`."""
        for name, parts in self.columns.items():
            parts.append(rows[name][good])
        self.file_paths += [file_path] * len(good)
        self.songs += len(good)
        is_good = np.zeros(len(rows["track_id"]), bool)
        is_good[good] = True
        for name, child in children.items():
            kept = np.repeat(is_good, child.counts)
            self.children[name].append(
                _Child([column[kept] for column in child.columns], child.counts[is_good])
            )

    def tables(self) -> Batches:
        """The collected songs as Arrow tables."""
        if not self.songs:
            return
        columns = {name: np.concatenate(parts) for name, parts in self.columns.items()}
        yield (
            SONGS,
            pa.table(
                {name: _arrow(values) for name, values in columns.items()}
                | {"file_path": self.file_paths}
                | {name: pa.repeat(value, self.songs) for name, value in PROVENANCE.items()}
            )
            .select(SONGS.schema.names)
            .cast(SONGS.schema),
        )
        track_ids = _arrow(columns["track_id"])
        for table, _, arrays in CHILDREN:
            yield table, self._child_table(table, len(arrays), track_ids)

    def _child_table(self, table: RawTable, column_count: int, track_ids: pa.Array) -> pa.Table:
        children = self.children[table.name]
        counts = np.concatenate([child.counts for child in children])
        first_rows = np.cumsum(counts) - counts
        positions = np.arange(counts.sum()) - np.repeat(first_rows, counts)
        values = [
            _arrow(np.concatenate([child.columns[i] for child in children if child.columns]))
            if counts.sum()
            else pa.nulls(0)
            for i in range(column_count)
        ]
        keys = [track_ids.take(pa.array(np.repeat(np.arange(len(counts)), counts))), pa.array(positions)]
        return pa.table([*keys, *values], names=table.schema.names).cast(table.schema)


def _arrow(values: np.ndarray) -> pa.Array:
    """A column as Arrow: text decoded, NaN as NULL."""
    if values.dtype.kind == "S":
        return pa.array(_texts(values), pa.string())
    return pa.array(values, from_pandas=True)


def _texts(values: np.ndarray) -> list[str]:
    """NUL-padded UTF-8. The file's fixed widths can cut a character: it becomes U+FFFD."""
    return [value.decode("utf-8", "replace").replace("\0", "") for value in values.tolist()]
