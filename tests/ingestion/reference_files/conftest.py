"""Reading small side files as units do, a file each."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from ingestion.inputs import find_inputs
from ingestion.reference_files import REFERENCE_FILES
from ingestion.reference_files.read import SUFFIXES, read_unit

TABLES = (*REFERENCE_FILES.tables, *REFERENCE_FILES.lake_only_tables)


@dataclass
class Result:
    """The rows of some files by table, as plain Python values, in the order they came."""

    rows: dict[str, list[dict]] = field(default_factory=dict)

    def __getattr__(self, table: str) -> list[dict]:
        return self.rows[table]

    @property
    def reasons(self) -> dict[str, str]:
        return {row["item"]: row["reason"] for row in self.rows["quarantined_inputs"]}

    @property
    def kinds(self) -> dict[str, str]:
        return {row["file_path"]: row["file_kind"] for row in self.rows["files"]}


@pytest.fixture
def read(tmp_path: Path) -> Callable[[], Result]:
    """Reads all files below the temporary folder; checks schemas and keys."""

    def read() -> Result:
        result = Result({table.name: [] for table in TABLES})
        for file in find_inputs(tmp_path, SUFFIXES):
            of_file = {table.name: [] for table in TABLES}
            for table, batch in read_unit(tmp_path, [file], str):
                assert batch.schema.equals(table.schema), table.name
                batch.validate(full=True)
                of_file[table.name] += batch.to_pylist()
            for table in REFERENCE_FILES.tables:
                keys = [tuple(row[name] for name in table.primary_key) for row in of_file[table.name]]
                assert len(keys) == len(set(keys)), f"{table.name} has a key twice"
                assert all(value is not None for key in keys for value in key), table.name
            for name, rows in of_file.items():
                result.rows[name] += rows
        return result

    return read


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, bytes], Path]:
    """Writes a file below the temporary folder."""

    def write(name: str, content: bytes) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return path

    return write
