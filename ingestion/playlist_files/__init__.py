"""Playlist files that people hold: MPD slices, Exportify CSV, Spotify account-data exports."""

from ingestion.playlist_files.read import READER_VERSION, SUFFIXES, read_unit
from ingestion.playlist_files.tables import TABLES
from ingestion.source import FileSource, of_folder

PLAYLIST_FILES = FileSource(
    name="playlist_files",
    tables=TABLES,
    suffixes=SUFFIXES,
    reader_version=READER_VERSION,
    files_per_unit=100,
    counted_as="files",
    read_unit=of_folder(read_unit),
)
