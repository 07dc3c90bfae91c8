"""The front door of the playlist-file readers: inputs of any kind in, batches of the raw tables out.

Opens files and zips, has each content recognised and read, and keeps the account of what was
read, what was passed over and what went to quarantine. Knows nothing of the formats themselves.
"""

import functools
import gc
import lzma
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import pyarrow as pa

from ingestion.inputs import InputFile, UnreadableInputError, accounting, file_row, quarantine_row
from ingestion.playlist_files.account_export import (
    USER_FILE,
    Names,
    UnpackedExports,
    account_label,
    natural_order,
    read_export,
    username,
)
from ingestion.playlist_files.exportify import read_csv
from ingestion.playlist_files.kinds import (
    ACCOUNT_EXPORT,
    MPD_SLICE,
    OTHER,
    ZIP_MAGIC,
    is_json,
    kind_of_document,
    parse_json,
    require_utf8,
    utf8,
)
from ingestion.playlist_files.mpd import read_slice
from ingestion.playlist_files.rows import Content, RowBuffer
from ingestion.playlist_files.users import HashUser, hash_references
from ingestion.tables import RawTable

SUFFIXES = (".json", ".csv", ".zip")
"""The file names to look for; what a file is, its content says."""

READER_VERSION = 1
"""Counted up whenever the same file would give other rows, so that it is read again."""

MAX_CONTENT_BYTES = 512 * 2**20
"""A larger file or zip member is refused. A genuine slice has 35 MB, parsed JSON takes about five
times its text, and a zip can promise any size."""

_ENCRYPTED = 0x1
_MACOS_FOLDER = "__MACOSX"
_UNSET_ZIP_YEAR = 1980

_BROKEN_ZIP = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    EOFError,
    OSError,
    RuntimeError,
    ValueError,
    LookupError,
)
"""What zipfile raises on damaged bytes; an unknown packing is a RuntimeError too."""
_BAD_CONTENT = (ArithmeticError, AttributeError, LookupError, RecursionError, TypeError, ValueError)


def read_unit(
    root: Path, inputs: Sequence[InputFile], hash_user: HashUser
) -> Iterator[tuple[RawTable, pa.Table]]:
    """Read `inputs` (below `root`) into batches of the raw tables, the account of the files last.

    `hash_user` turns a Spotify user id into its keyed hash (hexadecimal digits). Nothing is raised for
    what a file holds: what cannot be taken in is in `quarantined_inputs`. Within what one file
    gives, keys are unique; a state that several files of the unit show comes once.
    """
    unit = _Unit(root, functools.lru_cache(maxsize=65_536)(hash_user), several_files=len(inputs) > 1)
    for file in inputs:
        yield from unit.read(file)
    yield from unit.buffer.flush()
    yield from accounting(unit.files, unit.quarantined)


@dataclass(frozen=True)
class _Place:
    """Where a content lies: its path without suffix, when it was written, and whose export it belongs to.

    `account` gives the account label and the playlist names that came before, to be counted on.
    """

    path: PurePosixPath
    written_at: datetime
    account: Callable[[], tuple[str, Names]]


class _FileAccount:
    """What one input gave: its kind, how many playlists, and what of it could not be taken in."""

    def __init__(self) -> None:
        self.kind: str | None = None
        self.playlists = 0
        self.unreadable: dict[str, UnreadableInputError] = {}
        self._ids: set[str] = set()
        self._slices: set[str] = set()

    def reject(self, item: str, error: UnreadableInputError) -> None:
        """Note an unreadable item; a second one of the same name (zips allow that) gets a number."""
        name, number = item, 1
        while name in self.unreadable:
            number += 1
            name = f"{item} ({number})"
        self.unreadable[name] = error

    def take(self, member: str, content: Content) -> Content:
        """Count a content in; gives it back without the playlists whose id this file showed before."""
        if content.slice_name in self._slices:
            detail = f"slice {content.slice_name} came before in this file"
            self.reject(member, UnreadableInputError("duplicate_slice", detail))
            return content.only([])
        self.kind = self.kind or content.kind
        for item, error in content.unreadable:
            self.reject(_part(member, item), error)
        if content.slice_name is not None:
            # Within a slice ids are unique; to keep a million of them for a zip of slices is not needed.
            self._slices.add(content.slice_name)
        else:
            content = content.only([*self._first_seen(member, content)])
        self.playlists += len(content.playlists)
        return content

    def _first_seen(self, member: str, content: Content) -> Iterator[int]:
        for place, playlist in enumerate(content.playlists):
            if playlist.playlist_id in self._ids:
                detail = f"{playlist.playlist_id} came before in this file"
                self.reject(
                    _part(member, f"playlists[{place}]"), UnreadableInputError("duplicate_playlist", detail)
                )
            else:
                self._ids.add(playlist.playlist_id)
                yield place


def _part(member: str, item: str) -> str:
    """The name of a part of an input: of a zip's member, or of the file itself."""
    return f"{member}#{item}" if member else item


class _Unit:
    """The state of one unit: rows not yet given out, and the account of its files."""

    def __init__(self, root: Path, hash_user: HashUser, several_files: bool) -> None:
        self.root = root
        self.hash_user = hash_user
        self.exports = UnpackedExports(root, hash_user)
        self.buffer = RowBuffer(expect_repeats=several_files)
        self.files: list[dict] = []
        self.quarantined: list[dict] = []

    def read(self, file: InputFile) -> Iterator[tuple[RawTable, pa.Table]]:
        """Read one input; gives out batches as they fill."""
        account = _FileAccount()
        try:
            for member, content in self._contents(file, account):
                self.buffer.add(account.take(member, content), file.path)
                if self.buffer.is_full:
                    yield from self.buffer.flush()
        except UnreadableInputError as error:
            account.reject("", error)
        for item, error in account.unreadable.items():
            self.quarantined.append(quarantine_row(self.root, file, error, item))
        self.files.append(file_row(self.root, file, account.kind, account.playlists, len(account.unreadable)))

    def _contents(self, file: InputFile, account: _FileAccount) -> Iterator[tuple[str, Content]]:
        """What `file` holds: its content, or that of each zip member with the member's name."""
        path = self.root / file.path
        try:
            with path.open("rb") as opened:
                magic = opened.read(len(ZIP_MAGIC))
            if magic != ZIP_MAGIC:
                _refuse_large(path.stat().st_size)
                content = self._file_content(file, path.read_bytes())
        except OSError as error:
            raise UnreadableInputError("unreadable_file", error.strerror or type(error).__name__) from None
        if magic == ZIP_MAGIC:
            yield from self._zip_contents(path, file, account)
        else:
            yield "", content

    def _file_content(self, file: InputFile, data: bytes) -> Content:
        path = PurePosixPath(file.path)
        place = _Place(
            path.with_suffix(""),
            file.modified_at,
            lambda: (self.exports.account(path.parent), self.exports.names_before(path)),
        )
        content = self._read(data, place)
        if content is None and is_json(utf8(data)) and self.exports.is_export(path.parent):
            content = Content(OTHER)
        if content is None:
            raise UnreadableInputError("unknown_format", "none of the playlist files this reader knows")
        return content

    def _zip_contents(
        self, path: Path, file: InputFile, account: _FileAccount
    ) -> Iterator[tuple[str, Content]]:
        """The playlist files in a zip, in the order of their names; other members are passed over."""
        try:
            archive = zipfile.ZipFile(path)
        except _BROKEN_ZIP as error:
            raise UnreadableInputError("broken_zip", _type_of(error)) from None
        with archive:
            members = [member for member in archive.infolist() if _is_candidate(member)]
            members.sort(key=lambda member: (natural_order(member.filename), member.filename))
            if any(member.flag_bits & _ENCRYPTED for member in members):
                raise UnreadableInputError("encrypted_zip", "a password is needed to read it")
            exports = _ZippedExports(archive, str(PurePosixPath(file.path).with_suffix("")), self.hash_user)
            for member in members:
                try:
                    content = self._member_content(archive, member, file, exports)
                except UnreadableInputError as error:
                    account.reject(member.filename, error)
                else:
                    if content is not None:
                        yield member.filename, content
        if account.kind is None and not account.unreadable:
            raise UnreadableInputError("unknown_format", "no playlist file in the zip")

    def _member_content(
        self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, file: InputFile, exports: "_ZippedExports"
    ) -> Content | None:
        data = _member_bytes(archive, member)
        path = PurePosixPath(member.filename)
        place = _Place(
            PurePosixPath(file.path).with_suffix("") / path.with_suffix(""),
            _member_date(member) or file.modified_at,
            lambda: exports.account_and_names(path.parent),
        )
        content = self._read(data, place)
        if content is None and not is_json(utf8(data)):
            raise UnreadableInputError("unknown_format", "not the CSV of a playlist")
        return content

    def _read(self, data: bytes, place: _Place) -> Content | None:
        """The playlists in the bytes of a file or member; None where it is none of the known kinds."""
        data = hash_references(utf8(data), self.hash_user)
        with _no_collection():
            return self._read_utf8(data, place)

    def _read_utf8(self, data: bytes, place: _Place) -> Content | None:
        try:
            if not is_json(data):
                return read_csv(
                    require_utf8(data),
                    f"exportify:{place.path}",
                    place.path.name,
                    place.written_at,
                    self.hash_user,
                )
            document = parse_json(data)
            kind = kind_of_document(document)
            if kind == MPD_SLICE:
                return read_slice(document, place.path.name, place.written_at, self.hash_user)
            if kind == ACCOUNT_EXPORT:
                label, names = place.account()
                return read_export(document, label, names, place.written_at, self.hash_user)
            return None
        except _BAD_CONTENT as error:
            raise UnreadableInputError("unexpected_content", _type_of(error)) from error


class _ZippedExports:
    """Account and numbering of the exports in one zip."""

    def __init__(self, archive: zipfile.ZipFile, container: str, hash_user: HashUser) -> None:
        self._archive = archive
        self._container = container
        self._hash_user = hash_user
        self._names: dict[str, Names] = {}

    def account_and_names(self, folder: PurePosixPath) -> tuple[str, Names]:
        """The account label of the export in a folder of the zip, and the names counted so far."""
        user = None
        for member in self._archive.infolist():
            path = PurePosixPath(member.filename)
            if path.parent == folder and path.name.lower() == USER_FILE:
                try:
                    user = user or username(_member_bytes(self._archive, member))
                except UnreadableInputError:
                    continue
        label = account_label(user, self._container, self._hash_user)
        return label, self._names.setdefault(label, Names())


@contextmanager
def _no_collection() -> Iterator[None]:
    """No garbage collection meanwhile: a slice makes 70,000 objects and no cycles, and looking for
    some among them took a sixth of the reading time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _is_candidate(member: zipfile.ZipInfo) -> bool:
    """Whether a zip member may be a playlist file; hidden files are the archiver's, not the person's."""
    parts = PurePosixPath(member.filename).parts
    return (
        member.filename.lower().endswith(SUFFIXES)
        and not member.is_dir()
        and not any(part.startswith(".") or part == _MACOS_FOLDER for part in parts)
    )


def _member_bytes(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    """A member's bytes; raises UnreadableInputError `too_large`, `nested_zip` or `broken_zip`."""
    _refuse_large(member.file_size)
    try:
        # zipfile reads no more than the promised size and checks the sum, so the promise binds.
        data = archive.read(member)
    except _BROKEN_ZIP as error:
        raise UnreadableInputError("broken_zip", _type_of(error)) from None
    if data.startswith(ZIP_MAGIC):
        raise UnreadableInputError("nested_zip", "a zip in a zip is not opened: unpack the outer one")
    return data


def _type_of(error: Exception) -> str:
    """The name of an error's type: its text may quote the file."""
    return f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")


def _refuse_large(size_bytes: int) -> None:
    if size_bytes > MAX_CONTENT_BYTES:
        raise UnreadableInputError(
            "too_large", f"{size_bytes:,} bytes unpacked, at most {MAX_CONTENT_BYTES:,} are read at once"
        )


def _member_date(member: zipfile.ZipInfo) -> datetime | None:
    """When a member was last changed (zips know no time zone: read as UTC), None where it is not set."""
    try:
        moment = datetime(*member.date_time, tzinfo=UTC)
    except ValueError:
        return None
    return moment if moment.year > _UNSET_ZIP_YEAR else None
