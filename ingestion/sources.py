"""The list of all sources, in the order in which they are extracted and loaded.

The last is made of what the others brought, as the warehouse holds it.
"""

from ingestion.computed import MATCHING
from ingestion.msd import MSD
from ingestion.playlist_files import PLAYLIST_FILES
from ingestion.reference_files import REFERENCE_FILES
from ingestion.source import FileSource, Source
from ingestion.spotify import SPOTIFY

FILE_SOURCES: tuple[FileSource, ...] = (MSD, PLAYLIST_FILES, REFERENCE_FILES)

SOURCES: tuple[Source, ...] = (*FILE_SOURCES, SPOTIFY, MATCHING)
