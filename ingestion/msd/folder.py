"""Song files in a local folder, and the archives among them."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.inputs import InputFile, UnreadableInputError, list_inputs
from ingestion.msd.archive import Archive
from ingestion.msd.content import FIRST_BYTES, LocalFile
from ingestion.msd.places import (
    ARCHIVE_SUFFIXES,
    SUFFIXES,
    UNREAD_ARCHIVE,
    UNREAD_ARCHIVE_SUFFIXES,
    Contents,
    refuse_unread_archive,
)
from ingestion.source import Folder

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class SongFolder(Folder):
    """A local folder of song files and of archives of such, or one song file."""

    suffixes: tuple[str, ...] = SUFFIXES
    streams: list[Archive] = field(default_factory=list)

    def files(self) -> Iterator[InputFile]:
        """Every song file, by path. Raises FileNotFoundError where there is none and no archive."""
        self.streams.clear()
        is_empty, unread = True, []
        for file in list_inputs(self.path, SUFFIXES + ARCHIVE_SUFFIXES + UNREAD_ARCHIVE_SUFFIXES):
            if file.path.lower().endswith(UNREAD_ARCHIVE_SUFFIXES):
                unread.append(file.path)
                log.warning(UNREAD_ARCHIVE, self.folder / file.path)
                continue
            is_empty = False
            archive = self._archive(file)
            if archive:
                self.streams.append(archive)
            else:
                yield file
        if is_empty:
            also = f"; no kind of archive that is read: {', '.join(unread)}" if unread else ""
            raise FileNotFoundError(f"no {' or '.join(SUFFIXES)} file at or below {self.path}{also}")

    def contents(self, files: Sequence[InputFile], wanted_bytes: int = FIRST_BYTES) -> Contents:  # noqa: ARG002
        """These files, opened one by one."""
        return open_files(self.folder, files)

    def _archive(self, file: InputFile) -> Archive | None:
        """The archive that a file is, if it is one that can be looked at."""
        if not file.path.lower().endswith(ARCHIVE_SUFFIXES):
            return None
        try:
            return Archive.at(self.folder / file.path)
        except OSError:
            return None


def open_files(folder: Path, files: Iterable[InputFile]) -> Contents:
    """Local files, one open at a time."""
    for file in files:
        try:
            refuse_unread_archive(file.path)
            content = LocalFile(folder / file.path)
        except UnreadableInputError as error:
            yield file, error
            continue
        with content:
            yield file, content
