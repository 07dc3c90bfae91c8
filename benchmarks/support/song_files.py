"""Song files in the layout and size of genuine ones (250 kB), and archives of them. Deterministic."""

import os
import tarfile
from itertools import islice
from pathlib import Path

import numpy as np

import sandbox.msd_files
from sandbox import generate_world
from sandbox.sound import song_arrays

ANALYSIS_TIMES = 3
"""The made-up songs are so much shorter than genuine ones, by the length of their arrays."""


def write_song_files(folder: Path, songs: int) -> list[Path]:
    """Files of different songs, up to 1,000, below the folders that the dataset has for them; their paths."""
    sandbox.msd_files.song_arrays = _long_arrays
    paths = []
    for song in islice(generate_world().songs, songs):
        path = sandbox.msd_files.song_path(folder, song.track_id)
        path.parent.mkdir(parents=True, exist_ok=True)
        sandbox.msd_files.write_song_file(song, path)
        paths.append(path)
    return paths


def repeat_song_files(paths: list[Path], folder: Path, files: int) -> None:
    """So many links to these files: folder by folder all of them, so that a unit has each about once."""
    for number in range(files):
        copy, place = divmod(number, len(paths))
        target = folder / f"{copy:06}" / paths[place].name
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(paths[place], target)


def write_archive(paths: list[Path], archive: Path, times: int = 1) -> None:
    """A .tar.gz of these files as GNU tar writes it, so many times over in folders of their own."""
    with tarfile.open(archive, "w:gz", format=tarfile.GNU_FORMAT, compresslevel=6) as made:
        for copy in range(times):
            for path in paths:
                made.add(path, arcname=f"{copy:06}/{path.name}")


def _long_arrays(song: object) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([len(str(song))])
    return {
        path: np.concatenate([rng.permutation(values) for _ in range(ANALYSIS_TIMES)])
        if path.startswith("/analysis/")
        else values
        for path, values in song_arrays(song).items()
    }
