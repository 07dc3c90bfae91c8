"""Reading single-song files of the genuine byte layout without the HDF5 library.

One read of 48 KiB, a comparison with the layout's fingerprint, and a few inflated chunks. Whatever is not
exactly as expected is left to `hdf5`, which also finds the words for what is wrong with a file.
"""

import struct
from collections.abc import Sequence

import numpy as np

from ingestion.msd.content import FIRST_BYTES, HELD_BYTES, Content
from ingestion.msd.inflate import InflateError, inflate
from ingestion.msd.layout import (
    ARRAYS,
    EOF_ADDRESS_AT,
    LENGTH_LIKE,
    TABLES,
    UNDEFINED,
    Array,
    fingerprint,
)
from ingestion.msd.songs import ARRAYS_OF, Ragged, Songs, Tier

RawSong = tuple[list[bytes], list[np.ndarray]]
"""A song as yet undecoded: the row of each table, and the items of each of the tier's arrays."""

TAIL_BYTES = 16 * 1024
"""What is asked for where data lies beyond the beginning: tags take 4.4 kB, at a genuine file's end."""

BTREE_CHUNKS = 64
"""Chunks that one node of a B-tree names: 5,440 segments have as many. With more the tree has two levels."""

_FINGERPRINTS = {tier: fingerprint(ARRAYS[name] for name in names) for tier, names in ARRAYS_OF.items()}


def _picking(*places: tuple[int, str]) -> struct.Struct:
    """The numbers at these offsets, which rise: (offset, format)."""
    form, end = "<", 0
    for offset, kind in places:
        form += f"{offset - end}x{kind}"
        end = offset + struct.calcsize(kind)
    return struct.Struct(form)


_PLACES = _picking(
    (EOF_ADDRESS_AT, "Q"),
    *[
        place
        for table in TABLES.values()
        for place in ((table.chunk_size_at, "I"), (table.chunk_address_at, "Q"))
    ],
)
"""Where the file ends; size and address of each table's chunk."""

_TABLES = [
    (table.chunk_bytes, table.chunk_rows, table.index, bytes(table.index.stop - table.index.start))
    for table in TABLES.values()
]


class _UnexpectedError(Exception):
    """The file is not quite what its fingerprint promised."""


class _Bytes:
    """The file's bytes by address: those of its beginning, and others where they are asked for."""

    def __init__(self, content: Content, beginning: bytes, end: int) -> None:
        self._content = content
        self._parts = [(0, beginning)]
        self._end = end

    def at(self, address: int, length: int) -> bytes:
        """Exactly these bytes; raises _UnexpectedError where the file has fewer."""
        end = address + length
        if end > self._end:
            raise _UnexpectedError
        for start, part in self._parts:
            if start <= address and end <= start + len(part):
                return part[address - start : end - start]
        part = self._content.read(address, min(max(length, TAIL_BYTES), self._end - address))
        if len(part) < length:
            raise _UnexpectedError
        self._parts.append((address, part))
        return part[:length]


def read(content: Content, tier: Tier) -> RawSong | None:
    """The file's one song, for `decode`; None where the HDF5 library must read the file.

    Raises UnreadableInputError where the content gives no bytes.
    """
    is_read_whole = tier is Tier.ARRAYS and content.size_bytes < HELD_BYTES
    beginning = content.read(0, content.size_bytes if is_read_whole else FIRST_BYTES)
    if not _FINGERPRINTS[tier].matches(beginning):
        return None
    end, *chunks = _PLACES.unpack_from(beginning)
    if end > content.size_bytes:  # cut: the chunks may be whole, but the file is not
        return None
    held = _Bytes(content, beginning, end)
    try:
        return _rows(held, chunks), _arrays(held, beginning, tier)
    except (_UnexpectedError, InflateError):
        return None


def has_tags(beginning: bytes) -> bool:
    """Whether a file that begins so has MusicBrainz tags, which lie at its end; of another layout, either."""
    at = ARRAYS["artist_mbtags"].btree_at
    return beginning[at : at + _U64.size] != _U64.pack(UNDEFINED)


def decode(songs: Sequence[RawSong], tier: Tier) -> Songs:
    """The songs, at least one, all read with this tier."""
    rows, arrays = {}, {}
    for number, table in enumerate(TABLES.values()):
        values = np.frombuffer(b"".join([song_rows[number] for song_rows, _ in songs]), table.row_type)
        rows |= {name: values[name] for name in table.row_type.names if not name.startswith("idx_")}
    for number, name in enumerate(ARRAYS_OF[tier]):
        parts = [song_arrays[number] for _, song_arrays in songs]
        columns = ARRAYS[name].columns
        values = np.concatenate(parts)
        counts = np.array([len(part) // columns for part in parts], np.int64)
        arrays[name] = Ragged(values if columns == 1 else values.reshape(-1, columns), counts)
    return Songs(rows, arrays, is_summary=False)


def _rows(held: _Bytes, chunks: Sequence[int]) -> list[bytes]:
    """The first row of each table; `chunks` holds size and address of each table's chunk."""
    rows = []
    for table, size, address in zip(_TABLES, chunks[::2], chunks[1::2], strict=True):
        chunk_bytes, chunk_rows, index, zeros = table
        chunk = inflate(held.at(address, size), chunk_bytes)
        if len(chunk) != chunk_bytes:
            raise _UnexpectedError
        row = _first_row(chunk, chunk_rows)
        if row[index] != zeros:  # the song's arrays would begin further on
            raise _UnexpectedError
        rows.append(row)
    return rows


def _first_row(chunk: bytes, rows: int) -> bytes:
    """Of a shuffled chunk, which has the first byte of every row, then the second of every row, and so on."""
    if rows > 10:
        return chunk[::rows]
    return np.frombuffer(chunk, np.uint8)[
        ::rows
    ].tobytes()  # a long row takes 2.3 instead of 3.1 microseconds


def _arrays(held: _Bytes, beginning: bytes, tier: Tier) -> list[np.ndarray]:
    """The items of each of the tier's arrays."""
    lengths: dict[str, int] = {}
    arrays = []
    for name in ARRAYS_OF[tier]:
        array = ARRAYS[name]
        (length,) = _U64.unpack_from(beginning, array.length_at)
        if lengths.setdefault(LENGTH_LIKE[name], length) != length:
            raise _UnexpectedError
        arrays.append(_items(held, beginning, array, length) if length else np.empty(0, array.dtype))
    return arrays


_U64 = struct.Struct("<Q")


def _items(held: _Bytes, beginning: bytes, array: Array, length: int) -> np.ndarray:
    """The items of an array that has rows."""
    (btree,) = _U64.unpack_from(beginning, array.btree_at)
    count = -(-length // array.chunk_rows)
    if btree == UNDEFINED or count > BTREE_CHUNKS:
        raise _UnexpectedError
    # Keys and children take turns: size and filter mask of a chunk, its first row (the other coordinates
    # are 0), its address; the last key has no child.
    entry = _ENTRIES[array.dimensions]
    node = held.at(btree, 24 + (count + 1) * entry.size - 8)
    if node[:8] != b"TREE" + struct.pack("<BBH", 1, 0, count):
        raise _UnexpectedError
    chunk_bytes = array.chunk_rows * array.row_bytes
    items = np.empty(length * array.columns, array.dtype)
    item_bytes = items.view(np.uint8).reshape(-1, array.dtype.itemsize)
    chunk_items = array.chunk_rows * array.columns
    for number, (size, mask, row, others, address) in enumerate(
        entry.iter_unpack(node[24 : 24 + count * entry.size])
    ):
        if mask or row != number * array.chunk_rows or any(others):
            raise _UnexpectedError
        chunk = inflate(held.at(address, size), chunk_bytes)
        if len(chunk) != chunk_bytes:
            raise _UnexpectedError
        # Shuffled, the chunk begins with the first byte of every item, then has the second of every item.
        part = item_bytes[number * chunk_items : (number + 1) * chunk_items]
        part[:] = np.frombuffer(chunk, np.uint8).reshape(-1, chunk_items)[:, : len(part)].T
    last = entry.unpack(node[-entry.size + 8 :] + bytes(8))
    if (last[2], any(last[3])) <= ((count - 1) * array.chunk_rows, False):
        raise _UnexpectedError
    return items


_ENTRIES = {1: struct.Struct("<IIQ8sQ"), 2: struct.Struct("<IIQ16sQ")}
"""A key and a child of a chunk B-tree, by the array's dimensions."""
