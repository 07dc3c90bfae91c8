"""The byte layout of the dataset's single-song files: how to recognise it, and where each value lies.

One program with one version of HDF5 wrote them all, so that their groups, object headers and symbol
tables lie at the same addresses and differ only in times and in what they say of the song. A file whose
structure is byte for byte as written down here (`fingerprint`) can be read without
the HDF5 library: the library would find each value where this module says it lies. Attributes are left
out, because no value depends on them.

Sources: the HDF5 file format specification (superblock 0, symbol tables, version 1 object headers and
B-trees), and the addresses in genuine files, the same in every one that was looked at (docs/decisions/0012).
"""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

import numpy as np

ROW_TYPES = {
    "metadata": np.dtype(
        [
            ("analyzer_version", "S32"),
            ("artist_7digitalid", "<i4"),
            ("artist_familiarity", "<f8"),
            ("artist_hotttnesss", "<f8"),
            ("artist_id", "S32"),
            ("artist_latitude", "<f8"),
            ("artist_location", "S1024"),
            ("artist_longitude", "<f8"),
            ("artist_mbid", "S40"),
            ("artist_name", "S1024"),
            ("artist_playmeid", "<i4"),
            ("genre", "S1024"),
            ("idx_artist_terms", "<i4"),
            ("idx_similar_artists", "<i4"),
            ("release", "S1024"),
            ("release_7digitalid", "<i4"),
            ("song_hotttnesss", "<f8"),
            ("song_id", "S32"),
            ("title", "S1024"),
            ("track_7digitalid", "<i4"),
        ]
    ),
    "analysis": np.dtype(
        [
            ("analysis_sample_rate", "<i4"),
            ("audio_md5", "S32"),
            ("danceability", "<f8"),
            ("duration", "<f8"),
            ("end_of_fade_in", "<f8"),
            ("energy", "<f8"),
            ("idx_bars_confidence", "<i4"),
            ("idx_bars_start", "<i4"),
            ("idx_beats_confidence", "<i4"),
            ("idx_beats_start", "<i4"),
            ("idx_sections_confidence", "<i4"),
            ("idx_sections_start", "<i4"),
            ("idx_segments_confidence", "<i4"),
            ("idx_segments_loudness_max", "<i4"),
            ("idx_segments_loudness_max_time", "<i4"),
            ("idx_segments_loudness_start", "<i4"),
            ("idx_segments_pitches", "<i4"),
            ("idx_segments_start", "<i4"),
            ("idx_segments_timbre", "<i4"),
            ("idx_tatums_confidence", "<i4"),
            ("idx_tatums_start", "<i4"),
            ("key", "<i4"),
            ("key_confidence", "<f8"),
            ("loudness", "<f8"),
            ("mode", "<i4"),
            ("mode_confidence", "<f8"),
            ("start_of_fade_out", "<f8"),
            ("tempo", "<f8"),
            ("time_signature", "<i4"),
            ("time_signature_confidence", "<f8"),
            ("track_id", "S32"),
        ]
    ),
    "musicbrainz": np.dtype([("idx_artist_mbtags", "<i4"), ("year", "<i4")]),
}
"""Row type of `/<group>/songs`: packed, columns in alphabetical order."""


@dataclass(frozen=True)
class Table:
    """A `songs` table of one row: where its header, the header's second block and its B-tree lie."""

    row_type: np.dtype
    chunk_rows: int
    header: int
    block: int
    btree: int

    @cached_property
    def chunk_bytes(self) -> int:
        """Size of its one chunk, inflated."""
        return self.chunk_rows * self.row_type.itemsize

    @cached_property
    def index(self) -> slice:
        """The bytes of a row that are its `idx_` columns, which are neighbours."""
        offsets = [offset for name, (_, offset) in self.row_type.fields.items() if name.startswith("idx_")]
        return slice(min(offsets), max(offsets) + 4)

    @property
    def chunk_size_at(self) -> int:
        """Where the file says how many bytes the chunk takes (u32)."""
        return self.btree + 24

    @property
    def chunk_address_at(self) -> int:
        """Where the file says at which address the chunk lies (u64)."""
        return self.btree + 48


TABLES = {
    "metadata": Table(ROW_TYPES["metadata"], 3, header=2368, block=4136, btree=6960),
    "analysis": Table(ROW_TYPES["analysis"], 37, header=10100, block=12684, btree=17116),
    "musicbrainz": Table(ROW_TYPES["musicbrainz"], 1024, header=20239, block=20879, btree=21399),
}


@dataclass(frozen=True)
class Array:
    """One of the 21 arrays.

    A row is one element, or `columns` of them. Its header is followed by what it had no room for in
    blocks elsewhere; where the element type is among that, `blocks` are those up to the type's:
    (address, size).
    """

    group: str
    dtype: np.dtype
    chunk_rows: int
    header: int
    blocks: tuple[tuple[int, int], ...] = ()
    columns: int = 1

    @cached_property
    def row_bytes(self) -> int:
        """Size of one row."""
        return self.dtype.itemsize * self.columns

    @cached_property
    def dimensions(self) -> int:
        """1; 2 for pitches and timbre."""
        return 1 if self.columns == 1 else 2

    @cached_property
    def length_at(self) -> int:
        """Where the file says how many rows there are (u64)."""
        return self.header + 48 + (24 if self.blocks else len(_message(DATATYPE, _datatype(self.dtype))))

    @cached_property
    def btree_at(self) -> int:
        """Where the file says at which address the B-tree of the chunks lies (u64)."""
        return self.length_at + 16 * self.dimensions + 75


UNDEFINED = 2**64 - 1
"""Address of what is not there: the B-tree of an array that has no chunks."""

_FLOAT, _TAG = np.dtype("<f8"), np.dtype("S256")

ARRAYS = {
    "similar_artists": Array("metadata", np.dtype("S20"), 409, 23554),
    "artist_terms": Array("metadata", _TAG, 32, 23978),
    "artist_terms_freq": Array("metadata", _FLOAT, 1024, 24410),
    "artist_terms_weight": Array("metadata", _FLOAT, 1024, 24874, ((1712, 80),)),
    "segments_start": Array("analysis", _FLOAT, 1024, 25474),
    "segments_confidence": Array("analysis", _FLOAT, 1024, 25914),
    "segments_pitches": Array("analysis", _FLOAT, 85, 26346, ((9764, 80), (26794, 168)), columns=12),
    "segments_timbre": Array("analysis", _FLOAT, 85, 26962, columns=12),
    "segments_loudness_max": Array("analysis", _FLOAT, 1024, 27418),
    "segments_loudness_max_time": Array("analysis", _FLOAT, 1024, 27858),
    "segments_loudness_start": Array("analysis", _FLOAT, 1024, 28298),
    "sections_start": Array("analysis", _FLOAT, 1024, 28746, ((26618, 160),)),
    "sections_confidence": Array("analysis", _FLOAT, 1024, 29754),
    "beats_start": Array("analysis", _FLOAT, 1024, 30186),
    "beats_confidence": Array("analysis", _FLOAT, 1024, 30618),
    "bars_start": Array("analysis", _FLOAT, 1024, 31050, ((31650, 208),)),
    "bars_confidence": Array("analysis", _FLOAT, 1024, 31858),
    "tatums_start": Array("analysis", _FLOAT, 1024, 32290),
    "tatums_confidence": Array("analysis", _FLOAT, 1024, 32722),
    "artist_mbtags": Array("musicbrainz", _TAG, 32, 33154),
    "artist_mbtags_count": Array("musicbrainz", np.dtype("<i4"), 2048, 33586),
}
"""The arrays by their names, which differ in all groups, in the order in which the writer made them."""

PARALLEL = {
    "artist_terms_freq": "artist_terms",
    "artist_terms_weight": "artist_terms",
    "artist_mbtags_count": "artist_mbtags",
}
"""Arrays without an `idx_` column of their own: that of another serves, which has as many rows."""

LENGTH_LIKE = {
    name: f"{name.partition('_')[0]}_start" if array.group == "analysis" else PARALLEL.get(name, name)
    for name, array in ARRAYS.items()
}
"""The array, the first of its unit (segments, beats, ...), that has as many rows of each song."""

SIGNATURE = b"\x89HDF\r\n\x1a\n"
"""What every HDF5 file begins with."""

EOF_ADDRESS_AT = 40
"""Where the file says at which address it ends (u64): more than its size where it was cut."""


@dataclass(frozen=True)
class _Group:
    """A group: header, the header's second block, B-tree and heap of its names, and its symbol nodes."""

    header: int
    block: tuple[int, int]
    btree: int
    heap: int
    heap_data: int
    nodes: dict[int, tuple[str, ...]]
    members: dict[str, int]
    """Header address by name, in the order in which they were made, which is that of the heap."""
    attributes: int = 4
    """Title, class, version, filters."""


def _group(name: str, *place: int, nodes: dict[int, tuple[str, ...]]) -> _Group:
    header, block, block_bytes, btree, heap, heap_data = place
    members = {"songs": TABLES[name].header}
    members |= {array: spec.header for array, spec in ARRAYS.items() if spec.group == name}
    return _Group(header, (block, block_bytes), btree, heap, heap_data, nodes, members)


_GROUPS = {
    "metadata": _group(
        *("metadata", 1096, 2128, 240, 1136, 1680, 25146),
        nodes={
            3808: ("artist_terms", "artist_terms_freq", "artist_terms_weight", "similar_artists", "songs"),
        },
    ),
    "analysis": _group(
        *("analysis", 9148, 9852, 248, 9188, 9732, 29018),
        nodes={
            12356: (
                *("bars_confidence", "bars_start", "beats_confidence", "beats_start"),
                *("sections_confidence", "sections_start"),
            ),
            31322: (
                *("segments_confidence", "segments_loudness_max"),
                *("segments_loudness_max_time", "segments_loudness_start"),
            ),
            29370: (
                *("segments_pitches", "segments_start", "segments_timbre"),
                *("songs", "tatums_confidence", "tatums_start"),
            ),
        },
    ),
    "musicbrainz": _group(
        *("musicbrainz", 19271, 19975, 264, 19311, 19855, 19887),
        nodes={20551: ("artist_mbtags", "artist_mbtags_count", "songs")},
    ),
}
_ROOT = _Group(
    *(96, (800, 296), 136, 680, 712),
    nodes={1800: ("analysis", "metadata", "musicbrainz")},
    members={name: group.header for name, group in _GROUPS.items()},
    attributes=5,  # PyTables' format version too
)


# --- what the structure says, in HDF5's own words ---

DATASPACE, DATATYPE, FILL, LAYOUT, FILTERS = 0x01, 0x03, 0x05, 0x08, 0x0B
CONTINUATION, SYMBOL_TABLE, TIME = 0x10, 0x11, 0x12
"""Types of object header messages."""

CONSTANT = 1
"""Flag of a message that never changes."""

Range = tuple[int, bytes]
"""Bytes of the file: where they begin and what they must be."""


def _header(messages: int, size: int) -> bytes:
    """The beginning of a version 1 object header with one reference to it."""
    return struct.pack("<BxHII4x", 1, messages, 1, size)


def _head(kind: int, size: int, flags: int) -> bytes:
    return struct.pack("<HHB3x", kind, size, flags)


def _message(kind: int, body: bytes, flags: int = CONSTANT) -> bytes:
    return _head(kind, len(body), flags) + body


def _datatype(dtype: np.dtype) -> bytes:
    """The type message: texts end in NUL, numbers are little-endian, a row is a version 1 compound."""
    if dtype.names:
        parts = [struct.pack("<BHxI", 0x16, len(dtype.names), dtype.itemsize)]
        for name in dtype.names:
            member, offset = dtype.fields[name][:2]
            parts += [_padded(name), struct.pack("<I28x", offset), _member_type(member)]
        body = b"".join(parts)
    else:
        body = _member_type(dtype)
    return body + bytes(-len(body) % 8)


def _member_type(dtype: np.dtype) -> bytes:
    if dtype.kind == "S":
        return struct.pack("<B3xI", 0x13, dtype.itemsize)
    if dtype.kind == "i":
        return struct.pack("<B3B I HH", 0x10, 0x08, 0, 0, dtype.itemsize, 0, 8 * dtype.itemsize)
    sign, exponent, mantissa = 63, (52, 11), (0, 52)
    return struct.pack(
        "<B3B I HH 4B I", 0x11, 0x20, sign, 0, dtype.itemsize, 0, 64, *exponent, *mantissa, 1023
    )


def _padded(name: str) -> bytes:
    """A name as HDF5 keeps it: NUL-terminated, and filled up to eights."""
    return name.encode() + bytes(8 - len(name) % 8)


def _filters(item_bytes: int) -> bytes:
    """The filter pipeline: shuffle, then deflate at level 1."""
    return _message(
        FILTERS,
        struct.pack(
            "<BB6x 4H8sII 4H8sII",
            *(1, 2),
            *(2, 8, 1, 1, b"shuffle", item_bytes, 0),
            *(1, 8, 1, 1, b"deflate", 1, 0),
        ),
    )


FILL_AT_ALLOCATION = _message(FILL, bytes.fromhex("0203000100000000"))


def _continuation(address: int, size: int) -> bytes:
    return _message(CONTINUATION, struct.pack("<QQ", address, size), flags=0)


def _table_ranges(table: Table) -> Iterable[Range]:
    """Header, dataspace of one row, and a B-tree with one chunk, all of whose filters were applied."""
    item_bytes = table.row_type.itemsize
    messages = (
        FILL_AT_ALLOCATION
        + _message(DATATYPE, _datatype(table.row_type))
        + _continuation(table.block, table.btree - table.block)
        + _filters(item_bytes)
        + _message(LAYOUT, struct.pack("<3BQ2IIx", 3, 2, 2, table.btree, table.chunk_rows, item_bytes, 0))
    )
    # These, a time, an empty one and the dataspace; attributes: class, version, title, each column's name
    # and fill value, the number of rows.
    count = 5 + 3 + 4 + 2 * len(table.row_type.names)
    yield table.header, _header(count, len(messages) + 24) + messages
    yield table.block, _message(DATASPACE, struct.pack("<3B5xQQ", 1, 1, 1, 1, UNDEFINED), flags=0)
    yield table.btree, b"TREE" + struct.pack("<BBH", 1, 0, 1)
    yield table.chunk_size_at + 4, struct.pack("<IQQ", 0, 0, 0)  # filter mask, and the chunk's first row
    yield table.btree + 56, struct.pack("<IIQQ", 0, 0, table.chunk_rows, item_bytes)


def _array_ranges(array: Array) -> Iterable[Range]:
    """Header without the number of rows and the address of the B-tree."""
    item_bytes = array.dtype.itemsize
    type_message = _message(DATATYPE, _datatype(array.dtype))
    yield array.header, b"\1\0"
    if array.blocks:
        for (address, size), place in zip(
            array.blocks, [array.header + 32, *(address for address, _ in array.blocks)], strict=False
        ):
            yield place, _continuation(address, size)
        yield array.blocks[-1][0], type_message
    else:
        yield array.header + 32, type_message
    yield array.header + 16, FILL_AT_ALLOCATION
    dimensions = array.dimensions
    yield (
        array.length_at - 16,
        _head(DATASPACE, 8 + 16 * dimensions, 0) + struct.pack("<3B5x", 1, dimensions, 1),
    )
    more = struct.pack("<Q", array.columns) if dimensions == 2 else b""
    layout_bytes = 24
    yield (
        array.length_at + 8,
        more
        + struct.pack("<Q", UNDEFINED)
        + more
        + _filters(item_bytes)
        + struct.pack("<HH", LAYOUT, layout_bytes),  # its flags depend on whether there are chunks
    )
    yield array.btree_at - 3, struct.pack("<3B", 3, 2, 1 + dimensions)
    chunk = [array.chunk_rows, *([array.columns] if dimensions == 2 else []), item_bytes]
    yield array.btree_at + 8, struct.pack(f"<{len(chunk)}I", *chunk)


def _group_ranges(group: _Group) -> Iterable[Range]:
    """Header, heap of names, B-tree and symbol nodes: that each name leads to the header it should."""
    continuation = _continuation(*group.block)
    yield group.header, _header(2 + group.attributes, len(continuation)) + continuation
    places = struct.pack("<QQ", group.btree, group.heap)
    yield group.block[0], _message(SYMBOL_TABLE, places, flags=0)
    names = [_padded(name) for name in group.members]
    offsets = dict(zip(group.members, accumulate(map(len, names), initial=8), strict=False))
    yield group.heap, b"HEAP\0"
    yield group.heap + 24, struct.pack("<Q", group.heap_data)
    yield group.heap_data, bytes(8) + b"".join(names)
    children = [0]
    for address, members in group.nodes.items():
        children += [address, offsets[members[-1]]]
        yield address, b"SNOD" + struct.pack("<BxH", 1, len(members))
        for number, name in enumerate(members):
            yield address + 8 + 40 * number, struct.pack("<QQ24x", offsets[name], group.members[name])
    yield group.btree, b"TREE" + struct.pack("<BBH", 0, 0, len(group.nodes))
    yield group.btree + 24, struct.pack(f"<{len(children)}Q", *children)


class Fingerprint:
    """Bytes that a file must begin with, places left out that may differ."""

    def __init__(self, ranges: Iterable[Range]) -> None:
        self.ranges = _joined(ranges)
        form, end = "<", 0
        for start, content in self.ranges:
            form += f"{start - end}x{len(content)}s"
            end = start + len(content)
        self._form = struct.Struct(form)
        self._content = tuple(content for _, content in self.ranges)

    def matches(self, beginning: bytes) -> bool:
        """Whether a file that begins so has this layout."""
        # In one go: to cut out and compare the ranges one by one takes four times as long.
        return len(beginning) >= self._form.size and self._form.unpack_from(beginning) == self._content


def _joined(ranges: Iterable[Range]) -> list[Range]:
    """The ranges in order, those that touch made one."""
    joined: list[Range] = []
    for start, content in sorted(ranges):
        if joined and joined[-1][0] + len(joined[-1][1]) == start:
            joined[-1] = (joined[-1][0], joined[-1][1] + content)
        else:
            joined.append((start, content))
    return joined


def fingerprint(arrays: Iterable[Array]) -> Fingerprint:
    """What a file must hold for its tables and these arrays to lie where this module says."""
    ranges: list[Range] = [
        (0, SIGNATURE + struct.pack("<5x3B HHI QQ", 8, 8, 0, 4, 16, 0, 0, UNDEFINED)),
        (56, struct.pack("<QQI4xQQ", 0, _ROOT.header, 1, _ROOT.btree, _ROOT.heap)),
    ]
    for group in (_ROOT, *_GROUPS.values()):
        ranges += _group_ranges(group)
    for table in TABLES.values():
        ranges += _table_ranges(table)
    for array in arrays:
        ranges += _array_ranges(array)
    return Fingerprint(ranges)
