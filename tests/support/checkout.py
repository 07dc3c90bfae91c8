"""A copy of the repository as a fresh clone would be, to run its commands in."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import pytest
from filelock import FileLock

ROOT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Checkout:
    """A copy of the tracked and the new files, with an empty home and this checkout's .venv."""

    path: Path
    environment: dict[str, str]

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess:
        """Run a command in the checkout; the output comes back as text, both streams in one."""
        return subprocess.run(
            command,
            cwd=self.path,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=540,
        )

    def make(self, verb: str, **environment: str) -> subprocess.CompletedProcess:
        """Run a make verb; the environment counts as installed."""
        return self.run("make", "--old-file=.venv/.installed", verb, **environment)


def fresh_checkout(folder: Path) -> Checkout:
    """A fresh checkout below `folder`. Variables that configure a warehouse are not passed on."""
    path, home = folder / "music-warehouse", folder / "home"
    home.mkdir(parents=True)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            target = path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target)
    (path / ".venv").symlink_to(ROOT / ".venv")
    return Checkout(path, _environment(path, home))


class FirstRun(NamedTuple):
    """A first `make run` in a fresh checkout: what it told, and a copy of the warehouse it left."""

    checkout: Checkout
    told: str
    warehouse: Path


def first_run_of_all(factory: pytest.TempPathFactory) -> FirstRun:
    """The one first run of this run of the tests, whichever process needs it first.

    The checkout is for one file of tests, which may change it; the warehouse is for reading.
    """
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "first_run"
    told = folder / "told.txt"
    with FileLock(f"{folder}.lock"):
        if not told.exists():
            checkout = fresh_checkout(folder)
            result = checkout.make("run")
            assert result.returncode == 0, result.stdout
            warehouse = checkout.path / "data" / "in_use" / "warehouse.duckdb"
            shutil.copyfile(warehouse, folder / "warehouse.duckdb")
            told.write_text(result.stdout)
    path = folder / "music-warehouse"
    checkout = Checkout(path, _environment(path, folder / "home"))
    return FirstRun(checkout, told.read_text(), folder / "warehouse.duckdb")


def _environment(path: Path, home: Path) -> dict[str, str]:
    kept = {"PATH", "LANG", "LC_ALL", "TMPDIR"}
    environment = {name: value for name, value in os.environ.items() if name in kept}
    environment |= {"HOME": str(home), "PATH": f"{path}/.venv/bin:{os.environ['PATH']}"}
    return environment
