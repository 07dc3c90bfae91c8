"""dbt run once for this folder: a build of an empty warehouse, and a parse for Redshift beside it."""

import atexit
import json
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from ingestion.sources import SOURCES

REPOSITORY = Path(__file__).resolve().parents[2]

MODELS_ALONE = ("--exclude-resource-type", "test", "--exclude-resource-type", "unit_test")
"""For `dbt build`: models and the seed that they read, and no tests."""

DBT = "from dbt.cli.main import cli; cli()"
"""The dbt of the running interpreter, whatever is on PATH."""


@dataclass(frozen=True)
class Invocation:
    """What a dbt command left: its exit code and everything it printed."""

    returncode: int
    output: str


@dataclass(frozen=True)
class DbtWorkplace:
    """A folder with a profile, a warehouse and target folders of its own."""

    folder: Path

    @property
    def warehouse(self) -> Path:
        return self.folder / "data" / "in_use" / "warehouse.duckdb"

    def target_path(self, target: str) -> Path:
        return self.folder / f"target_{target}"

    def read(self, artifact: str, target: str = "duckdb") -> dict:
        return json.loads((self.target_path(target) / artifact).read_text())

    def start(self, *arguments: str, target: str = "duckdb") -> subprocess.Popen:
        """A dbt command in the repository, warnings being errors, with no setting of this machine's."""
        data, parsed = self.folder / "data", []
        if target == "duckdb":
            data, parsed = _seen_at_one_place(data), ["--partial-parse-file-path", _parsed()]
        options = [*self._folders(target), *parsed]
        return _start(data, *arguments, "--target", target, *options)

    def _folders(self, target: str) -> list:
        return [
            *("--profiles-dir", self.folder),
            *("--target-path", self.target_path(target)),
            *("--log-path", self.folder / f"logs_{target}"),
        ]

    @staticmethod
    def finish(process: subprocess.Popen) -> Invocation:
        output, _ = process.communicate()
        return Invocation(process.returncode, output)


def _start(data: Path, *arguments: object) -> subprocess.Popen:
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WAREHOUSE_", "REDSHIFT_", "DBT_"))
    }
    return subprocess.Popen(
        [sys.executable, "-c", DBT, "--warn-error", *map(str, arguments)],
        cwd=REPOSITORY,
        env={**kept, "WAREHOUSE_DATA_DIR": str(data), "NO_COLOR": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@cache
def _own_folder() -> Path:
    """This process's, gone with it."""
    folder = Path(tempfile.mkdtemp(prefix="dbt_parsed_"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _seen_at_one_place(data: Path) -> Path:
    """A path that leads to this data folder until it leads to the next: for another path dbt parses anew."""
    place = _own_folder() / "data"
    place.unlink(missing_ok=True)
    place.symlink_to(data)
    return place


@cache
def _parsed() -> Path:
    """What dbt read of the project, once for all commands of this process: it takes ten seconds."""
    workplace = DbtWorkplace(_own_folder())
    shutil.copyfile(REPOSITORY / "profiles.example.yml", workplace.folder / "profiles.yml")
    invocation = workplace.finish(
        _start(workplace.folder / "data", "parse", "--target", "duckdb", *workplace._folders("duckdb"))
    )
    assert invocation.returncode == 0, invocation.output
    return workplace.target_path("duckdb") / "partial_parse.msgpack"


def create_empty_raw_tables(warehouse: Path) -> None:
    """Every raw table with its columns and no rows, as the loader leaves them before the first load."""
    warehouse.parent.mkdir(parents=True)
    with duckdb.connect(str(warehouse)) as connection:
        for source in SOURCES:
            connection.execute(f"create schema {source.schema_name}")
            for table in source.tables:
                fields = [*table.warehouse_schema, pa.field("_dlt_load_id", pa.string())]
                empty = pa.schema(fields).empty_table()
                connection.register("empty", empty)
                connection.execute(f"create table {source.schema_name}.{table.name} as select * from empty")
                connection.unregister("empty")


@pytest.fixture(scope="session")
def empty_workplace(tmp_path_factory: pytest.TempPathFactory) -> DbtWorkplace:
    place = DbtWorkplace(tmp_path_factory.mktemp("dbt"))
    shutil.copyfile(REPOSITORY / "profiles.example.yml", place.folder / "profiles.yml")
    create_empty_raw_tables(place.warehouse)
    return place


@pytest.fixture(scope="session")
def invocations(empty_workplace: DbtWorkplace) -> dict[str, Invocation]:
    """`dbt build` of the empty warehouse and `dbt parse` for Redshift, side by side: each costs seconds."""
    build = empty_workplace.start("build")
    parse = empty_workplace.start("parse", target="redshift")
    return {"duckdb": empty_workplace.finish(build), "redshift": empty_workplace.finish(parse)}


@pytest.fixture(scope="session")
def workplace(empty_workplace: DbtWorkplace, invocations: dict[str, Invocation]) -> DbtWorkplace:
    """Where an empty warehouse is built."""
    assert invocations["duckdb"].returncode == 0, invocations["duckdb"].output
    return empty_workplace


@pytest.fixture(scope="session")
def manifest() -> dict:
    """The project as dbt reads it; for that nothing has to be built."""
    return json.loads(_parsed().with_name("manifest.json").read_text())
