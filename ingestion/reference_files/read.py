"""The front door of the side-file readers: files of any kind in, batches of the raw tables out.

Has each file recognised and read, and keeps the account of it. Knows nothing of the forms themselves.
"""

import logging
import sqlite3
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import BinaryIO

import pyarrow as pa

from ingestion.inputs import InputFile, UnreadableInputError, accounting, file_row, quarantine_row
from ingestion.reference_files import databases, formats, tables
from ingestion.reference_files.lines import BROKEN, PACKED, Lines, open_content, read_lines
from ingestion.reference_files.plays import SongPlays, totals_of_pairs
from ingestion.source import Batches, HashUser

log = logging.getLogger(__name__)

SUFFIXES = (".txt", ".tsv", ".cls", ".db", ".sqlite", ".zip", ".gz", ".bz2")
"""The file names to look for; what a file is, its content says."""

READER_VERSION = 2
"""Counted up whenever the same file would give other rows, so that it is read again."""

MAX_QUARANTINED = formats.MAX_REJECTED

THE_REST = "the rest"
"""The item of `quarantined_inputs` that follows where a file cannot be read on; SQL knows it by this name."""


def read_unit(root: Path, inputs: Sequence[InputFile], hash_user: HashUser) -> Batches:  # noqa: ARG001
    """Read `inputs` (below `root`) into batches of the raw tables, the account of the files last.

    Nothing is raised for what a file holds: what cannot be taken in is in `quarantined_inputs`, by
    line or row; beyond MAX_QUARANTINED of one file they are counted in one row, and a file of which
    nothing can be taken in is one row. Of a file that cannot be read to its end the rest is one row;
    totals of its listens would be too low, and are not there.
    """
    accounts = []
    for file in inputs:
        account = _Account(file)
        accounts.append(account)
        try:
            yield from _read(root, account)
        except UnreadableInputError as error:
            account.stop(error)
        except sqlite3.DatabaseError as error:
            account.stop(UnreadableInputError("corrupt_file", str(error)))
        except BROKEN as error:
            detail = getattr(error, "strerror", None) or type(error).__name__
            account.stop(UnreadableInputError("unreadable_file", detail))
    yield from accounting(
        [file_row(root, one.file, one.kind, one.records, one.rejected) for one in accounts],
        [row for one in accounts for row in one.quarantine_rows(root)],
    )


@dataclass
class _Account:
    """What one file gave: its kind, how many records, and which of it could not be taken in."""

    file: InputFile
    kind: str | None = None
    records: int = 0
    rejected: int = 0
    named: list[tuple[str, UnreadableInputError]] = field(default_factory=list)
    stopped_by: UnreadableInputError | None = None

    def reject(self, named: list[tuple[str, str, str]], count: int) -> None:
        """Count records that cannot be taken in; `named` are the first of them."""
        left = MAX_QUARANTINED - len(self.named)
        self.named += [(item, UnreadableInputError(reason, detail)) for item, reason, detail in named[:left]]
        self.rejected += count

    def stop(self, error: UnreadableInputError) -> None:
        """The file cannot be read, or not on from where it was."""
        self.stopped_by = error
        self.rejected += 1

    def quarantine_rows(self, root: Path) -> list[dict]:
        """The file's rows of `quarantined_inputs`."""
        if not self.records and (self.stopped_by or self.named):
            error = self.stopped_by or self.named[0][1]
            return [quarantine_row(root, self.file, error)]
        rows = [quarantine_row(root, self.file, error, item) for item, error in self.named]
        unnamed = self.rejected - len(self.named) - bool(self.stopped_by)
        if unnamed:
            error = UnreadableInputError("more_of_them", f"{unnamed:,} more lines or rows like these")
            rows.append(quarantine_row(root, self.file, error, "others"))
        if self.stopped_by:
            rows.append(quarantine_row(root, self.file, self.stopped_by, THE_REST))
        return rows


def _read(root: Path, account: _Account) -> Batches:
    path = root / account.file.path
    with path.open("rb") as file:
        magic = file.read(len(databases.SQLITE_MAGIC))
    if magic == databases.SQLITE_MAGIC:
        yield from _read_database(path, account)
        return
    with open_content(path) as (name, content):
        if magic.startswith(PACKED):
            _refuse_database(content)
        yield from _read_text(root, name, content, account)


def _refuse_database(content: BinaryIO) -> None:
    """SQLite reads files, not streams; seeking back to the start of what is packed is cheap."""
    if content.read(len(databases.SQLITE_MAGIC)) == databases.SQLITE_MAGIC:
        raise UnreadableInputError("packed_database", "a database is read from a file of its own: unpack it")
    content.seek(0)


def _read_text(root: Path, name: str, content: BinaryIO, account: _Account) -> Batches:
    blocks = read_lines(content)
    first = next(blocks, None)
    if first is None:
        raise UnreadableInputError("empty_file", "there is nothing in it")
    format_ = formats.recognise(first) or formats.known_by_name(name)
    if format_ is None:
        raise _unknown(first)
    account.kind = format_.kind
    if format_.table is None:
        log.info("%s: passed over, it is %s: nothing here joins on it", account.file.path, format_.kind)
        return
    constants = {"annotation": formats.genre_annotation(name, first)} if format_ is formats.GENRES else {}
    parser = formats.LineParser(format_, constants)
    plays = SongPlays() if format_ is formats.LISTENS else None
    for lines in chain([first], blocks):
        rows, rejected, count = parser.parse(lines)
        account.reject([(f"line {number}", reason, detail) for number, reason, detail in rejected], count)
        account.records += rows.num_rows
        if rows.num_rows:
            if plays:
                plays.add(rows)
            yield format_.table, rows
    if plays and account.records:
        yield tables.SONG_PLAYS, _totals(plays, root, account)


def _unknown(lines: Lines) -> UnreadableInputError:
    for place, text in enumerate(lines.texts.to_pylist()):
        if text and not text.isspace() and not text.startswith("#"):
            line = f"line {lines.first_number + place} and those after it"
            detail = f"{line} are those of none of the side files known here: {formats.shown(text)}"
            return UnreadableInputError("unknown_format", detail)
    if lines.undecodable:
        place, text = min(lines.undecodable.items())
        detail = f"line {lines.first_number + place} is not UTF-8: {formats.shown(text)}"
        return UnreadableInputError("not_utf8", detail)
    return UnreadableInputError("empty_file", "nothing but comments and white space")


def _totals(plays: SongPlays, root: Path, account: _Account) -> pa.Table:
    """Plays and listeners per song; counted anew, on disk, where the listens are in no order."""
    constants = {
        "source_root": str(root),
        "file_path": account.file.path,
        "source_system": formats.LISTENS.source_system,
        "terms_of_use": formats.LISTENS.terms_of_use,
    }
    totals = plays.totals(**constants)
    if plays.is_exact:
        return totals
    listens = _listens(root / account.file.path)
    return totals_of_pairs(listens, plays.first_listen_digest, **constants)


def _listens(path: Path) -> Iterator[pa.Table]:
    parser = formats.LineParser(formats.LISTENS, {})
    with open_content(path) as (_, content):
        for lines in read_lines(content):
            yield parser.parse(lines)[0]


def _read_database(path: Path, account: _Account) -> Batches:
    with databases.open_database(path) as connection:
        format_ = databases.recognise(connection)
        if format_ is None:
            raise UnreadableInputError(
                "unknown_format", "a database with the tables of none of the side files"
            )
        account.kind = format_.kind
        for table, rows, rejected, count in databases.read_database(connection, format_):
            account.reject(rejected, count)
            account.records += rows.num_rows
            if rows.num_rows:
                yield table, rows
