"""Finding benchmark files and running each in a process of its own."""

import ast
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.support.figures import Figure


@dataclass
class Outcome:
    """What came of one benchmark: its figures, and why it failed (None where it did not)."""

    name: str
    description: str
    figures: list[Figure] = field(default_factory=list)
    failure: str | None = None


def find(folder: Path) -> list[Path]:
    """The benchmark files in a folder: every module whose name begins with a letter, sorted."""
    return sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))


def run(benchmark: Path, arguments: Sequence[str] = ()) -> Outcome:
    """Run a benchmark file, pass its lines on as they come, and keep its figures.

    It failed when it exits non-zero, prints a line that is no figure, or prints none at all.
    """
    outcome = Outcome(benchmark.stem, ast.get_docstring(ast.parse(benchmark.read_text())) or "")
    command = [sys.executable, str(benchmark), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            try:
                outcome.figures.append(Figure.from_line(line))
            except ValueError as error:
                outcome.failure = f"printed a line that is no figure ({error})"
    if process.returncode:
        outcome.failure = f"exited with status {process.returncode}"
    elif not outcome.figures and outcome.failure is None:
        outcome.failure = "printed no figure"
    return outcome
