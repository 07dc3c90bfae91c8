"""Side files of the Million Song Dataset that researchers join on: lists, labels, tags, play counts."""

from ingestion.reference_files.read import READER_VERSION, SUFFIXES, read_unit
from ingestion.reference_files.tables import LISTENS, TABLES
from ingestion.source import FileSource, of_folder

REFERENCE_FILES = FileSource(
    name="reference_files",
    tables=TABLES,
    lake_only_tables=(LISTENS,),
    suffixes=SUFFIXES,
    reader_version=READER_VERSION,
    files_per_unit=1,  # a renewed file makes no other file's rows look renewed
    counted_as="files",
    read_unit=of_folder(read_unit),
)
