"""Song files named in a list: local paths and objects in buckets, one a line."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Self

from ingestion.inputs import InputFile, UnreadableInputError, input_file, storable
from ingestion.msd.content import FIRST_BYTES
from ingestion.msd.objects import (
    SCHEME,
    S3Object,
    asked_ahead,
    object_file,
    store_at,
)
from ingestion.msd.places import Contents, open_files

STDIN = "-"


@dataclass(frozen=True)
class FileList:
    """The files that a list names; `path` is the list, or `-` for the standard input.

    Lines are paths, absolute or relative to `folder`, or `s3://bucket/key`. Empty lines and repeated
    ones do not count. What is named and not there goes to quarantine.
    """

    path: str
    folder: Path

    @classmethod
    def at(cls, path: str) -> Self:
        """A list; relative paths in it start from its folder, or from the working folder for `-`."""
        return cls(path, Path.cwd() if path == STDIN else Path(path).resolve().parent)

    @property
    def root(self) -> str:
        """What relative paths are relative to, as rows name it."""
        return str(self.folder)

    def files(self) -> Iterator[InputFile]:
        """The files, by path. Raises FileNotFoundError where the list names none."""
        paths = self._paths()
        if not paths:
            raise FileNotFoundError(f"{self.path} names no file")
        for is_object, group in groupby(paths, is_object_url):
            if not is_object:
                yield from map(self._found, group)
                continue
            for path, found in asked_ahead(group, _head):
                yield InputFile(path, 0, 0) if isinstance(found, UnreadableInputError) else found

    def contents(self, files: Sequence[InputFile], wanted_bytes: int = FIRST_BYTES) -> Contents:
        """These files, in their order; of objects `wanted_bytes` are asked for ahead."""
        for is_object, group in groupby(files, lambda file: is_object_url(file.path)):
            if is_object:
                yield from asked_ahead(group, lambda file: _open(file, wanted_bytes))
            else:
                yield from open_files(self.folder, group)

    def _paths(self) -> list[str]:
        text = sys.stdin.buffer.read() if self.path == STDIN else Path(self.path).read_bytes()
        lines = os.fsdecode(text).split("\n")
        return sorted({line.rstrip("\r").removeprefix("./") for line in lines if line.strip()})

    def _found(self, path: str) -> InputFile:
        try:
            return input_file(path, (self.folder / path).stat())
        except OSError:
            return InputFile(storable(path), 0, 0)


def is_object_url(path: str) -> bool:
    """Whether a line names an object in a bucket."""
    return path.startswith(SCHEME)


def _head(url: str) -> InputFile:
    found = store_at(SCHEME).head(*_bucket_and_key(url))
    return object_file(url, found["ContentLength"], found)


def _open(file: InputFile, wanted_bytes: int) -> S3Object:
    bucket, key = _bucket_and_key(file.path)
    store = store_at(SCHEME)
    if not file.etag:  # it was not there, or not to be seen: that is said again
        store.head(bucket, key)
    return S3Object(store, bucket, key, file, wanted_bytes)


def _bucket_and_key(url: str) -> tuple[str, str]:
    bucket, _, key = url.removeprefix(SCHEME).partition("/")
    return bucket, key
