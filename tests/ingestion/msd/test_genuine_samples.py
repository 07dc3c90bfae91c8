"""Genuine song files, where they are at hand: read as h5py reads them, field by field."""

import os
from pathlib import Path

import h5py
import numpy as np
import pytest

from ingestion.msd import MSD
from tests.support.msd_files import ARRAY_TYPES, TABLE_TYPES, make_song, write_song

SAMPLES = os.environ.get("GENUINE_SAMPLES", "")

pytestmark = pytest.mark.skipif(
    not (SAMPLES and Path(SAMPLES, "msd").is_dir()),
    reason="GENUINE_SAMPLES is not set to a folder with msd/: no genuine song files to read",
)


@pytest.fixture(scope="module")
def rows():
    """All rows of all samples by table name."""
    found = {}
    for table, batch in MSD.read(Path(SAMPLES, "msd"), hash_user=str):
        found.setdefault(table.name, []).extend(batch.to_pylist())
    return found


@pytest.fixture(scope="module")
def files() -> dict[str, Path]:
    """The sample files by track id."""
    return {path.stem: path for path in sorted(Path(SAMPLES, "msd").rglob("*.h5"))}


def plain(value):
    value = value.item()
    if isinstance(value, bytes):
        return value.decode()
    return None if value != value else value


def test_every_sample_is_read(rows, files):
    assert files
    assert {row["track_id"] for row in rows["songs"]} == files.keys()
    assert "quarantined_inputs" not in rows


def test_every_scalar_is_as_in_the_file(rows, files):
    for row in rows["songs"]:
        with h5py.File(files[row["track_id"]]) as h5:
            for group in ("metadata", "analysis", "musicbrainz"):
                (song,) = h5[group]["songs"][:]
                for name in song.dtype.names:
                    if not name.startswith("idx_"):
                        assert row[name] == plain(song[name]), name


def test_every_array_is_as_in_the_file(rows, files):
    for track_id, path in files.items():
        with h5py.File(path) as h5:
            terms = [h5["metadata"][f"artist_terms{suffix}"][:] for suffix in ("", "_weight", "_freq")]
            tags = [h5["musicbrainz"][f"artist_mbtags{suffix}"][:] for suffix in ("", "_count")]
            similar = [h5["metadata/similar_artists"][:]]
        for name, columns in (("artist_terms", terms), ("artist_mbtags", tags), ("similar_artists", similar)):
            expected = [
                (track_id, position, *map(plain, values))
                for position, values in enumerate(zip(*columns, strict=True))
            ]
            assert [tuple(r.values()) for r in rows.get(name, []) if r["track_id"] == track_id] == expected


def test_the_files_made_for_tests_are_laid_out_like_them(files, tmp_path):
    made = write_song(tmp_path, make_song(1))
    with h5py.File(next(iter(files.values()))) as genuine, h5py.File(made) as own:
        for group, type_ in TABLE_TYPES.items():
            genuine_type = genuine[group]["songs"].dtype
            assert own[group]["songs"].dtype == type_
            assert {name: type_[name] for name in type_.names}.items() <= {
                name: genuine_type[name] for name in genuine_type.names
            }.items()
            missing = set(genuine_type.names) - set(type_.names)
            assert all(name.startswith("idx_") for name in missing)
        for array, type_ in ARRAY_TYPES.items():
            assert genuine[array].dtype == own[array].dtype == np.dtype(type_).base
            assert genuine[array].shape[1:] == own[array].shape[1:] == np.dtype(type_).shape
