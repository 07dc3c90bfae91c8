"""Which kind of place the songs lie in, told from how it is called."""

from pathlib import Path

from ingestion.config import LIST_MARK, OBJECT_SCHEME
from ingestion.msd.archive import ARCHIVE_SUFFIXES, Archive
from ingestion.msd.file_list import FileList
from ingestion.msd.objects import Prefix
from ingestion.msd.places import SUFFIXES, SongFolder, SongPlace


def song_place(location: Path | str) -> SongPlace | Archive:
    """Where the songs at `location` lie.

    `s3://bucket/prefix` is a bucket's, `@list` a list of files (`@-` the standard input), a name with an
    archive's ending an archive; all else a folder or a song file. Raises FileNotFoundError where an
    archive is not there.
    """
    text = str(location)
    if isinstance(location, str) and text.startswith(OBJECT_SCHEME):
        return Prefix(text)
    if isinstance(location, str) and text.startswith(LIST_MARK):
        return FileList.at(text.removeprefix(LIST_MARK))
    path = Path(location)
    if path.name.lower().endswith(ARCHIVE_SUFFIXES) and not path.is_dir():
        return Archive.at(path)
    return SongFolder(path, SUFFIXES)
