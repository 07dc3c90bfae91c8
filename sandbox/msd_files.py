"""Writes the world's songs as single-song HDF5 files, laid out as the Million Song Dataset lays them out.

Groups, tables, arrays and PyTables attributes are built once in memory, in the order in which the
dataset's own writer builds them; a song's file is a copy of that image with the song's rows written
into it. So a file costs milliseconds, its three tables lie at the byte offsets of a genuine file,
and no clock time is in it. What a song's values are is decided in `model` and `sound`, not here.
"""

import struct
from functools import cache
from pathlib import Path

import numpy as np
from h5py import h5a, h5d, h5f, h5g, h5o, h5p, h5s, h5t

from sandbox.model import Song
from sandbox.sound import song_arrays
from sandbox.world import World

TABLE_TYPES = {
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
"""Row type of `/<group>/songs`, packed, columns in alphabetical order as PyTables sorts them."""

_GROUP_TITLES = {
    "metadata": "metadata about the song",
    "analysis": "Echo Nest analysis of the song",
    "musicbrainz": "data about the song coming from MusicBrainz",
}
_TABLE_TITLES = {
    "metadata": "table of metadata for one song",
    "analysis": "table of Echo Nest analysis for one song",
    "musicbrainz": "table of data coming from MusicBrainz",
}
_TABLE_CHUNK_ROWS = {"metadata": 3, "analysis": 37, "musicbrainz": 1024}

_FLOATS = ("<f8", (1024,))
_CHROMA = ("<f8", (85, 12))
_TAGS = ("S256", (32,))
ARRAYS = {
    "/metadata/similar_artists": ("S20", (409,), "array of similar artists Echo Nest id"),
    "/metadata/artist_terms": (*_TAGS, "array of terms (Echo Nest tags) for an artist"),
    "/metadata/artist_terms_freq": (*_FLOATS, "array of term (Echo Nest tags) frequencies for an artist"),
    "/metadata/artist_terms_weight": (*_FLOATS, "array of term (Echo Nest tags) weights for an artist"),
    "/analysis/segments_start": (*_FLOATS, "array of start times of segments"),
    "/analysis/segments_confidence": (*_FLOATS, "array of confidence of segments"),
    "/analysis/segments_pitches": (*_CHROMA, "array of pitches of segments (chromas)"),
    "/analysis/segments_timbre": (*_CHROMA, "array of timbre of segments (MFCC-like)"),
    "/analysis/segments_loudness_max": (*_FLOATS, "array of max loudness of segments"),
    "/analysis/segments_loudness_max_time": (*_FLOATS, "array of max loudness time of segments"),
    "/analysis/segments_loudness_start": (*_FLOATS, "array of loudness of segments at start time"),
    "/analysis/sections_start": (*_FLOATS, "array of start times of sections"),
    "/analysis/sections_confidence": (*_FLOATS, "array of confidence of sections"),
    "/analysis/beats_start": (*_FLOATS, "array of start times of beats"),
    "/analysis/beats_confidence": (*_FLOATS, "array of confidence of sections"),
    "/analysis/bars_start": (*_FLOATS, "array of start times of bars"),
    "/analysis/bars_confidence": (*_FLOATS, "array of confidence of bars"),
    "/analysis/tatums_start": (*_FLOATS, "array of start times of tatums"),
    "/analysis/tatums_confidence": (*_FLOATS, "array of confidence of tatums"),
    "/musicbrainz/artist_mbtags": (*_TAGS, "array of tags from MusicBrainz for an artist"),
    "/musicbrainz/artist_mbtags_count": (
        "<i4",
        (2048,),
        "array of tag counts from MusicBrainz for an artist",
    ),
}
"""Path of each array -> (type, chunk shape, title), in the order in which the dataset's writer makes them."""

_PYTABLES_FILTERS = 65793
"""PyTables' code for zlib level 1 with shuffle."""

_DATATYPE_MESSAGE, _FILL_MESSAGE, _NULL_MESSAGE = 0x03, 0x05, 0x00
_CONTINUATION_MESSAGE, _TIME_MESSAGE = 0x10, 0x12
"""Types of HDF5 object header messages."""


def write_msd_files(world: World, folder: Path) -> None:
    """One file per song at `<folder>/<3rd>/<4th>/<5th letter of the track id>/<track id>.h5`."""
    for song in world.songs:
        path = song_path(folder, song.track_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_song_file(song, path)


def song_path(folder: Path, track_id: str) -> Path:
    """Where the dataset keeps a track: the id's third to fifth letter name the folders."""
    return folder / track_id[2] / track_id[3] / track_id[4] / f"{track_id}.h5"


def write_song_file(song: Song, path: Path) -> None:
    """Writes one song; a text longer than its column is cut at the column's width in bytes."""
    template, time_offsets = _template()
    file = _open_in_memory(template)
    columns = {name: _as_stored(value) for name, value in song.columns().items()}
    for group, row_type in TABLE_TYPES.items():
        # The idx_* columns say where this song's part of an array begins: 0 where it is the only one.
        row = np.array([tuple(columns.get(name, 0) for name in row_type.names)], dtype=row_type)
        _write(file, f"/{group}/songs", row)
    for path_in_file, values in song_arrays(song).items():
        if len(values):
            _write(file, path_in_file, values)
    h5f.flush(file)
    image = bytearray(file.get_file_image())
    file.close()
    for offset in time_offsets:
        image[offset : offset + 4] = bytes(4)
    path.write_bytes(image)


def _write(file: h5f.FileID, path: str, values: np.ndarray) -> None:
    """Makes the values all that the dataset holds.

    The dataset is closed on return and thereby written out: the tables' rows, written first, come to
    lie near the file's beginning, where a reader in a hurry looks for them.
    """
    dataset = h5d.open(file, path.encode())
    if dataset.shape != values.shape:
        dataset.set_extent(values.shape)
    dataset.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(values), _file_type(values.dtype))


def _as_stored(value: str | int | float) -> bytes | int | float:
    return value.encode() if isinstance(value, str) else value


# --- the image that every file starts from ---


@cache
def _template() -> tuple[bytes, tuple[int, ...]]:
    """A file with one empty row in each table and empty arrays, and where its objects keep a clock time."""
    file = _open_in_memory(None)
    root = h5g.open(file, b"/")
    _describe_group(root, "H5 Song File")
    _set_attribute(root, "PYTABLES_FORMAT_VERSION", b"2.0")
    _set_attribute(root, "FILTERS", np.int64(_PYTABLES_FILTERS))
    for group in TABLE_TYPES:
        _make_group_with_table(file, root, group)
    for path, (dtype, chunk, title) in ARRAYS.items():
        array = _make_dataset(file, path, np.dtype(dtype), (0, *chunk[1:]), chunk)
        _describe_dataset(array, "EARRAY", "1.0", title)
        _set_attribute(array, "EXTDIM", np.int32(0))
    h5f.flush(file)
    image = bytearray(file.get_file_image())
    tables = [f"/{group}/songs" for group in TABLE_TYPES]
    addresses = {path: _header_address(file, path) for path in [*tables, *ARRAYS]}
    file.close()
    for path in tables:
        _sort_header(image, addresses[path])
    return bytes(image), tuple(_time_offset(image, address) for address in addresses.values())


def _open_in_memory(image: bytes | None) -> h5f.FileID:
    """A file in memory that is never saved: a new one, or one that starts as `image`."""
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fapl_core(2**16, False)
    # The oldest format: superblock 0 and version 1 object headers, as in files of 2011.
    access.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_V18)
    if image is None:
        return h5f.create(b"template", h5f.ACC_TRUNC, fapl=access)
    access.set_file_image(image)
    return h5f.open(b"song", h5f.ACC_RDWR, fapl=access)


def _make_group_with_table(file: h5f.FileID, root: h5g.GroupID, name: str) -> None:
    group = h5g.create(root, name.encode())
    _describe_group(group, _GROUP_TITLES[name])
    _set_attribute(group, "FILTERS", np.int64(_PYTABLES_FILTERS))
    row_type = TABLE_TYPES[name]
    table = _make_dataset(file, f"/{name}/songs", row_type, (0,), (_TABLE_CHUNK_ROWS[name],))
    _describe_dataset(table, "TABLE", "2.6", _TABLE_TITLES[name])
    for number, column in enumerate(row_type.names):
        _set_attribute(table, f"FIELD_{number}_NAME", _terminated(column))
    for number, column in enumerate(row_type.names):
        column_type = row_type[column]
        empty = b"\0" if column_type.kind == "S" else np.zeros((), column_type)
        _set_attribute(table, f"FIELD_{number}_FILL", empty)
    _set_attribute(table, "NROWS", np.int64(1))
    table.set_extent((1,))
    table.write(h5s.ALL, h5s.ALL, np.zeros(1, row_type), _file_type(row_type))
    # The dataset's writer flushes here too; what follows then lies where it lies in a genuine file.
    h5f.flush(file)


def _make_dataset(
    file: h5f.FileID, path: str, dtype: np.dtype, shape: tuple[int, ...], chunk: tuple[int, ...]
) -> h5d.DatasetID:
    create = h5p.create(h5p.DATASET_CREATE)
    create.set_chunk(chunk)
    create.set_shuffle()
    create.set_deflate(1)
    create.set_fill_time(h5d.FILL_TIME_ALLOC)
    # With a clock time in it an object header has a genuine one's size; the time itself is zeroed later.
    create.set_obj_track_times(True)
    space = h5s.create_simple(shape, (h5s.UNLIMITED, *shape[1:]))
    return h5d.create(file, path.encode(), _file_type(dtype), space, create)


@cache
def _file_type(dtype: np.dtype) -> h5t.TypeID:
    """The HDF5 type as PyTables writes it: texts NUL-terminated, where h5py's own would be NUL-padded."""
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


def _describe_group(group: h5g.GroupID, title: str) -> None:
    for name, value in (("TITLE", title.encode()), ("CLASS", b"GROUP"), ("VERSION", b"1.0")):
        _set_attribute(group, name, value)


def _describe_dataset(dataset: h5d.DatasetID, kind: str, version: str, title: str) -> None:
    for name, value in (("CLASS", kind), ("VERSION", version), ("TITLE", title)):
        _set_attribute(dataset, name, _terminated(value))


def _terminated(text: str) -> bytes:
    """PyTables counts the final NUL into the length of most attributes, though not of a group's."""
    return text.encode() + b"\0"


def _set_attribute(owner: h5g.GroupID | h5d.DatasetID, name: str, value: bytes | np.generic) -> None:
    array = np.array(value, dtype=f"S{len(value)}") if isinstance(value, bytes) else np.asarray(value)
    file_type = _file_type(array.dtype)
    h5a.create(owner, name.encode(), file_type, h5s.create(h5s.SCALAR)).write(array, file_type)


# --- object headers ---


def _header_address(file: h5f.FileID, path: str) -> int:
    return h5o.get_info(h5o.open(file, path.encode())).addr


def _messages(image: bytes, address: int) -> list[tuple[int, int, int]]:
    """(type, start, end) of each message in the first block of the version 1 object header there."""
    (size,) = struct.unpack_from("<I", image, address + 8)
    messages, start = [], address + 16
    while start < address + 16 + size:
        kind, length = struct.unpack_from("<HH", image, start)
        messages.append((kind, start, start + 8 + length))
        start += 8 + length
    return messages


def _sort_header(image: bytearray, address: int) -> None:
    """Puts the messages of a table's header in the order of the HDF5 of 2011.

    The order means nothing to HDF5, but a reader that knows the dataset's byte layout relies on it.
    """
    order = {_FILL_MESSAGE: 0, _DATATYPE_MESSAGE: 1, _CONTINUATION_MESSAGE: 2, _NULL_MESSAGE: 4}
    messages = _messages(image, address)
    in_order = sorted(messages, key=lambda message: order.get(message[0], 3))
    block = b"".join(image[start:end] for _, start, end in in_order)
    image[messages[0][1] : messages[-1][2]] = block


def _time_offset(image: bytes, address: int) -> int:
    """Where the header at `address` keeps its modification time (4 bytes, after message head and version)."""
    return next(start + 12 for kind, start, _ in _messages(image, address) if kind == _TIME_MESSAGE)
