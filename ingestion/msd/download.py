"""Downloading the subset archive: resumed where it broke off, checked, and only then called by its name."""

import gzip
import hashlib
import logging
import zlib
from http import HTTPStatus
from pathlib import Path
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import HTTPError

from ingestion.errors import SourceError
from ingestion.progress import Progress

log = logging.getLogger(__name__)

CHUNK_BYTES = 64 * 1024
"""A connection that breaks off loses so much at most."""

TIMEOUT_SECONDS = 60
"""For a connection, and for the next bytes of one."""

PARTIAL, VALIDATOR = ".part", ".part.etag"
"""Endings of what has come so far, and of what tells whether the server still has the same file."""


def download(url: str, folder: Path, sha256: str | None = None) -> Path:
    """The file at `url`, in `folder`; returns its path.

    What an earlier attempt left is gone on with where the server says that its file is still the same. The
    file gets its name when it is there in full length, has the checksum if one is given, and, if it
    is gzipped, unpacks to its end. One that is there already is checked in the same way but for
    the length. Raises SourceError where it cannot be had or is not what it should be.
    """
    path = folder / (Path(urlsplit(url).path).name or "download")
    if path.exists():
        log.info("%s is there already: checking it", path)
        _check(path, sha256)
        return path
    folder.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + PARTIAL)
    while True:
        before = _size(part)
        try:
            _fetch(url, part)
            break
        except requests.RequestException as error:
            if _size(part) <= before:
                raise SourceError(f"{url} could not be downloaded: {error}; run again to go on") from None
            log.warning("%s broke off after %s bytes, going on: %s", url, f"{_size(part):,}", error)
    try:
        _check(part, sha256)
    except SourceError:
        _forget(part)  # going on with it would not mend it
        raise
    part.replace(path)
    _forget(part)
    return path


def _fetch(url: str, part: Path) -> None:
    validator = part.with_name(part.name.removesuffix(PARTIAL) + VALIDATOR)
    start = part.stat().st_size if part.exists() and validator.exists() else 0
    headers = {"Accept-Encoding": "identity"}  # the bytes as they are, to be counted
    if start:
        headers |= {"Range": f"bytes={start}-", "If-Range": validator.read_text()}
    with requests.get(url, headers=headers, stream=True, timeout=TIMEOUT_SECONDS) as answer:
        if answer.status_code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            total = _total(answer)
            if start == total:
                return
            _forget(part)
            raise SourceError(f"{url} is shorter than what came of it before: run again to start anew")
        answer.raise_for_status()
        is_rest = answer.status_code == HTTPStatus.PARTIAL_CONTENT
        start = start if is_rest else 0
        length = int(answer.headers["Content-Length"]) if "Content-Length" in answer.headers else None
        total = None if length is None else start + length
        unchanged = answer.headers.get("ETag", "")
        if not unchanged or unchanged.startswith("W/"):  # a weak one does not promise the same bytes
            unchanged = answer.headers.get("Last-Modified", "")
        if not is_rest:
            part.unlink(missing_ok=True)
            if unchanged:
                validator.write_text(unchanged)
            else:
                validator.unlink(missing_ok=True)
        _write(answer, part, start, total)
    size = part.stat().st_size
    if total is not None and size != total:
        raise SourceError(f"{url} broke off after {size:,} of {total:,} bytes: run again to go on")


def _write(answer: requests.Response, part: Path, start: int, total: int | None) -> None:
    name = f"download {part.name.removesuffix(PARTIAL)}"
    with part.open("ab") as file, Progress(name, total, "B", unit_scale=True) as progress:
        progress.skip(start)
        try:
            # Not `iter_content`: it would unpack what a server labels as a packed form of something else.
            for chunk in answer.raw.stream(CHUNK_BYTES, decode_content=False):
                file.write(chunk)
                progress.advance(len(chunk))
        except HTTPError as error:
            raise requests.ConnectionError(error) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _total(answer: requests.Response) -> int:
    """The length that the server says its file has: `bytes */<length>`."""
    length = answer.headers.get("Content-Range", "").rpartition("/")[2]
    return int(length) if length.isdigit() else -1


def _check(path: Path, sha256: str | None) -> None:
    if sha256:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        if digest != sha256.lower():
            raise SourceError(f"{path} has the SHA-256 {digest}, which is not the one given")
    with path.open("rb") as file:
        is_gzipped = file.read(2) == b"\x1f\x8b"
    if is_gzipped:
        try:
            with gzip.open(path) as file:
                while file.read(CHUNK_BYTES):
                    pass
        except (EOFError, OSError, zlib.error) as error:
            raise SourceError(f"{path} is damaged: {error}") from None
    elif path.name.removesuffix(PARTIAL).endswith(("gz", ".tgz")):
        raise SourceError(f"{path} is not gzipped: the address may have led to a page about it")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    part.with_name(part.name.removesuffix(PARTIAL) + VALIDATOR).unlink(missing_ok=True)
