"""Writing small playlist files and reading them as a unit does."""

import os
import zipfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from ingestion.inputs import find_inputs
from ingestion.playlist_files.read import SUFFIXES, read_unit
from ingestion.playlist_files.tables import TABLES
from tests.ingestion.playlist_files.files import WRITTEN_AT, as_bytes, hash_user


@dataclass
class Result:
    """The rows of a unit by table, as plain Python values, in the order they came."""

    rows: dict[str, list[dict]] = field(default_factory=dict)
    batches: list[tuple[str, int]] = field(default_factory=list)

    def __getattr__(self, table: str) -> list[dict]:
        return self.rows[table]

    @property
    def playlist(self) -> dict:
        (only,) = self.rows["playlists"]
        return only

    @property
    def reasons(self) -> dict[str, str]:
        return {row["item"]: row["reason"] for row in self.rows["quarantined_inputs"]}

    def column(self, name: str) -> list[Any]:
        return [row[name] for row in self.rows["playlist_tracks"]]


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., Result]:
    """Reads all files below the temporary folder (or those named) in one unit; checks schemas and keys."""

    def read(*names: str) -> Result:
        inputs = list(find_inputs(tmp_path, SUFFIXES))
        if names:
            inputs = [file for file in inputs if file.path in names]
        result = Result({table.name: [] for table in TABLES})
        for table, batch in read_unit(tmp_path, inputs, hash_user):
            assert batch.schema.equals(table.schema), table.name
            batch.validate(full=True)
            result.rows[table.name] += batch.to_pylist()
            result.batches.append((table.name, batch.num_rows))
        for table in TABLES:
            keys = [tuple(row[name] for name in table.primary_key) for row in result.rows[table.name]]
            assert len(keys) == len(set(keys)), f"{table.name} has a key twice"
            assert all(value is not None for key in keys for value in key), table.name
        return result

    return read


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, Any], Path]:
    """Writes a file (bytes, text, or JSON of anything else) below the temporary folder, dated WRITTEN_AT."""

    def write(name: str, content: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(as_bytes(content))
        os.utime(path, (WRITTEN_AT.timestamp(),) * 2)
        return path

    return write


@pytest.fixture
def write_zip(tmp_path: Path) -> Callable[[str, dict[str, Any]], Path]:
    """Writes a zip of members, each dated 2023-01-02 03:04:06."""

    def write_zip(name: str, members: dict[str, Any]) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for member, content in members.items():
                info = zipfile.ZipInfo(member, (2023, 1, 2, 3, 4, 6))
                archive.writestr(info, as_bytes(content), zipfile.ZIP_DEFLATED)
        os.utime(path, (WRITTEN_AT.timestamp(),) * 2)
        return path

    return write_zip
