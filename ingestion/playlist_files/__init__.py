"""Playlist files that people hold: MPD slices, Exportify CSV, Spotify account-data exports."""

from collections.abc import Sequence

from ingestion.inputs import InputFile
from ingestion.playlist_files.read import READER_VERSION, SUFFIXES, read_unit
from ingestion.playlist_files.tables import TABLES
from ingestion.source import Batches, FileSource, Folder, HashUser


def _read_unit(place: Folder, inputs: Sequence[InputFile], hash_user: HashUser) -> Batches:
    return read_unit(place.folder, inputs, hash_user)


PLAYLIST_FILES = FileSource(
    name="playlist_files",
    tables=TABLES,
    suffixes=SUFFIXES,
    reader_version=READER_VERSION,
    files_per_unit=100,
    counted_as="files",
    read_unit=_read_unit,
)
