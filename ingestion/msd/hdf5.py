"""Reading song files with the HDF5 library: any file that is one, of one song or of a million.

An aggregate has a row per song in each of its three `songs` tables, the arrays of all songs lie end to
end, and `idx_<array>` is where a song's part starts; in a single-song file it is 0. A summary has no
arrays. Columns are found by their names, numbers are taken in any type that fits without loss.
"""

import io
import itertools
import math
import os
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
from h5py import h5d, h5f, h5fd, h5g, h5o, h5p, h5s, h5t, h5z

from ingestion.inputs import UnreadableInputError
from ingestion.msd.content import HELD_BYTES, Content, HeldBytes, LocalFile
from ingestion.msd.layout import ARRAYS, LENGTH_LIKE, PARALLEL, ROW_TYPES, SIGNATURE
from ingestion.msd.songs import ARRAYS_OF, SCALARS, Ragged, Songs, Tier

SONGS_AT_ONCE = 10_000
"""Songs read at a time: 5.5 kB each in the file's own form."""

SONGS_WITH_ARRAYS_AT_ONCE = 200
"""The same where all arrays are read: 300 kB each."""

COPIED_BYTES = 8 * 2**20
"""Of a file that is copied to the local disk, at a time."""


def read(content: Content, tier: Tier) -> Iterator[Songs]:
    """The file's songs, some thousands at a time.

    Raises UnreadableInputError, whichever way HDF5 fails.
    """
    with _at_hand(content) as at_hand:
        yield from _read(at_hand, tier)


@contextmanager
def _at_hand(content: Content) -> Iterator[Content]:
    """The same bytes on a local disk or in memory: the library reads in many places of a file."""
    if content.path:
        yield content
    elif content.size_bytes < HELD_BYTES:
        yield HeldBytes(content.read(0, content.size_bytes))
    else:
        with tempfile.NamedTemporaryFile(suffix=".h5") as copy:
            for start in range(0, content.size_bytes, COPIED_BYTES):
                copy.write(content.read(start, COPIED_BYTES))
            copy.flush()
            with LocalFile(Path(copy.name)) as local:
                yield local


def _read(content: Content, tier: Tier) -> Iterator[Songs]:
    at_once = SONGS_WITH_ARRAYS_AT_ONCE if tier is Tier.ARRAYS else SONGS_AT_ONCE
    try:
        with _opened(content) as file:
            groups = {name: h5o.open(file, name.encode()) for name in ROW_TYPES}
            tables = [
                _Dataset(groups[name], f"/{name}/songs", type_, content.size_bytes)
                for name, type_ in ROW_TYPES.items()
            ]
            shapes = {table.shape for table in tables}
            if len(shapes) != 1 or len(*shapes) != 1:
                raise UnreadableInputError("wrong_layout", "the songs tables differ in shape")
            ((total,),) = shapes
            is_summary = _is_summary(groups)
            arrays = {} if is_summary else _opened_arrays(groups, tier, content.size_bytes)
            for start in range(0, total, at_once):
                stop = min(start + at_once, total)
                rows, starts = _rows_between(tables, start, stop)
                songs = stop - start
                parts = _no_arrays(tier, songs) if is_summary else _parts(arrays, starts, songs)
                yield Songs(rows, parts, is_summary)
    except MemoryError as error:
        raise UnreadableInputError("out_of_memory", str(error) or "no memory is left") from error
    except KeyError as error:
        reason = "missing_table" if "doesn't exist" in str(error) else "corrupt_file"
        raise UnreadableInputError(reason, str(error.args[0])) from error
    except (OSError, RuntimeError, TypeError, ValueError) as error:
        raise UnreadableInputError(_reason(content, error), str(error)) from error


@contextmanager
def _opened(content: Content) -> Iterator[h5f.FileID]:
    """The file, by h5py's low-level interface: the other takes twice as long for a single song."""
    if content.path:
        file = h5f.open(os.fsencode(content.path), h5f.ACC_RDONLY, _access())
    else:
        access = _access().copy()
        access.set_fileobj_driver(h5fd.fileobj_driver, io.BytesIO(content.read(0, content.size_bytes)))
        file = h5f.open(b"held in memory", h5f.ACC_RDONLY, access)
    try:
        yield file
    finally:
        file.close()


@cache
def _access() -> h5p.PropFAID:
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fclose_degree(h5f.CLOSE_STRONG)
    access.set_file_locking(False, True)
    access.set_cache(0, 0, 0, 0)  # of chunks: each is read once
    return access


def _reason(content: Content, error: Exception) -> str:
    if content.path and not content.path.exists():
        return "missing_file"
    if isinstance(error, OSError) and error.errno:  # the system's, not the library's own: a disk that fails
        return "unreadable_file"
    if content.size_bytes == 0:
        return "empty_file"
    if not _has_signature(content):
        return "not_hdf5"
    return "truncated_file" if "truncated file" in str(error) else "corrupt_file"


def _has_signature(content: Content) -> bool:
    """Whether the file is HDF5, after a user block perhaps: its size is 0 or 512 times a power of 2."""
    start = 0
    while start < content.size_bytes:
        if content.read(start, len(SIGNATURE)) == SIGNATURE:
            return True
        start = 2 * start or 512
    return False


class _Dataset:
    """An open dataset. Where it has the usual type, the library need not describe its type, which is slow.

    HDF5 trusts a damaged length, type or list of filters, and reads noise or zeros without a word. Such a
    dataset is refused on opening, before memory is asked for.
    """

    def __init__(self, group: h5g.GroupID, path: str, usual_type: np.dtype, file_bytes: int) -> None:
        self._dataset = h5o.open(group, path.encode())
        if not isinstance(self._dataset, h5d.DatasetID):
            raise UnreadableInputError("wrong_layout", f"{path} is not a dataset")
        self._path = path
        usual, stored = _file_type(usual_type), self._dataset.get_type()
        self._memory_type = usual if stored == usual else None
        self.dtype = usual_type if self._memory_type else _numpy_type(stored, path)
        self.shape = self._dataset.shape
        properties = self._dataset.get_create_plist()
        layout = properties.get_layout()
        if layout == h5d.CHUNKED:
            self._check_chunks(properties, stored.get_size(), file_bytes)
        elif layout in (h5d.CONTIGUOUS, h5d.COMPACT):
            self._check_size(stored.get_size(), file_bytes)
        else:
            raise UnreadableInputError("wrong_layout", f"{path} lies in other datasets")

    def _check_size(self, item_bytes: int, file_bytes: int) -> None:
        found, wanted = self._dataset.get_storage_size(), math.prod(self.shape) * item_bytes
        if found != wanted or found > file_bytes:
            raise UnreadableInputError("corrupt_file", f"{self._path} has not {wanted:,} bytes")

    def _check_chunks(self, properties: h5p.PropDCID, item_bytes: int, file_bytes: int) -> None:
        """Check that the chunks are those of the length, and went through the filters that they should have.

        A writer may skip the filters of a chunk that would not shrink: its stored size is its full size.
        """
        chunk_shape = properties.get_chunk()
        grid = [-(-rows // step) for rows, step in zip(self.shape, chunk_shape, strict=True)]
        filters = [properties.get_filter(number) for number in range(properties.get_nfilters())]
        for code, _, options, _ in filters:
            if code == h5z.FILTER_SHUFFLE and options != (item_bytes,):
                raise UnreadableInputError("corrupt_file", f"{self._path} is shuffled by {options} bytes")
        chunk_bytes = math.prod(chunk_shape) * item_bytes
        numbers = itertools.count()

        def check(chunk: h5d.StoreInfo) -> None:
            if chunk.chunk_offset != _place(next(numbers), grid, chunk_shape):
                raise UnreadableInputError("corrupt_file", f"{self._path} has a chunk at a wrong place")
            if chunk.size > file_bytes:
                raise UnreadableInputError("corrupt_file", f"{self._path} has a chunk larger than the file")
            if (chunk.filter_mask or not filters) and chunk.size != chunk_bytes:
                raise UnreadableInputError("corrupt_file", f"{self._path} has a chunk with a filter mask")
            # Being in the list of chunks does not mean that it is found; what is not found is read as zeros.
            self._dataset.read_direct_chunk(chunk.chunk_offset)

        self._dataset.chunk_iter(check)
        found, wanted = next(numbers), math.prod(grid)
        if found != wanted:
            raise UnreadableInputError("corrupt_file", f"{self._path} has {found:,} of {wanted:,} chunks")

    def rows(self, start: int, stop: int) -> np.ndarray:
        """The rows from `start` to before `stop`, as far as there are any."""
        count = max(min(stop, self.shape[0]) - start, 0)
        values = np.empty((count, *self.shape[1:]), self.dtype)
        if values.shape == self.shape:
            self._dataset.read(h5s.ALL, h5s.ALL, values, self._memory_type)
        elif values.size:
            space = self._dataset.get_space()
            space.select_hyperslab((start, *(0 for _ in self.shape[1:])), values.shape)
            self._dataset.read(h5s.create_simple(values.shape), space, values, self._memory_type)
        return values


def _place(number: int, grid: Sequence[int], chunk_shape: Sequence[int]) -> tuple[int, ...]:
    """Where the chunk of that number begins, of so many chunks along each axis."""
    place = []
    for chunks, step in zip(reversed(grid), reversed(chunk_shape), strict=True):
        number, position = divmod(number, max(chunks, 1))
        place.append(position * step)
    return tuple(reversed(place))


def _numpy_type(stored: h5t.TypeID, path: str) -> np.dtype:
    """The type as numpy has it; refused where the bits of numbers mean what nobody writes: it is damaged."""
    members = [stored]
    if isinstance(stored, h5t.TypeCompoundID):
        members = [stored.get_member_type(number) for number in range(stored.get_nmembers())]
    for member in members:
        is_number = isinstance(member, h5t.TypeIntegerID | h5t.TypeFloatID)
        if is_number and member != h5t.py_create(member.dtype):
            raise UnreadableInputError("wrong_layout", f"{path} has numbers of an unknown kind")
    return stored.dtype


@cache
def _file_type(dtype: np.dtype) -> h5t.TypeID:
    """The HDF5 type as the dataset's writer made it: texts end in NUL, where h5py's own are NUL-padded."""
    if dtype.names:
        compound = h5t.create(h5t.COMPOUND, dtype.itemsize)
        for name in dtype.names:
            compound.insert(name.encode(), dtype.fields[name][1], _file_type(dtype[name]))
        return compound
    if dtype.kind == "S":
        text = h5t.C_S1.copy()
        text.set_size(dtype.itemsize)
        return text
    return h5t.py_create(dtype)


def _rows_between(
    tables: Sequence[_Dataset], start: int, stop: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """The scalars of these songs, and where their arrays begin: the next song's too, if there is one."""
    rows: dict[str, np.ndarray] = {}
    starts: dict[str, np.ndarray] = {}
    for table in tables:
        ahead = table.rows(start, stop + 1)
        for name in ahead.dtype.names or ():
            if name.startswith("idx_"):
                starts[name.removeprefix("idx_")] = ahead[name]
            else:
                rows[name] = ahead[name][: stop - start]
    for name in SCALARS:
        if name not in rows:
            raise UnreadableInputError("wrong_layout", f"there is no column {name}")
        if rows[name].ndim != 1:
            raise UnreadableInputError("wrong_layout", f"{name} has shape {rows[name].shape}")
    return {name: _typed(rows[name], name, wanted) for name, wanted in SCALARS.items()}, starts


def _typed(values: np.ndarray, name: str, wanted: np.dtype) -> np.ndarray:
    """The values of a column or array in the type they should have, where that loses nothing."""
    if values.dtype == wanted or (values.dtype.kind == wanted.kind == "S"):
        return values
    if wanted.kind != "S" and values.dtype.kind in "iuf" and np.can_cast(values.dtype, wanted):
        return values.astype(wanted, copy=False)
    raise UnreadableInputError("wrong_layout", f"{name} has type {values.dtype}")


def _is_summary(groups: dict[str, h5g.GroupID]) -> bool:
    """Whether the file has none of the arrays; one that has only some is damaged."""
    present: set[bytes] = set()
    for group in groups.values():
        group.links.iterate(present.add)
    missing = [name for name in ARRAYS if name.encode() not in present]
    if missing and len(missing) < len(ARRAYS):
        raise UnreadableInputError("missing_array", f"there is no {', '.join(missing)}")
    return bool(missing)


def _no_arrays(tier: Tier, songs: int) -> dict[str, Ragged]:
    return {name: Ragged(_no_rows(name), np.zeros(songs, np.int64)) for name in ARRAYS_OF[tier]}


def _no_rows(name: str) -> np.ndarray:
    array = ARRAYS[name]
    return np.empty((0, array.columns)[: array.dimensions], array.dtype)


def _opened_arrays(groups: dict[str, h5g.GroupID], tier: Tier, file_bytes: int) -> dict[str, _Dataset]:
    """The tier's arrays, those of a unit equally long."""
    arrays = {}
    for name in ARRAYS_OF[tier]:
        array = ARRAYS[name]
        group, path = groups[array.group], f"/{array.group}/{name}"
        arrays[name] = _Dataset(group, path, array.dtype, file_bytes)
        shape, other = arrays[name].shape, arrays[LENGTH_LIKE[name]].shape
        if not shape or shape[1:] != _no_rows(name).shape[1:]:
            raise UnreadableInputError("wrong_layout", f"{name} has shape {shape}")
        if shape[0] != other[0]:
            raise UnreadableInputError("wrong_layout", f"{name} and {LENGTH_LIKE[name]} differ in length")
    return arrays


def _parts(arrays: dict[str, _Dataset], starts: dict[str, np.ndarray], songs: int) -> dict[str, Ragged]:
    """The songs' parts of the arrays."""
    parts: dict[str, Ragged] = {}
    for name, dataset in arrays.items():
        bounds = _bounds(name, starts, songs, dataset.shape[0])
        values = _typed(dataset.rows(int(bounds[0]), int(bounds[-1])), name, ARRAYS[name].dtype)
        parts[name] = Ragged(values, np.diff(bounds))
        if not np.array_equal(parts[name].counts, parts[LENGTH_LIKE[name]].counts):
            raise UnreadableInputError(
                "wrong_layout", f"a song's {name} and {LENGTH_LIKE[name]} differ in length"
            )
    return parts


def _bounds(name: str, starts: dict[str, np.ndarray], songs: int, length: int) -> np.ndarray:
    """Where the songs' parts of an array begin, and where the last one ends."""
    index = PARALLEL.get(name, name)
    if index not in starts:
        raise UnreadableInputError("wrong_layout", f"there is no column idx_{index}")
    bounds = starts[index].astype(np.int64)
    if len(bounds) == songs:
        bounds = np.append(bounds, length)
    if bounds[0] < 0 or bounds[-1] > length or (np.diff(bounds) < 0).any():
        raise UnreadableInputError("wrong_layout", f"idx_{index} does not index {name}")
    return bounds
