"""Small Million Song Dataset files for tests: single songs, aggregates and summaries.

Row types are the sandbox's, which are held against genuine files; the writing is its own. Values
are made of the song's number, so that each is known and none is like another.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from sandbox.msd_files import TABLE_TYPES, write_values

CHUNK_ROWS = {"metadata": 3, "analysis": 37, "musicbrainz": 1024}

ARRAY_TYPES = {
    "metadata/artist_terms": "S256",
    "metadata/artist_terms_weight": "<f8",
    "metadata/artist_terms_freq": "<f8",
    "metadata/similar_artists": "S20",
    "musicbrainz/artist_mbtags": "S256",
    "musicbrainz/artist_mbtags_count": "<i4",
    **{
        f"analysis/{unit}_{what}": "<f8"
        for unit in ("segments", "sections", "beats", "bars", "tatums")
        for what in ("start", "confidence")
    },
    **{f"analysis/segments_loudness_{what}": "<f8" for what in ("max", "max_time", "start")},
    **{f"analysis/segments_{what}": ("<f8", 12) for what in ("pitches", "timbre")},
}
"""Type of each array's rows by its path."""


@dataclass
class SongFile:
    """One song as a file says it: scalars by column name, arrays by path."""

    scalars: dict[str, Any]
    arrays: dict[str, list] = field(default_factory=dict)

    @property
    def track_id(self) -> str:
        """The song's track id."""
        return self.scalars["track_id"]


def make_song(number: int, **scalars: Any) -> SongFile:
    """Song `number` (from 0), all scalars and arrays filled; `scalars` replaces some of them.

    Each song has `number % 4` terms, `number % 3` similar artists and `number % 2` tags.
    """
    values = {
        "analyzer_version": "",
        "artist_7digitalid": 1000 + number,
        "artist_familiarity": 0.5 + number / 1e6,
        "artist_hotttnesss": 0.25 + number / 1e6,
        "artist_id": f"AR{number:016d}",
        "artist_latitude": float("nan") if number % 3 else 40.5 + number / 1e3,
        "artist_location": "" if number % 3 else "Zürich",
        "artist_longitude": float("nan") if number % 3 else -73.5 - number / 1e3,
        "artist_mbid": f"{number:08x}-0000-4000-8000-000000000000",
        "artist_name": f"Artist {number} — Ünïcode",
        "artist_playmeid": -1,
        "genre": "",
        "release": f"Release {number}",
        "release_7digitalid": 2000 + number,
        "song_hotttnesss": float("nan") if number % 2 else number / 7,
        "song_id": f"SO{number:016d}",
        "title": f"Title {number}",
        "track_7digitalid": 3000 + number,
        "analysis_sample_rate": 22050,
        "audio_md5": f"{number:032x}",
        "danceability": 0.0,
        "duration": 200.0 + number / 3,
        "end_of_fade_in": number / 9,
        "energy": 0.0,
        "key": number % 12,
        "key_confidence": number % 10 / 10,
        "loudness": -10.0 - number / 11,
        "mode": number % 2,
        "mode_confidence": number % 8 / 8,
        "start_of_fade_out": 190.0 + number / 3,
        "tempo": 90.0 + number / 13,
        "time_signature": 4,
        "time_signature_confidence": number % 5 / 5,
        "track_id": f"TR{number:016d}",
        "year": 1960 + number % 60 if number % 2 else 0,
    }
    unknown = scalars.keys() - values.keys()
    if unknown:
        raise KeyError(f"no such column: {', '.join(sorted(unknown))}")
    terms, similar, tags = range(number % 4), range(number % 3), range(number % 2)
    return SongFile(
        values | scalars,
        {
            "metadata/artist_terms": [f"term {number}.{i}" for i in terms],
            "metadata/artist_terms_weight": [1 / (number + i + 1) for i in terms],
            "metadata/artist_terms_freq": [1 / (number + i + 2) for i in terms],
            "metadata/similar_artists": [f"AR{number:012d}{i:04d}" for i in similar],
            "musicbrainz/artist_mbtags": [f"tag {number}.{i}" for i in tags],
            "musicbrainz/artist_mbtags_count": [number + i for i in tags],
            "analysis/bars_start": [i / 2 for i in range(number % 5)],
            "analysis/bars_confidence": [i / 5 for i in range(number % 5)],
        },
    )


def write_song(folder: Path, song: SongFile, **how: Any) -> Path:
    """A single-song file at the path that the dataset gives it below `folder`; `how` as for `write_songs`."""
    track_id = song.track_id
    return write_songs(folder.joinpath(*track_id[2:5], f"{track_id}.h5"), [song], **how)


def write_genuine_song(folder: Path, song: SongFile, *, name: str | None = None) -> Path:
    """A single-song file of the genuine byte layout, where the dataset has it or at `name` below `folder`."""
    track_id = song.track_id
    path = folder / name if name else folder.joinpath(*track_id[2:5], f"{track_id}.h5")
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {
        f"/{array}": np.array([_encoded(value) for value in values], np.dtype(ARRAY_TYPES[array]).base)
        for array, values in song.arrays.items()
    }
    write_values(song.scalars, arrays, path)
    return path


def make_full_size_song(number: int) -> SongFile:
    """Song `number` with as many segments, beats and so on as a genuine song has: its file takes 250 kB."""
    song = make_song(number)
    rng = np.random.default_rng([number])
    lengths = {"segments": 900 + number, "beats": 400, "tatums": 800, "bars": 100, "sections": 10}
    for unit, length in lengths.items():
        song.arrays |= {
            f"analysis/{unit}_start": np.cumsum(rng.integers(1, 500, length)) / 1000,
            f"analysis/{unit}_confidence": rng.integers(0, 1001, length) / 1000,
        }
    for loudness in ("max", "max_time", "start"):
        song.arrays[f"analysis/segments_loudness_{loudness}"] = -rng.integers(0, 60_000, 900 + number) / 1000
    for twelve in ("pitches", "timbre"):
        song.arrays[f"analysis/segments_{twelve}"] = rng.integers(-999, 1000, (900 + number, 12)) / 1000
    song.arrays["metadata/artist_terms"] = [f"term {number}.{i}" for i in range(40)]
    song.arrays["metadata/artist_terms_weight"] = rng.random(40)
    song.arrays["metadata/artist_terms_freq"] = rng.random(40)
    song.arrays["metadata/similar_artists"] = [f"AR{number:012d}{i:04d}" for i in range(100)]
    return song


def write_songs(
    path: Path, songs: Sequence[SongFile], *, with_arrays: bool = True, user_block_bytes: int = 0
) -> Path:
    """A file of any number of songs: an aggregate, or without arrays a summary. Returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    index = {
        array: np.cumsum([0, *(len(song.arrays.get(array, ())) for song in songs[:-1])])
        for array in ARRAY_TYPES
        if with_arrays and songs
    }
    with h5py.File(path, "w", userblock_size=user_block_bytes) as h5:
        for group, type_ in TABLE_TYPES.items():
            rows = np.zeros(len(songs), type_)
            for name in type_.names:
                if name.startswith("idx_"):
                    rows[name] = index.get(f"{group}/{name.removeprefix('idx_')}", 0)
                else:
                    rows[name] = [_encoded(song.scalars[name]) for song in songs]
            _dataset(h5, f"{group}/songs", rows, CHUNK_ROWS[group])
        for array, type_ in ARRAY_TYPES.items():
            if with_arrays:
                values = [_encoded(value) for song in songs for value in song.arrays.get(array, ())]
                dtype = np.dtype(type_)
                rows = np.array(values, dtype.base).reshape(len(values), *dtype.shape)
                _dataset(h5, array, rows, 1024)
    return path


def write_large_files(folder: Path, files: int, songs_per_file: int) -> list[Path]:
    """Aggregates with the trailing bytes that make each a lake unit of its own, however few its songs."""
    from ingestion.inputs import LARGE_FILE_BYTES

    paths = []
    for number in range(files):
        first = number * songs_per_file
        songs = [make_song(first + i) for i in range(songs_per_file)]
        path = write_songs(folder / f"aggregate_{number}.h5", songs)
        with path.open("r+b") as file:
            file.truncate(max(LARGE_FILE_BYTES, path.stat().st_size))
        paths.append(path)
    return paths


def write_song_files(folder: Path, numbers: Iterable[int]) -> list[Path]:
    """A single-song file for each number."""
    return [write_song(folder, make_song(number)) for number in numbers]


def _encoded(value: Any) -> Any:
    return value.encode() if isinstance(value, str) else value


def _dataset(h5: h5py.File, path: str, rows: np.ndarray, chunk_rows: int) -> None:
    h5.create_dataset(
        path,
        data=rows,
        maxshape=(None, *rows.shape[1:]),
        chunks=(chunk_rows, *rows.shape[1:]),
        shuffle=True,
        compression="gzip",
        compression_opts=1,
    )
