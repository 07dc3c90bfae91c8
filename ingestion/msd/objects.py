"""Song files in a bucket: of most, only the beginning is asked for, of several at a time.

Threads wait for answers here, so that the reader need not; reading itself is shared among processes. What S3
says of one object alone sends that object to quarantine; what would befall every other one too
ends the run, and the rest stays to be read.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from ingestion.config import OBJECT_SCHEME as SCHEME
from ingestion.errors import SourceError
from ingestion.inputs import InputFile, UnreadableInputError, is_hidden
from ingestion.lake import shown_url
from ingestion.msd.content import FIRST_BYTES
from ingestion.msd.fixed_offsets import has_tags
from ingestion.msd.places import SUFFIXES, Contents
from ingestion.object_versions import s3_client

Asked, Answer = TypeVar("Asked"), TypeVar("Answer")

IN_FLIGHT = 32
"""Objects asked for at a time per process: with requests of 20 ms each, some thousand songs a second."""

LAST_BYTES = 16 * 1024
"""Asked for besides where a song has MusicBrainz tags, which lie in the last 4.4 kB: a reader that had to ask
for them itself would wait for each answer. Two of the five genuine songs at hand have some."""

ATTEMPTS = 5
"""Of a request that fails in passing, with growing pauses (botocore's standard mode)."""

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
                raise UnreadableInputError(_ABOUT_ONE_OBJECT[code], str(error)) from error
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


@dataclass(frozen=True)
class Prefix:
    """What lies in a bucket below a prefix, or one object.

    `url` is `s3://bucket/prefix`, with key, secret and options as a lake's URL can have them.
    """

    url: str

    @property
    def bucket(self) -> str:
        """The bucket."""
        return urlsplit(self.url).netloc.rpartition("@")[2]

    @property
    def prefix(self) -> str:
        """What paths are relative to: '' or a key up to a slash."""
        path = urlsplit(self.url).path.strip("/")
        if path.lower().endswith(SUFFIXES):
            path = path.rpartition("/")[0]
        return f"{path}/" if path else ""

    @property
    def root(self) -> str:
        """The prefix as rows name it."""
        return f"{SCHEME}{self.bucket}/{self.prefix}".rstrip("/")

    def files(self) -> Iterator[InputFile]:
        """Every song file below the prefix, by key.

        Raises FileNotFoundError where there is none, SourceError where the bucket cannot be listed.
        """
        path = urlsplit(self.url).path.strip("/")
        asked = path if path.lower().endswith(SUFFIXES) else self.prefix
        is_empty = True
        for found in store_at(self.url).listed(self.bucket, asked):
            name = found["Key"].removeprefix(self.prefix)
            if name.lower().endswith(SUFFIXES) and not is_hidden(name):
                is_empty = False
                yield object_file(name, found["Size"], found)
        if is_empty:
            raise FileNotFoundError(f"no {' or '.join(SUFFIXES)} object below {shown_url(self.url)}")

    def contents(self, files: Sequence[InputFile], wanted_bytes: int = FIRST_BYTES) -> Contents:
        """These objects, in their order; `wanted_bytes` of each are asked for ahead."""
        store, bucket, prefix = store_at(self.url), self.bucket, self.prefix
        return asked_ahead(
            files, lambda file: S3Object(store, bucket, f"{prefix}{file.path}", file, wanted_bytes)
        )


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
