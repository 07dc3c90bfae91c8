"""A sandbox folder: the same seed gives the same bytes, and a half-made folder is never taken for one."""

import dataclasses
import hashlib
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import sandbox.folder
from sandbox import generate_world, write_sandbox

REPOSITORY = Path(__file__).parents[2]
WRITE = "import sys, pathlib, sandbox; sandbox.write_sandbox(pathlib.Path(sys.argv[1]))"


def contents(folder: Path) -> dict[str, tuple[str, int]]:
    """Hash of each file's bytes and its modification time, by relative path."""
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest(),
            path.stat().st_mtime_ns,
        )
        for path in folder.rglob("*")
        if path.is_file()
    }


def start_writing(folder: Path, hash_seed: str) -> subprocess.Popen:
    environment = os.environ | {"PYTHONHASHSEED": hash_seed, "TZ": "Asia/Tokyo"}
    return subprocess.Popen([sys.executable, "-c", WRITE, folder], cwd=REPOSITORY, env=environment)


def test_a_killed_writer_leaves_no_folder_and_the_next_one_gives_the_same_bytes(paths, tmp_path):
    folder = tmp_path / "world"
    writer = start_writing(folder, hash_seed="1")
    while len(list(tmp_path.rglob("*.h5"))) < 20:
        assert writer.poll() is None
        time.sleep(0.02)
    writer.kill()
    writer.wait()
    assert not folder.exists()

    assert start_writing(folder, hash_seed="2").wait() == 0
    assert contents(folder) == contents(paths.msd.parent)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".world.lock", "world"]


def test_a_failing_writer_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError("disk full")

    monkeypatch.setattr(sandbox.folder, "write_msd_files", fail)
    with pytest.raises(OSError, match="disk full"):
        write_sandbox(tmp_path / "world")
    assert [path.name for path in tmp_path.iterdir()] == [".world.lock"]


def test_a_finished_folder_is_left_alone(paths, sandbox_folder):
    before = sandbox_folder.stat().st_ctime_ns
    assert write_sandbox(sandbox_folder) == paths
    assert sandbox_folder.stat().st_ctime_ns == before


def test_a_folder_of_another_seed_or_version_is_made_anew(world, tmp_path, monkeypatch):
    written = []
    monkeypatch.setattr(sandbox.folder, "generate_world", lambda seed: dataclasses.replace(world, seed=seed))
    monkeypatch.setattr(sandbox.folder, "write_msd_files", lambda world, _: written.append(world.seed))
    write_sandbox(tmp_path / "world", seed=1)
    write_sandbox(tmp_path / "world", seed=1)
    write_sandbox(tmp_path / "world", seed=2)
    monkeypatch.setattr(sandbox.folder, "GENERATOR_VERSION", -1)
    write_sandbox(tmp_path / "world", seed=2)
    assert written == [1, 2, 2]


def test_a_folder_with_something_else_in_it_is_refused(tmp_path):
    (tmp_path / "thesis.txt").write_text("precious")
    with pytest.raises(FileExistsError, match="no sandbox"):
        write_sandbox(tmp_path)
    assert (tmp_path / "thesis.txt").read_text() == "precious"


def test_another_seed_gives_another_world(world):
    other = generate_world(world.seed + 1)
    assert not {song.track_id for song in other.songs} & {song.track_id for song in world.songs}
    assert not other.tracks.keys() & world.tracks.keys()
    assert [playlist.playlist_id for playlist in other.playlists] != [p.playlist_id for p in world.playlists]


def test_the_same_seed_gives_an_equal_world(world):
    # By text: NaN, which stands for missing in the dataset, equals nothing.
    again = generate_world(world.seed)
    assert repr(again.songs) == repr(world.songs)
    assert (again.tracks, again.albums, again.track_pairs) == (world.tracks, world.albums, world.track_pairs)
    assert again.playlists == world.playlists
