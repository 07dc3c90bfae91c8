"""A world as a folder: MSD files, playlist files, side files and ground truth, complete or not there."""

import json
import os
import shutil
import tempfile
from datetime import UTC, datetime, time
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock

from sandbox.ground_truth import write_ground_truth
from sandbox.msd_files import write_msd_files
from sandbox.playlist_files import write_playlist_files
from sandbox.reference_files import write_reference_files
from sandbox.world import DEFAULT_SEED, World, generate_world

GENERATOR_VERSION = 2
"""Raise it with every change of what a seed gives, so that folders of the old kind are made anew."""
MARKER = "sandbox.json"


class SandboxPaths(NamedTuple):
    """Where a sandbox folder keeps what; `playlist_files` are those of the world's last day."""

    msd: Path
    playlist_files: Path
    reference_files: Path
    ground_truth: Path

    @classmethod
    def below(cls, folder: Path) -> "SandboxPaths":
        """The paths in a sandbox folder: each part's folder bears its name."""
        return cls(*(folder / name for name in cls._fields))


def write_sandbox(folder: Path, seed: int = DEFAULT_SEED) -> SandboxPaths:
    """Makes `folder` hold the world of that seed, and returns at once where it already does.

    The folder comes into being by one rename: killed at any time, this leaves a complete one or
    none. Calls for one folder wait for each other. Raises FileExistsError where `folder` holds
    something that is no sandbox.
    """
    folder = folder.expanduser().resolve()
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.parent / f".{folder.name}.lock"):
        if not _holds(folder, seed):
            _write_anew(folder, seed)
    return SandboxPaths.below(folder)


def _holds(folder: Path, seed: int) -> bool:
    try:
        return json.loads((folder / MARKER).read_bytes()) == _marker(seed)
    except FileNotFoundError:
        return False


def _marker(seed: int) -> dict[str, int]:
    return {"seed": seed, "generator_version": GENERATOR_VERSION}


def _write_anew(folder: Path, seed: int) -> None:
    if folder.exists() and any(folder.iterdir()) and not (folder / MARKER).exists():
        raise FileExistsError(f"{folder} holds something that is no sandbox; name another folder")
    prefix = f".{folder.name}.new-"
    for abandoned in folder.parent.glob(f"{prefix}*"):
        shutil.rmtree(abandoned)
    workplace = Path(tempfile.mkdtemp(prefix=prefix, dir=folder.parent))
    try:
        complete = workplace / "complete"
        complete.mkdir()
        _write_parts(generate_world(seed), complete)
        if folder.exists():
            folder.rename(workplace / "outdated")
        complete.rename(folder)
    finally:
        shutil.rmtree(workplace)


def _write_parts(world: World, folder: Path) -> None:
    paths = SandboxPaths.below(folder)
    write_msd_files(world, paths.msd)
    write_playlist_files(world, paths.playlist_files, world.days[-1])
    write_reference_files(world, paths.reference_files)
    write_ground_truth(world, paths.ground_truth)
    (folder / MARKER).write_text(json.dumps(_marker(world.seed)))
    # An input's modification time is part of what an extractor sees, so it is part of the world.
    beginning = datetime.combine(world.days[0], time(), UTC).timestamp()
    for path in (*paths.msd.rglob("*.h5"), *paths.ground_truth.iterdir(), folder / MARKER):
        os.utime(path, (beginning, beginning))
