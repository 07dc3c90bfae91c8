"""Lint what dbt compiles for both targets: `python -m dbt_project.lint`, part of `make lint`.

Exit status 1 where anything is found. The compiled SQL stays in target/lint/, where findings point to.
"""

import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

from sqlfluff.core import FluffConfig, Linter

from dbt_project.lint.compiling import CompilingFailed, compile_offline
from dbt_project.lint.redshift.rules import findings
from dbt_project.lint.redshift.tokens import NotSql
from dbt_project.lint.redshift.vocabulary import DOCUMENTATION

PROJECT = Path(__file__).resolve().parents[2]
OUTPUT = Path("target", "lint")

TARGETS = ("duckdb", "redshift")
"""Each is a dialect of sqlfluff, too."""


def main() -> int:
    """Print what is found; returns the exit status."""
    with ProcessPoolExecutor(len(TARGETS)) as processes:
        messages = [message for found in processes.map(lint_target, TARGETS) for message in found]
    print("\n".join(messages), end="\n" if messages else "")
    return 1 if messages else 0


def lint_target(target: str, project: Path = PROJECT) -> list[str]:
    """A message for each finding in what is compiled for a target."""
    try:
        files = compile_offline(project, project / OUTPUT / target, target)
    except CompilingFailed as error:
        return [str(error)]
    linter = Linter(config=FluffConfig(overrides={"dialect": target, "templater": "raw"}))
    return [
        f"{file.relative_to(project)}:{message}"
        for file in files
        for message in _lint(file.read_text(), target, linter)
    ]


def _lint(sql: str, target: str, linter: Linter) -> Iterator[str]:
    for violation in linter.parse_string(sql).violations:
        yield f"{violation.line_no}: {target} does not parse: {violation.desc()}"
    if target == "redshift":
        try:
            found = findings(sql)
        except NotSql as error:
            yield f"1: no SQL: {error}"
            return
        for finding in found:
            page = DOCUMENTATION.format(page=finding.page)
            yield f"{finding.line}: not for Redshift: {finding.what} ({page})"


if __name__ == "__main__":
    sys.exit(main())
