"""A file source whose reader takes its process with it where a file says so, as a reader in C can."""

import os
import signal
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from ingestion.inputs import InputFile, accounting, file_row
from ingestion.msd.archive import Archive
from ingestion.source import Batches, FileSource, Folder, HashUser
from ingestion.tables import FILES, QUARANTINED_INPUTS, RawTable, columns, key_columns

WORDS = RawTable(
    "words", pa.schema(key_columns(file_path=pa.string()) + columns(word=pa.string())), ("file_path",)
)


def read_unit(place: Folder, inputs: Sequence[InputFile], hash_user: HashUser) -> Batches:  # noqa: ARG001
    """A word of each file.

    `abort` ends the process, so does `after <word>` once that word was read; `once` does so the first
    time, and `killed` as the system does when it is out of memory.
    """
    words = []
    for file in inputs:
        word = (place.folder / file.path).read_text()
        if word == "killed":
            os.kill(os.getpid(), signal.SIGKILL)
        if word == "once":
            (place.folder / file.path).write_text("not again")
            os.abort()
        if word == "slow":
            time.sleep(30)
        if word == "abort" or word.removeprefix("after ") in words:
            os.abort()
        words.append(word)
    yield (
        WORDS,
        WORDS.from_rows(
            [{"file_path": file.path, "word": word} for file, word in zip(inputs, words, strict=True)]
        ),
    )
    yield from accounting([file_row(place.root, file, "word", 1, 0) for file in inputs], [])


FRAGILE = FileSource(
    name="fragile",
    tables=(FILES, WORDS, QUARANTINED_INPUTS),
    suffixes=(".word",),
    reader_version=1,
    files_per_unit=1000,
    counted_as="words",
    read_unit=read_unit,
    may_crash=True,
)


def read_unit_of_members(place: Any, inputs: Sequence[InputFile], hash_user: HashUser) -> Batches:  # noqa: ARG001
    """The same of members of an archive."""
    files = []
    for file, content in place.contents(inputs):
        word = content.read(0, content.size_bytes).decode()
        if word == "abort":
            os.abort()
        files.append(file)
        yield WORDS, WORDS.from_rows([{"file_path": file.path, "word": word}])
    yield from accounting([file_row(place.root, file, "word", 1, 0) for file in files], [])


FRAGILE_ARCHIVE = replace(
    FRAGILE, name="fragile_archive", files_per_unit=3, read_unit=read_unit_of_members, find_place=Archive.at
)
