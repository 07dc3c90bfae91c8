"""Made song files in the byte layout and size of the Million Song Dataset's, and archives. Deterministic."""

import os
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tables

from sandbox.msd_files import write_values

SEGMENTS, TATUMS, BEATS, BARS, SECTIONS, TERMS, SIMILAR = 790, 780, 390, 100, 10, 30, 100
"""Rows of a song's arrays: 174 kB of chunks, as a genuine song has in the mean (docs/decisions/0012)."""


def write_song_files(folder: Path, count: int, songs: int) -> list[Path]:
    """Writes `count` files of so many different songs into the folder; their paths. The others are copies."""
    folder.mkdir(parents=True)
    paths = [folder / f"{number}.h5" for number in range(count)]
    for number, path in enumerate(paths):
        if number < songs:
            _write_song(number, path)
        else:
            shutil.copyfile(paths[number % songs], path)
    return paths


def repeat_song_files(paths: list[Path], folder: Path, files: int) -> None:
    """So many links to these files: folder by folder all of them, so that a unit has each about once."""
    for number in range(files):
        copy, place = divmod(number, len(paths))
        target = folder / f"{copy:06}" / paths[place].name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(paths[place], target)


def write_archive(paths: list[Path], archive: Path) -> None:
    """A .tar.gz of these files as GNU tar writes it."""
    with tarfile.open(archive, "w:gz", format=tarfile.GNU_FORMAT, compresslevel=6) as made:
        for path in paths:
            made.add(path, arcname=path.name)


def rewrite_song_files(paths: list[Path], folder: Path) -> list[Path]:
    """The same songs in files that today's PyTables laid out."""
    folder.mkdir(parents=True)
    for path in paths:
        with tables.open_file(path) as file:
            file.copy_file(str(folder / path.name))
    return [folder / path.name for path in paths]


def _write_song(number: int, path: Path) -> None:
    rng = np.random.default_rng([number])
    tags = 2 if number % 3 == 0 else 0
    arrays = {
        "/metadata/similar_artists": _texts("AR", rng, SIMILAR, "S20"),
        "/metadata/artist_terms": _texts("term ", rng, TERMS, "S256"),
        "/metadata/artist_terms_freq": rng.random(TERMS),
        "/metadata/artist_terms_weight": rng.random(TERMS),
        "/musicbrainz/artist_mbtags": _texts("tag ", rng, tags, "S256"),
        "/musicbrainz/artist_mbtags_count": rng.integers(1, 9, tags, dtype="<i4"),
        "/analysis/segments_pitches": _thousandths(rng, (SEGMENTS, 12), 1),
        "/analysis/segments_timbre": _thousandths(rng, (SEGMENTS, 12), 200),
    }
    arrays |= {
        f"/analysis/segments_loudness_{name}": _thousandths(rng, (SEGMENTS,), 60)
        for name in ("max", "max_time", "start")
    }
    for unit, rows in (
        *(("segments", SEGMENTS), ("tatums", TATUMS), ("beats", BEATS)),
        *(("bars", BARS), ("sections", SECTIONS)),
    ):
        arrays[f"/analysis/{unit}_start"] = np.cumsum(rng.random(rows))
        arrays[f"/analysis/{unit}_confidence"] = _thousandths(rng, (rows,), 1)
    write_values(dict(_columns(number)), arrays, path)


def _columns(number: int) -> Iterator[tuple[str, str | int | float]]:
    for width, names in (
        (16, ("track_id", "song_id", "artist_id")),
        (32, ("audio_md5", "artist_mbid")),
        (20, ("title", "release", "artist_name", "artist_location")),
    ):
        for name in names:
            yield name, f"{number:04x}{_hash(number, name):x}"[:width]
    for name in ("artist_7digitalid", "release_7digitalid", "track_7digitalid", "year", "key", "mode"):
        yield name, _hash(number, name) % 2000
    for name in (
        "duration",
        "tempo",
        "loudness",
        "artist_familiarity",
        "artist_hotttnesss",
        "song_hotttnesss",
    ):
        yield name, _hash(number, name) % 10**9 / 7


def _hash(number: int, name: str) -> int:
    """A number of 32 hexadecimal digits and more that looks like chance."""
    return (number + 3) * int.from_bytes(name.encode().ljust(16)) * 0x9E3779B97F4A7C15


def _texts(beginning: str, rng: np.random.Generator, count: int, dtype: str) -> np.ndarray:
    return np.array([f"{beginning}{number:x}".encode() for number in rng.integers(2**40, size=count)], dtype)


def _thousandths(rng: np.random.Generator, shape: tuple[int, ...], largest: int) -> np.ndarray:
    return rng.integers(0, 1000 * largest + 1, shape) / 1000
