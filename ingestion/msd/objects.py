"""Song files in a bucket: of most, only the beginning is asked for, of several at a time.

Threads wait for answers here, so that the reader need not; reading itself is shared among processes. What S3
says of one object alone sends that object to quarantine; what would befall every other one too
ends the run, and the rest stays to be read.
"""

import io
import logging
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from ingestion.config import OBJECT_SCHEME as SCHEME
from ingestion.errors import SourceError
from ingestion.inputs import InputFile, UnreadableInputError, is_hidden
from ingestion.lake import shown_url
from ingestion.msd.archive import Archive
from ingestion.msd.content import FIRST_BYTES
from ingestion.msd.fixed_offsets import has_tags
from ingestion.msd.places import (
    ARCHIVE_SUFFIXES,
    SUFFIXES,
    UNREAD_ARCHIVE,
    UNREAD_ARCHIVE_SUFFIXES,
    UNREAD_REASONS,
    Contents,
)
from ingestion.object_versions import s3_client

log = logging.getLogger(__name__)

Asked, Answer = TypeVar("Asked"), TypeVar("Answer")

IN_FLIGHT = 32
"""Objects asked for at a time per process: with requests of 20 ms each, some thousand songs a second."""

LAST_BYTES = 16 * 1024
"""Asked for besides where a song has MusicBrainz tags, which lie in the last 4.4 kB: a reader that had to ask
for them itself would wait for each answer. Two of the five genuine songs at hand have some."""

ATTEMPTS = 5
"""Of a request that fails in passing, with growing pauses (botocore's standard mode)."""

FIRST_TRIED = 3
"""Objects that are tried before a place is read: where none of them may be read, none of a million will."""

RANGE_BYTES = 1024 * 1024
"""Of an archive, asked for at a time; IN_FLIGHT of them ahead take 32 MB."""

_ABOUT_ONE_OBJECT = {
    "NoSuchKey": "missing_file",
    "404": "missing_file",
    "PreconditionFailed": "changed_file",
    "412": "changed_file",
    "AccessDenied": "unreadable_file",
    "403": "unreadable_file",
    "InvalidObjectState": "unreadable_file",  # in an archive class: it must be restored first
}
"""Error codes that concern the object asked for, and what is said of it."""

_NEEDED = {
    "AccessDenied": "reading it takes the permission s3:GetObject: ",
    "403": "reading it takes the permission s3:GetObject: ",
    "InvalidObjectState": "it lies in an archive class and must be restored first: ",
}


class Store:
    """Objects of an S3 service, by bucket and key. One for each process: `store_at` gives it."""

    def __init__(self, url: str) -> None:
        self._client = s3_client(
            url, retries={"mode": "standard", "total_max_attempts": ATTEMPTS}, max_pool_connections=IN_FLIGHT
        )

    def listed(self, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
        """Every object below a prefix, by key, a thousand a request. Raises SourceError."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        try:
            for page in pages:
                yield from page.get("Contents", ())
        except (ClientError, BotoCoreError) as error:
            raise SourceError(
                f"{SCHEME}{bucket}/{prefix} cannot be listed: {error} (it takes s3:ListBucket)"
            ) from None

    def head(self, bucket: str, key: str) -> dict[str, Any]:
        """Size, ETag and time of one object. Raises as `get` does."""
        return self._ask(self._client.head_object, bucket, key)

    def get(self, bucket: str, key: str, start: int, length: int, etag: str = "") -> bytes:
        """Bytes of an object, of the version with that ETag.

        Raises UnreadableInputError for what concerns this object alone, else SourceError.
        """
        range_ = f"bytes={start}-{start + length - 1}"
        condition = {"IfMatch": f'"{etag}"'} if etag else {}

        def request(**asked: str) -> bytes:
            return self._client.get_object(**asked)["Body"].read()

        return self._ask(
            request,
            bucket,
            key,
            Range=range_,
            **condition,
        )

    def _ask(self, request: Callable[..., Any], bucket: str, key: str, **options: str) -> Any:
        try:
            return request(Bucket=bucket, Key=key, **options)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in _ABOUT_ONE_OBJECT:
                detail = f"{SCHEME}{bucket}/{key}: {_NEEDED.get(code, '')}{error}"
                raise UnreadableInputError(_ABOUT_ONE_OBJECT[code], detail) from error
            raise SourceError(
                f"{SCHEME}{bucket}/{key} cannot be read: {error} (it takes s3:GetObject)"
            ) from None
        except (BotoCoreError, OSError) as error:
            raise SourceError(f"{SCHEME}{bucket}/{key} cannot be read: {error}") from None


@cache
def store_at(url: str) -> Store:
    """This process's client for the service that a URL leads to."""
    return Store(url)


class S3Object:
    """One object's bytes; those that reading a song takes were asked for when this was made."""

    path = None

    def __init__(self, store: Store, bucket: str, key: str, file: InputFile, wanted_bytes: int) -> None:
        """Raises as `Store.get` does."""
        self._store, self._bucket, self._key, self._file = store, bucket, key, file
        self.size_bytes = size = file.size_bytes
        beginning = self._get(0, min(size, wanted_bytes))
        self._parts = [(0, beginning)]
        if size > wanted_bytes and has_tags(beginning):
            start = max(wanted_bytes, size - LAST_BYTES)
            self._parts.append((start, self._get(start, size)))

    def read(self, start: int, length: int) -> bytes:
        """`length` bytes from `start` on, fewer only where the object ends; asked for if need be."""
        end = min(start + length, self.size_bytes)
        for first, part in self._parts:
            if first <= start and end <= first + len(part):
                return part[start - first : end - first]
        return self._get(start, end)

    def _get(self, start: int, end: int) -> bytes:
        if start >= end:
            return b""
        return self._store.get(self._bucket, self._key, start, end - start, self._file.etag)


class ObjectFile(io.RawIOBase):
    """An object as a file that is read from end to end: in ranges, several of which are asked for ahead.

    Raises SourceError where it cannot be read.
    """

    def __init__(self, url: str, bucket: str, key: str, size_bytes: int, etag: str) -> None:
        self._store, self._bucket, self._key, self._etag = store_at(url), bucket, key, etag
        self._size_bytes = size_bytes
        self._at = 0
        self._range, self._start = b"", 0
        self._ranges: Iterator[bytes] = iter(())

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """It is, though what lies between is asked for as well if it is not far."""
        return True

    def tell(self) -> int:
        """The position."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a position from the beginning, here or the end."""
        self._at = offset + {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._size_bytes}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        """As many of the next bytes as are at hand, and fit."""
        if self._at >= self._size_bytes:
            return 0
        if not self._start <= self._at < self._start + len(self._range):
            self._go_to(self._at // RANGE_BYTES * RANGE_BYTES)
        part = self._range[self._at - self._start :][: len(buffer)]
        buffer[: len(part)] = part
        self._at += len(part)
        return len(part)

    def close(self) -> None:
        """Ask for no more."""
        if not self.closed and hasattr(self._ranges, "close"):
            self._ranges.close()
        super().close()

    def _go_to(self, start: int) -> None:
        next_start = self._start + len(self._range)
        if not next_start <= start < next_start + IN_FLIGHT * RANGE_BYTES:
            self._ranges = iter(())
            next_start = start
        while next_start <= start:
            self._range, self._start = next(self._ranges, None), next_start
            if self._range is None:
                self._ranges = self._ranges_from(start)
                self._range, self._start = next(self._ranges), start
            next_start = self._start + len(self._range)

    def _ranges_from(self, start: int) -> Iterator[bytes]:
        starts = range(start, self._size_bytes, RANGE_BYTES)
        for _, part in asked_ahead(starts, self._get):
            if isinstance(part, UnreadableInputError):
                raise SourceError(part.detail)
            yield part

    def _get(self, start: int) -> bytes:
        length = min(RANGE_BYTES, self._size_bytes - start)
        return self._store.get(self._bucket, self._key, start, length, self._etag)


def object_archive(url: str, bucket: str, key: str, found: dict[str, Any]) -> Archive:
    """The archive that an object is; `found` is what S3 says of it, its size as in a listing."""
    folder, _, name = f"{SCHEME}{bucket}/{key}".rpartition("/")
    file = object_file(name, found["Size"], found)
    return Archive(folder, file, partial(ObjectFile, url, bucket, key, file.size_bytes, file.etag))


class FirstObjects:
    """What became of the first objects of a place: where none of them may be read, that is no one's fault."""

    def __init__(self) -> None:
        self._refusals: list[UnreadableInputError] = []
        self.are_known = False

    def note(self, error: UnreadableInputError | None) -> None:
        """Take in what one object answered. Raises SourceError where the first few may not be read."""
        if self.are_known:
            return
        if error is None or error.reason not in UNREAD_REASONS:
            self.are_known = True
            return
        self._refusals.append(error)
        if len(self._refusals) == FIRST_TRIED:
            self.end()

    def end(self) -> None:
        """There are no more. Raises SourceError where none of those there were may be read."""
        if self._refusals and not self.are_known:
            raise SourceError(self._refusals[0].detail)


@dataclass(frozen=True)
class Prefix:
    """What lies in a bucket below a prefix, or one object.

    `url` is `s3://bucket/prefix`, with key, secret and options as a lake's URL can have them.
    """

    url: str
    streams: list[Archive] = field(default_factory=list)

    @property
    def bucket(self) -> str:
        """The bucket."""
        return self._parts[0].rpartition("@")[2]

    @property
    def prefix(self) -> str:
        """What paths are relative to: '' or a key up to a slash."""
        path = self._asked
        if path.lower().endswith(SUFFIXES + ARCHIVE_SUFFIXES):
            path = path.rpartition("/")[0]
        return f"{path}/" if path else ""

    @property
    def root(self) -> str:
        """The prefix as rows name it."""
        return f"{SCHEME}{self.bucket}/{self.prefix}".rstrip("/")

    @property
    def _parts(self) -> tuple[str, str]:
        location = self.url.removeprefix(SCHEME).partition("?")[0]
        authority, _, path = location.partition("/")
        return authority, path.strip("/")

    @property
    def _asked(self) -> str:
        return self._parts[1]

    def files(self) -> Iterator[InputFile]:
        """Every song file below the prefix, by key.

        Raises FileNotFoundError where there is none and no archive, SourceError where the bucket cannot be
        listed or none of the first objects may be read.
        """
        self.streams.clear()
        store, bucket = store_at(self.url), self.bucket
        is_object = self._asked.lower().endswith(SUFFIXES + ARCHIVE_SUFFIXES)
        is_empty = True
        first = FirstObjects()
        for found in store.listed(bucket, self._asked if is_object else self.prefix):
            key = found["Key"]
            name = key.removeprefix(self.prefix)
            if is_hidden(name) or (is_object and not f"{key}/".startswith(f"{self._asked}/")):
                continue
            if name.lower().endswith(SUFFIXES):
                is_empty = False
                file = object_file(name, found["Size"], found)
                if not first.are_known and file.size_bytes:
                    first.note(_refusal(store, bucket, key, file))
                yield file
            elif name.lower().endswith(ARCHIVE_SUFFIXES):
                is_empty = False
                self.streams.append(object_archive(self.url, bucket, key, found))
            elif name.lower().endswith(UNREAD_ARCHIVE_SUFFIXES):
                log.warning(UNREAD_ARCHIVE, f"{SCHEME}{bucket}/{key}")
        first.end()
        if is_empty:
            raise FileNotFoundError(f"no {' or '.join(SUFFIXES)} object below {shown_url(self.url)}")

    def contents(self, files: Sequence[InputFile], wanted_bytes: int = FIRST_BYTES) -> Contents:
        """These objects, in their order; `wanted_bytes` of each are asked for ahead."""
        store, bucket, prefix = store_at(self.url), self.bucket, self.prefix
        return asked_ahead(
            files, lambda file: S3Object(store, bucket, f"{prefix}{file.path}", file, wanted_bytes)
        )


def _refusal(store: Store, bucket: str, key: str, file: InputFile) -> UnreadableInputError | None:
    """Why an object cannot be read, told from its first byte."""
    try:
        store.get(bucket, key, 0, 1, file.etag)
    except UnreadableInputError as error:
        return error
    return None


def object_file(path: str, size_bytes: int, found: dict[str, Any]) -> InputFile:
    """An object, as S3 describes it, as an input."""
    modified_ns = int(found["LastModified"].timestamp()) * 10**9
    return InputFile(path, size_bytes, modified_ns, found["ETag"].strip('"'))


def asked_ahead(
    asked: Iterable[Asked], ask: Callable[[Asked], Answer]
) -> Iterator[tuple[Asked, Answer | UnreadableInputError]]:
    """Ask in threads, so many ahead of the answer that is used, and give the answers in their order."""
    waiting: deque[tuple[Asked, Future]] = deque()
    with ThreadPoolExecutor(IN_FLIGHT, thread_name_prefix="s3") as threads:
        for one in asked:
            waiting.append((one, threads.submit(ask, one)))
            if len(waiting) == IN_FLIGHT:
                yield _answered(*waiting.popleft())
        while waiting:
            yield _answered(*waiting.popleft())


def _answered(asked: Asked, future: Future) -> tuple[Asked, Any]:
    try:
        return asked, future.result()
    except UnreadableInputError as error:
        return asked, error
