"""Song files named in a list: local paths and objects in buckets, one a line."""

import codecs
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from stat import S_ISREG
from typing import Self

from ingestion.inputs import InputFile, UnreadableInputError, input_file, storable
from ingestion.msd.archive import Archive
from ingestion.msd.content import FIRST_BYTES
from ingestion.msd.folder import open_files
from ingestion.msd.objects import (
    SCHEME,
    FirstObjects,
    S3Object,
    asked_ahead,
    object_archive,
    object_file,
    store_at,
)
from ingestion.msd.places import ARCHIVE_SUFFIXES, Contents, refuse_unread_archive

STDIN = "-"


@dataclass(frozen=True)
class FileList:
    """The files that a list names; `path` is the list, or `-` for the standard input.

    Lines are paths, absolute or relative to `folder`, or `s3://bucket/key`, of song files or archives. Empty
    lines and repeated ones do not count, nor do blanks around a line or a byte order mark. What is named
    and not there goes to quarantine.
    """

    path: str
    folder: Path
    streams: list[Archive] = field(default_factory=list)

    @classmethod
    def at(cls, path: str) -> Self:
        """A list; relative paths in it start from its folder, or from the working folder for `-`."""
        return cls(path, Path.cwd() if path == STDIN else Path(path).resolve().parent)

    @property
    def root(self) -> str:
        """What relative paths are relative to, as rows name it."""
        return str(self.folder)

    def files(self) -> Iterator[InputFile]:
        """The files, by path.

        Raises FileNotFoundError where the list names none, SourceError where none of the first objects may
        be read.
        """
        self.streams.clear()
        paths = self._paths()
        if not paths:
            raise FileNotFoundError(f"{self.path} names no file")
        first = FirstObjects()
        for is_object, group in groupby(paths, is_object_url):
            for path, answer in self._answers(is_object, group):
                if is_object:
                    first.note(answer if isinstance(answer, UnreadableInputError) else None)
                if isinstance(answer, Archive):
                    self.streams.append(answer)
                else:
                    yield InputFile(path, 0, 0) if isinstance(answer, UnreadableInputError) else answer
        first.end()

    def contents(self, files: Sequence[InputFile], wanted_bytes: int = FIRST_BYTES) -> Contents:
        """These files, in their order; of objects `wanted_bytes` are asked for ahead."""
        for is_object, group in groupby(files, lambda file: is_object_url(file.path)):
            if is_object:
                yield from asked_ahead(group, lambda file: _open(file, wanted_bytes))
            else:
                yield from open_files(self.folder, group)

    def _paths(self) -> list[str]:
        text = sys.stdin.buffer.read() if self.path == STDIN else Path(self.path).read_bytes()
        lines = os.fsdecode(text.removeprefix(codecs.BOM_UTF8)).split("\n")
        return sorted({line.strip().removeprefix("./") for line in lines if line.strip()})

    def _answers(
        self, are_objects: bool, paths: Iterable[str]
    ) -> Iterator[tuple[str, InputFile | Archive | UnreadableInputError]]:
        return asked_ahead(paths, _head) if are_objects else map(self._found, paths)

    def _found(self, path: str) -> tuple[str, InputFile | Archive]:
        try:
            found = (self.folder / path).stat()
            is_archive = path.lower().endswith(ARCHIVE_SUFFIXES) and S_ISREG(found.st_mode)
            return path, Archive.at(self.folder / path) if is_archive else input_file(path, found)
        except OSError:
            return path, InputFile(storable(path), 0, 0)


def is_object_url(path: str) -> bool:
    """Whether a line names an object in a bucket."""
    return path.startswith(SCHEME)


def _head(url: str) -> InputFile | Archive:
    bucket, key = _bucket_and_key(url)
    found = store_at(SCHEME).head(bucket, key)
    if key.lower().endswith(ARCHIVE_SUFFIXES):
        return object_archive(SCHEME, bucket, key, found | {"Size": found["ContentLength"]})
    return object_file(url, found["ContentLength"], found)


def _open(file: InputFile, wanted_bytes: int) -> S3Object:
    refuse_unread_archive(file.path)
    bucket, key = _bucket_and_key(file.path)
    store = store_at(SCHEME)
    if not file.etag:  # it was not there, or not to be seen: that is said again
        store.head(bucket, key)
    return S3Object(store, bucket, key, file, wanted_bytes)


def _bucket_and_key(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix(SCHEME).partition("/")
    return bucket, key
