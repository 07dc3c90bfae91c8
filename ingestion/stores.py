"""Where a lake's files lie: a local folder, or below a prefix of an S3 bucket.

A path is relative to the lake's root, with slashes. A file is there as a whole or not at all; one that is
read and is not there is a FileNotFoundError. What S3 refuses is a LakeError that says which permission it
takes and how to go on.
"""

import io
import shutil
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from boto3.exceptions import RetriesExceededError
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    IncompleteReadError,
    NoCredentialsError,
    PartialCredentialsError,
    ReadTimeoutError,
    ResponseStreamingError,
)
from pyarrow import fs

from ingestion.errors import ConfigError, LakeError
from ingestion.object_versions import (
    remove_all_below,
    remove_all_versions,
    remove_noncurrent_versions,
    s3_client,
)

ABANDONED_AFTER_SECONDS = 24 * 3600
"""Scratch of a killed extractor is removed once it is this old: longer than a unit takes to write."""

SCRATCH = ".writing"
"""Below a local lake's root: where units are written before their files are moved into place."""

ATTEMPTS = 5
"""Of one request, with pauses that double (botocore's standard mode): 7 seconds in the mean, 15 at most."""

TIMEOUT_SECONDS = 60
"""Without a byte from S3, after which a request is tried again: botocore's own default, for both ends."""

_CUT_SHORT = (IncompleteReadError, ReadTimeoutError, ResponseStreamingError)
"""What breaks an answer that had begun; botocore tries those again alone that had not."""

_NOT_THERE = ("404", "NoSuchKey")
_REFUSED_CREDENTIALS = (
    "ExpiredToken",
    "InvalidAccessKeyId",
    "InvalidToken",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
)
_ELSEWHERE = (
    "AuthorizationHeaderMalformed",
    "IllegalLocationConstraintException",
    "PermanentRedirect",
    "301",
)

_IS_SAFE = "Units that are finished stay as they are, and what was under way counts for nothing"


class Store(Protocol):
    """The files of a lake."""

    def read(self, path: str) -> bytes:
        """The bytes of a file."""

    def local(self, path: str) -> Any:
        """A context in which the file is there as a local one; gives its Path."""

    def ranges(self, path: str) -> Any:
        """A context with the file opened, for pyarrow to read parts of it."""

    def files_below(self, folder: str) -> dict[str, datetime]:
        """The files below a folder, and when each was last written to."""

    def has(self, path: str) -> bool:
        """Whether a file is there, asked by its name."""

    def put(self, file: Path, path: str) -> None:
        """Bring in a finished local file (it may be moved): readers see the whole of it or nothing."""

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files for good; those that are not there are passed over."""

    def remove_old_versions(self, folder: str) -> None:
        """Remove every version of the files below a folder but the current one, where versions are kept."""

    def scratch_dir(self) -> Path:
        """A new local folder to write files in that are to be put here."""


def store_at(url: str) -> Store:
    """The store at a folder's path, `file://...` or `s3://[key:secret@]bucket/prefix[?options]`.

    Raises ConfigError for other URLs.
    """
    scheme, separator, _ = url.partition("://")
    if not separator:
        return Folder(Path(url))
    if scheme == "file":
        return Folder(Path(unquote(urlsplit(url).path)))
    if scheme == "s3":
        with suppress(ValueError):
            return Bucket(url)
    raise ConfigError(f"WAREHOUSE_LAKE_URL cannot be read as a URL: {shown_url(url)}") from None


def shown_url(url: str) -> str:
    """A lake's URL as it may be shown: without the key, the secret and the options it can hold."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


class Folder:
    """A local folder as a `Store`."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def read(self, path: str) -> bytes:
        """The bytes of a file."""
        return (self._root / path).read_bytes()

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """The file itself."""
        yield self._root / path

    @contextmanager
    def ranges(self, path: str) -> Iterator[Any]:
        """The file, opened."""
        with fs.LocalFileSystem().open_input_file(str(self._root / path)) as file:
            yield file

    def files_below(self, folder: str) -> dict[str, datetime]:
        """The files below a folder, and when each was last written to."""
        selector = fs.FileSelector(str(self._root / folder), recursive=True, allow_not_found=True)
        return {
            Path(info.path).relative_to(self._root).as_posix(): info.mtime
            for info in fs.LocalFileSystem().get_file_info(selector)
            if info.is_file
        }

    def has(self, path: str) -> bool:
        """Whether a file is there."""
        return (self._root / path).is_file()

    def put(self, file: Path, path: str) -> None:
        """Move a finished file into its place."""
        place = self._root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        file.replace(place)

    def remove(self, paths: Iterable[str]) -> None:
        """Remove files; those that are not there are passed over."""
        for path in paths:
            (self._root / path).unlink(missing_ok=True)

    def remove_old_versions(self, folder: str) -> None:
        """Nothing: a folder keeps none."""

    def scratch_dir(self) -> Path:
        """In the lake itself, from where moving a file into place is a rename."""
        scratch = self._root / SCRATCH
        scratch.mkdir(parents=True, exist_ok=True)
        for left_behind in scratch.iterdir():
            with suppress(FileNotFoundError):  # another extractor has just finished with it
                if left_behind.stat().st_mtime < time.time() - ABANDONED_AFTER_SECONDS:
                    shutil.rmtree(left_behind, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=scratch))


class Bucket:
    """What lies in an S3 bucket below a prefix, as a `Store`.

    Through boto3: pyarrow's S3 gives up a small file at the first `503 Slow Down`, takes a missing bucket
    for an empty one, and knows no versions (docs/decisions/0017).
    """

    def __init__(self, url: str) -> None:
        """Raises ValueError for a URL that names no bucket."""
        parts = urlsplit(url)
        _ = parts.port  # a secret with a slash in it ends the host's name too early
        self.name, self._prefix = parts.netloc.rpartition("@")[2], parts.path.strip("/")
        if not self.name or "@" in parts.path:
            raise ValueError(url)
        self._client = s3_client(
            url,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
            connect_timeout=TIMEOUT_SECONDS,
            read_timeout=TIMEOUT_SECONDS,
        )

    def read(self, path: str) -> bytes:
        """The bytes of an object."""
        return self._get(path)

    @contextmanager
    def local(self, path: str) -> Iterator[Path]:
        """A copy of the object on disk, fetched in several requests where it is large."""
        with tempfile.NamedTemporaryFile(prefix="lake-part-") as file:
            with self._asking("s3:GetObject", path):
                self._client.download_fileobj(self.name, self._key(path), file)
            file.flush()
            yield Path(file.name)

    @contextmanager
    def ranges(self, path: str) -> Iterator[Any]:
        """The object, of which what is read is asked for."""
        with self._asking("s3:GetObject", path):
            size = self._client.head_object(Bucket=self.name, Key=self._key(path))["ContentLength"]
        with pa.PythonFile(_Ranges(lambda start, end: self._get(path, start, end), size), "r") as file:
            yield file

    def files_below(self, folder: str) -> dict[str, datetime]:
        """The objects below a folder, and when each was written."""
        found = {}
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=self.name, Prefix=f"{self._key(folder)}/"
        )
        with self._asking("s3:ListBucket", folder):
            for page in pages:
                for item in page.get("Contents", ()):
                    if not item["Key"].endswith("/"):
                        path = item["Key"].removeprefix(f"{self._prefix}/" if self._prefix else "")
                        found[path] = item["LastModified"]
        return found

    def has(self, path: str) -> bool:
        """Whether an object is there."""
        try:
            with self._asking("s3:GetObject", path):
                self._client.head_object(Bucket=self.name, Key=self._key(path))
        except FileNotFoundError:
            return False
        return True

    def put(self, file: Path, path: str) -> None:
        """Upload a file, in several parts side by side where it is larger than 8 MB."""
        with self._asking("s3:PutObject", path), file.open("rb") as content:
            self._client.upload_fileobj(content, self.name, self._key(path))

    def remove(self, paths: Iterable[str]) -> None:
        """Remove objects with every version of them; those that are not there are passed over."""
        keys = [self._key(path) for path in paths]
        if keys:
            with self._asking("s3:ListBucketVersions, s3:DeleteObject and s3:DeleteObjectVersion", ""):
                remove_all_versions(self._client, self.name, keys)

    def remove_all(self, folder: str) -> None:
        """Remove everything below a folder, with every version."""
        with self._asking("s3:ListBucketVersions, s3:DeleteObject and s3:DeleteObjectVersion", folder):
            remove_all_below(self._client, self.name, f"{self._key(folder)}/")

    def remove_old_versions(self, folder: str) -> None:
        """Remove every version below a folder but the current ones."""
        with self._asking("s3:ListBucketVersions and s3:DeleteObjectVersion", folder):
            remove_noncurrent_versions(self._client, self.name, f"{self._key(folder)}/")

    def scratch_dir(self) -> Path:
        """Where this machine keeps what lasts no longer than its use."""
        return Path(tempfile.mkdtemp(prefix="lake-unit-"))

    def _key(self, path: str) -> str:
        return "/".join(filter(None, (self._prefix, path)))

    def _get(self, path: str, start: int | None = None, end: int | None = None) -> bytes:
        wanted = {} if start is None else {"Range": f"bytes={start}-{end - 1}"}
        with self._asking("s3:GetObject", path):
            for _ in range(ATTEMPTS - 1):
                with suppress(*_CUT_SHORT):
                    return self._body(path, wanted)
            return self._body(path, wanted)

    def _body(self, path: str, wanted: dict[str, str]) -> bytes:
        return self._client.get_object(Bucket=self.name, Key=self._key(path), **wanted)["Body"].read()

    @contextmanager
    def _asking(self, permission: str, path: str) -> Iterator[None]:
        """Tell an operator what S3 said to a request that takes this permission."""
        try:
            yield
        except (ClientError, BotoCoreError, RetriesExceededError) as error:
            raise self._told(error, permission, path) from None  # its own text may quote a key

    def _told(self, error: Exception, permission: str, path: str) -> Exception:
        error = getattr(error, "last_exception", None) or error
        place = f"s3://{self.name}/{self._key(path)}".rstrip("/")
        answer = getattr(error, "response", {}).get("Error", {})
        code = answer.get("Code", "")
        if code in _NOT_THERE:
            return FileNotFoundError(f"{place} is not there")
        if code in ("AccessDenied", "403", "AllAccessDisabled"):
            return LakeError(
                f"{place}: access denied ({code}). It takes the permission {permission} for s3://{self.name}"
                f"{f'/{self._prefix}' if self._prefix else ''}. {_IS_SAFE}: grant it, and run the same again"
            )
        if code == "NoSuchBucket":
            return LakeError(
                f"{place}: there is no bucket {self.name}. Correct the variable that names it "
                "(WAREHOUSE_LAKE_URL, REDSHIFT_STAGING_URL), or make the bucket, and run the same again"
            )
        if code in _REFUSED_CREDENTIALS or isinstance(error, NoCredentialsError | PartialCredentialsError):
            return LakeError(
                f"{place}: S3 takes no such credentials ({code or 'none were found'}). Set AWS_PROFILE, or "
                f"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. {_IS_SAFE}"
            )
        if code in _ELSEWHERE:
            return LakeError(
                f"{place}: the bucket is in another region ({code}); set AWS_DEFAULT_REGION to it"
            )
        why = f"{code}: {answer.get('Message', '')}" if code else type(error).__name__
        return LakeError(
            f"{place}: no answer from S3 that can be used after {ATTEMPTS} attempts ({why}; it takes the "
            f"permission {permission}). {_IS_SAFE}: run the same again later, with fewer extractors side by "
            "side where S3 asked to slow down"
        )


class _Ranges(io.RawIOBase):
    """An object as a file that can be read anywhere, a request for each read."""

    def __init__(self, get: Callable[[int, int], bytes], size: int) -> None:
        super().__init__()
        self._get, self._size, self._place = get, size, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._place, io.SEEK_END: self._size}[whence]
        self._place = start + offset
        return self._place

    def read(self, size: int = -1) -> bytes:
        end = self._size if size < 0 else min(self._place + size, self._size)
        content = self._get(self._place, end) if self._place < end else b""
        self._place += len(content)
        return content
