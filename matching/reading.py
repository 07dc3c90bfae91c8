"""What is matched, as the warehouse holds it: songs of the dataset, tracks of playlists."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from ingestion.config import Settings
from ingestion.errors import LoadError
from ingestion.warehouse import Warehouse, open_warehouse
from matching import CREDITS_READ, SEARCH_RESULTS_READ, SONGS_READ, TRACKS_READ

SONGS = pa.schema(
    [
        ("msd_track_id", pa.string()),
        ("msd_artist_id", pa.string()),
        ("title", pa.string()),
        ("artist_name", pa.string()),
        ("release_name", pa.string()),
        ("release_year", pa.int32()),
        ("duration_seconds", pa.float64()),
    ]
)
TRACKS = pa.schema(
    [
        ("track_key", pa.string()),
        ("artist_key", pa.string()),
        ("spotify_track_id", pa.string()),
        ("isrc", pa.string()),
        ("title", pa.string()),
        ("artist_name", pa.string()),
        ("release_name", pa.string()),
        ("release_year", pa.int32()),
        ("duration_seconds", pa.float64()),
    ]
)
CREDITS = pa.schema([("spotify_track_id", pa.string()), ("artist_name", pa.string())])
FOUND = pa.schema([("msd_track_id", pa.string()), ("spotify_track_id", pa.string())])


@dataclass(frozen=True)
class Input:
    """What is matched, each table in the order of its columns, so that the order of reading does not matter.

    `songs` and `tracks` have a row for each; `credits` name all artists of tracks that Spotify knows,
    each once a track; `found` are the pairs that Spotify's search gave.
    """

    songs: pa.Table
    tracks: pa.Table
    credits: pa.Table
    found: pa.Table

    def digest(self) -> str:
        """What tells this input from any other, 32 hex digits."""
        digest = hashlib.blake2b(digest_size=16)
        for table in (self.songs, self.tracks, self.credits, self.found):
            sink = pa.PythonFile(_Sink(digest), mode="w")
            with pa.ipc.new_stream(sink, table.schema) as writer:
                writer.write_table(table)
        return digest.hexdigest()


class _Sink:
    """A file that digests what is written to it."""

    closed = False

    def __init__(self, digest) -> None:
        self._digest = digest

    def write(self, content) -> int:
        self._digest.update(content)
        return len(content)

    def flush(self) -> None:
        pass


def read_input(settings: Settings) -> Input:
    """All that is matched. Raises LoadError where dbt has not built it yet, or it cannot be reached."""
    if settings.target == "duckdb" and not settings.warehouse_path.exists():
        raise _not_built(SONGS_READ)
    with open_warehouse(settings, read_only=True) as warehouse:
        return Input(
            _rows(warehouse, SONGS_READ, SONGS),
            _rows(warehouse, TRACKS_READ, TRACKS),
            _rows(warehouse, CREDITS_READ, CREDITS, "where artist_name is not null"),
            _rows(warehouse, SEARCH_RESULTS_READ, FOUND),
        )


def _rows(warehouse: Warehouse, model: Sequence[str], schema: pa.Schema, condition: str = "") -> pa.Table:
    """The distinct rows of a model, sorted by all columns."""
    if not warehouse.has_table(*model):
        raise _not_built(model)
    query = f"select distinct {', '.join(schema.names)} from {'.'.join(model)} {condition}"
    table = pa.concat_tables(batch.cast(schema) for batch in warehouse.batches(query))
    return table.sort_by([(name, "ascending") for name in schema.names]).combine_chunks()


def _not_built(model: Sequence[str]) -> LoadError:
    return LoadError(f"there is no {'.'.join(model)} in the warehouse: run dbt build (or make run) first")
