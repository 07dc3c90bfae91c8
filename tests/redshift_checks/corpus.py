"""The corpus, and what each of the checks that need no Redshift says of a statement in it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import yaml
from sqlfluff.core import FluffConfig, Linter

from dbt_project.lint.redshift.rules import findings
from dbt_project.lint.redshift.tokens import statements, text_of
from tests.redshift_standin.clients import by_redshift_connector
from tests.redshift_standin.errors import NotRecognised
from tests.redshift_standin.server import RedshiftStandIn

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Statement:
    """One entry: SQL of one or several statements, and whether Redshift takes it, by which page and why."""

    sql: str
    page: str
    why: str
    is_legal: bool


class Verdict(Enum):
    """What a check says of a statement; UNDECIDED where the stand-in has no translation for it."""

    TAKEN = "taken"
    REFUSED = "refused"
    UNDECIDED = "undecided"


def load() -> list[Statement]:
    """All statements, the illegal ones first."""
    return [
        Statement(**entry, is_legal=is_legal)
        for name, is_legal in (("illegal.yml", False), ("legal.yml", True))
        for entry in yaml.safe_load((HERE / name).read_text())
    ]


def sqlfluff_verdict(sql: str) -> Verdict:
    """Whether sqlfluff parses it in its dialect of Redshift."""
    linter = Linter(config=FluffConfig(overrides={"dialect": "redshift", "templater": "raw"}))
    return Verdict.REFUSED if linter.parse_string(sql).violations else Verdict.TAKEN


def lint_verdict(sql: str) -> Verdict:
    """Whether the lint finds anything."""
    return Verdict.REFUSED if findings(sql) else Verdict.TAKEN


@contextmanager
def rehearsal(stand_in: RedshiftStandIn) -> Iterator["Rehearsal"]:
    """The tables of the corpus in the stand-in, in its schema `lab`, which is dropped before and after."""
    connection = by_redshift_connector(stand_in)
    try:
        _run(connection, "drop schema if exists lab cascade; create schema lab")
        _run(connection, (HERE / "tables.sql").read_text())
        connection.commit()
        yield Rehearsal(stand_in, connection)
        _run(connection, "drop schema lab cascade")
        connection.commit()
    finally:
        connection.close()


@dataclass(frozen=True)
class Rehearsal:
    """The stand-in with the tables of the corpus."""

    stand_in: RedshiftStandIn
    connection: Any

    def verdict(self, sql: str) -> Verdict:
        """Whether it runs to its end, in a transaction that is undone."""
        known = len(self.stand_in.errors)
        try:
            _run(self.connection, sql)
        except Exception:  # whatever the library makes of the stand-in's and PostgreSQL's errors
            raised = [error for _, error in self.stand_in.errors[known:]]
            is_undecided = any(isinstance(error, NotRecognised) for error in raised)
            return Verdict.UNDECIDED if is_undecided else Verdict.REFUSED
        finally:
            self.connection.rollback()
        return Verdict.TAKEN


def _run(connection: Any, sql: str) -> None:
    """Run statements one by one, as dbt sends them, and read their rows."""
    for statement in statements(sql):
        cursor = connection.cursor()
        cursor.execute(text_of(statement))
        if cursor.description:
            cursor.fetchall()
