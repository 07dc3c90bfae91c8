"""Which kind of place the songs lie in, told from how it is called."""

from pathlib import Path

from ingestion.config import LIST_MARK, OBJECT_SCHEME
from ingestion.errors import SourceError
from ingestion.msd.archive import Archive
from ingestion.msd.file_list import FileList
from ingestion.msd.folder import SongFolder
from ingestion.msd.objects import Prefix
from ingestion.msd.places import ARCHIVE_SUFFIXES, UNREAD_ARCHIVE, UNREAD_ARCHIVE_SUFFIXES, SongPlace


def song_place(location: Path | str) -> SongPlace | Archive:
    """Where the songs at `location` lie.

    `s3://bucket/prefix` is a bucket's, `@list` a list of files (`@-` the standard input), a name with an
    archive's ending an archive; all else a folder or a song file. Raises FileNotFoundError where an
    archive is not there, SourceError where it is of a kind that is not read.
    """
    text = str(location)
    if isinstance(location, str) and text.startswith(OBJECT_SCHEME):
        return Prefix(text)
    if isinstance(location, str) and text.startswith(LIST_MARK):
        return FileList.at(text.removeprefix(LIST_MARK))
    path = Path(location)
    if path.name.lower().endswith(ARCHIVE_SUFFIXES) and not path.is_dir():
        return Archive.at(path)
    if path.name.lower().endswith(UNREAD_ARCHIVE_SUFFIXES) and not path.is_dir():
        raise SourceError(UNREAD_ARCHIVE % path)
    return SongFolder(path)
