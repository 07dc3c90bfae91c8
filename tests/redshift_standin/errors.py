"""What the stand-in answers instead of running a statement. Each carries its SQLSTATE."""

from collections.abc import Iterator
from contextlib import contextmanager

from dbt_project.lint.redshift.tokens import NotSql


class StandInError(Exception):
    """A statement that does not reach PostgreSQL."""

    sqlstate = "XX000"

    def __init__(self, reason: str) -> None:
        super().__init__(f"[redshift stand-in] {reason}")


class RefusedByRedshift(StandInError):  # noqa: N818 - says who refuses
    """Redshift's documentation says that Redshift does not take this."""

    def __init__(self, reason: str, sqlstate: str = "0A000") -> None:
        super().__init__(reason)
        self.sqlstate = sqlstate


class NotRecognised(StandInError):  # noqa: N818 - says what it is
    """A statement that the stand-in has no translation for, whether Redshift takes it or not."""

    sqlstate = "42601"


class UnknownFunction(NotRecognised):
    """A function outside the stand-in's list."""

    sqlstate = "42883"


class UnknownType(NotRecognised):
    """A type outside the stand-in's list."""

    sqlstate = "42704"


class CopyFailed(StandInError):  # noqa: N818 - as Redshift words it
    """COPY found what it cannot load."""

    sqlstate = "XX000"


@contextmanager
def complete() -> Iterator[None]:
    """Say of a text that is no statement, or ends before it is one, that it is not recognised."""
    try:
        yield
    except NotSql as error:
        raise NotRecognised(str(error)) from error
    except (IndexError, ValueError) as error:
        raise NotRecognised("the statement is not complete") from error
