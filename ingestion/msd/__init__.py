"""The Million Song Dataset: song files in its own HDF5 form."""

from ingestion.msd.locate import song_place
from ingestion.msd.places import SUFFIXES, UNREAD_REASONS
from ingestion.msd.rows import READER_VERSION, read_unit
from ingestion.msd.tables import TABLES
from ingestion.source import FileSource

MSD = FileSource(
    name="msd",
    tables=TABLES,
    suffixes=SUFFIXES,
    find_place=song_place,
    reader_version=READER_VERSION,
    files_per_unit=500,
    counted_as="songs",
    read_unit=read_unit,
    may_crash=True,  # the HDF5 library can abort on a damaged file
    unread_reasons=UNREAD_REASONS,
)
