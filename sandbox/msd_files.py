"""Writes the world's songs as single-song HDF5 files, laid out as the Million Song Dataset lays them out.

A song's file starts as a copy of `msd_empty_song.h5`, and the HDF5 library writes the song's rows into it. So
a file costs milliseconds, its structure is byte for byte that of a genuine file, and no clock time is in it.
What a song's values are is decided in `model` and `sound`, not here.
"""

import struct
from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np
from h5py import h5d, h5f, h5o, h5p, h5s, h5t

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

ARRAYS = (
    "/metadata/similar_artists",
    "/metadata/artist_terms",
    "/metadata/artist_terms_freq",
    "/metadata/artist_terms_weight",
    "/analysis/segments_start",
    "/analysis/segments_confidence",
    "/analysis/segments_pitches",
    "/analysis/segments_timbre",
    "/analysis/segments_loudness_max",
    "/analysis/segments_loudness_max_time",
    "/analysis/segments_loudness_start",
    "/analysis/sections_start",
    "/analysis/sections_confidence",
    "/analysis/beats_start",
    "/analysis/beats_confidence",
    "/analysis/bars_start",
    "/analysis/bars_confidence",
    "/analysis/tatums_start",
    "/analysis/tatums_confidence",
    "/musicbrainz/artist_mbtags",
    "/musicbrainz/artist_mbtags_count",
)
"""Paths of the arrays, in the order in which the dataset's writer fills them."""

EMPTY_SONG = Path(__file__).with_name("msd_empty_song.h5")
"""A file of one song that says nothing: groups, empty tables of one row, empty arrays and attributes.

Byte for byte the structure that genuine files have in common; what they say of a song, and when they
were made, is zero. h5dump shows it.
"""

_TIME_MESSAGE = 0x12
"""Type of the HDF5 object header message that holds a clock time."""


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
    write_values(song.columns(), song_arrays(song), path)


def write_values(
    columns: Mapping[str, str | bytes | int | float], arrays: Mapping[str, np.ndarray], path: Path
) -> None:
    """Writes the file of a song that has these scalars by column name and these arrays by path in the file.

    What is not given is 0, '' or empty. The `idx_` columns, where an array's part for a song begins, are 0
    in a file of one song.
    """
    empty, time_offsets = _empty_song()
    file = _open_in_memory(empty)
    stored = {name: _as_stored(value) for name, value in columns.items()}
    # What is written first comes to lie first. As in a genuine file that is what the metadata say, so that
    # a reader in a hurry finds it near the beginning, and MusicBrainz's tags come last.
    for name in ARRAYS:
        if name.startswith("/metadata/"):
            _write(file, name, arrays.get(name, ()))
    for group, row_type in TABLE_TYPES.items():
        values = [stored.get(name, b"" if row_type[name].kind == "S" else 0) for name in row_type.names]
        _write(file, f"/{group}/songs", np.array([tuple(values)], dtype=row_type))
    for name in ARRAYS:
        if not name.startswith("/metadata/"):
            _write(file, name, arrays.get(name, ()))
    h5f.flush(file)
    image = bytearray(file.get_file_image())
    file.close()
    for offset in time_offsets:
        image[offset : offset + 4] = bytes(4)
    path.write_bytes(image)


def _write(file: h5f.FileID, path: str, values: np.ndarray | tuple[()]) -> None:
    """Makes the values all that the dataset holds; it is closed on return and thereby written out."""
    if not len(values):
        return
    dataset = h5d.open(file, path.encode())
    if dataset.shape != values.shape:
        dataset.set_extent(values.shape)
    dataset.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(values), _file_type(values.dtype))


def _as_stored(value: str | bytes | int | float) -> bytes | int | float:
    return value.encode() if isinstance(value, str) else value


@cache
def _empty_song() -> tuple[bytes, tuple[int, ...]]:
    """The file that every song's starts as, and where its objects keep a clock time."""
    image = EMPTY_SONG.read_bytes()
    file = _open_in_memory(image)
    paths = [*(f"/{group}/songs" for group in TABLE_TYPES), *ARRAYS]
    addresses = [h5o.get_info(h5o.open(file, path.encode())).addr for path in paths]
    file.close()
    return image, tuple(_time_offset(image, address) for address in addresses)


def _open_in_memory(image: bytes) -> h5f.FileID:
    """A file in memory that starts as `image` and is never saved."""
    access = h5p.create(h5p.FILE_ACCESS)
    access.set_fapl_core(2**16, False)
    # The oldest format: superblock 0 and version 1 object headers, as in files of 2011.
    access.set_libver_bounds(h5f.LIBVER_EARLIEST, h5f.LIBVER_V18)
    access.set_file_image(image)
    return h5f.open(b"song", h5f.ACC_RDWR, fapl=access)


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


def _time_offset(image: bytes, address: int) -> int:
    """Where the version 1 object header there keeps its time: 4 bytes, after message head and version."""
    (size,) = struct.unpack_from("<I", image, address + 8)
    start = address + 16
    while start < address + 16 + size:
        kind, length = struct.unpack_from("<HH", image, start)
        if kind == _TIME_MESSAGE:
            return start + 12
        start += 8 + length
    raise ValueError(f"the object header at {address} has no time")
