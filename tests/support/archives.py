"""Tar archives of song files for tests, made by the standard library."""

import tarfile
from pathlib import Path


def write_archive(path: Path, folder: Path, *, inside: str = "", **how) -> Path:
    """An archive of all that lies in a folder, in path order, below the folder `inside` of the archive.

    Compressed as the name says; `how` as for `tarfile.open`. Returns its path.
    """
    compression = "gz" if path.name.endswith("gz") else ""
    how = {"format": tarfile.GNU_FORMAT} | how
    with tarfile.open(path, f"w:{compression}", **how) as archive:
        for file in sorted(folder.rglob("*")):
            archive.add(file, arcname=f"{inside}{file.relative_to(folder)}", recursive=False)
    return path
