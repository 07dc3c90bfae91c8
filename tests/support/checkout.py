"""A copy of the repository as a fresh clone would be, to run its commands in."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

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
    kept = {"PATH", "LANG", "LC_ALL", "TMPDIR"}
    environment = {name: value for name, value in os.environ.items() if name in kept}
    environment |= {"HOME": str(home), "PATH": f"{path}/.venv/bin:{os.environ['PATH']}"}
    return Checkout(path, environment)
