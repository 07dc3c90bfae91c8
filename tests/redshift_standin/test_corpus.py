"""Together the checks that need no Redshift catch nearly all planted errors, and nothing else."""

import re

import pytest

from tests.redshift_checks.corpus import Verdict, lint_verdict, load, rehearsal, sqlfluff_verdict

CAUGHT_GOAL = 0.9

CORPUS = load()


@pytest.fixture(scope="module")
def refused(stand_in) -> set[str]:
    """The SQL of the statements that a check refuses."""
    with rehearsal(stand_in) as rehearsed:
        return {
            statement.sql
            for statement in CORPUS
            for check in (sqlfluff_verdict, lint_verdict, rehearsed.verdict)
            if check(statement.sql) is Verdict.REFUSED
        }


def test_nearly_all_planted_errors_are_caught(refused):
    illegal = [statement.sql for statement in CORPUS if not statement.is_legal]
    missed = [sql for sql in illegal if sql not in refused]

    assert len(illegal) >= 40
    assert len(missed) <= (1 - CAUGHT_GOAL) * len(illegal), missed


def test_no_legal_statement_is_refused(refused):
    legal = [statement.sql for statement in CORPUS if statement.is_legal]

    assert len(legal) >= 30
    assert [sql for sql in legal if sql in refused] == []


def test_every_statement_names_a_page_and_a_reason_and_is_there_once():
    assert len({statement.sql for statement in CORPUS}) == len(CORPUS)
    for statement in CORPUS:
        assert re.fullmatch(r"[\w-]+", statement.page)
        assert statement.why
