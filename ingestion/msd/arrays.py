"""The arrays of songs (segments, beats, bars, sections, tatums) as Parquet in the lake: a row per song.

They are a source of their own, beside that of the songs: read when they are wanted, resumed and shared out
by themselves, and never loaded into the warehouse (docs/song-arrays.md says how to query them). Arrays about
the artist are not here: they are rows of raw tables.

Columns are lists, named as the dataset's getters name them; of `segments_pitches` and `segments_timbre` each
of the 12 columns is a list of its own, `segments_timbre_0` to `_11`.

Rows are never merged by key: a song whose file was read again has a row of each reading, and `extracted_at`
says which is the newest.
"""

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa

from ingestion.inputs import InputFile
from ingestion.msd.layout import ARRAYS
from ingestion.msd.locate import song_place
from ingestion.msd.places import SUFFIXES, UNREAD_REASONS, SongPlace
from ingestion.msd.read import SongsRead
from ingestion.msd.rows import as_text, read_contents
from ingestion.msd.songs import Ragged, Tier
from ingestion.source import Batches, FileSource, HashUser
from ingestion.tables import FILES, QUARANTINED_INPUTS, RawTable

READER_VERSION = 2

NAMES = tuple(name for name, array in ARRAYS.items() if array.group == "analysis")
"""The 17 arrays of the analysis."""

SONGS_PER_BATCH = 200
"""Songs collected until they are a batch, and a row group: 130 kB each."""

WHOLE_FILE = 1 << 20
"""Bytes asked for ahead where a file lies in a bucket: a genuine one has 184 to 370 kB."""


TIMES = tuple(f"{unit}_start" for unit in ("segments", "beats", "bars", "sections", "tatums"))
"""Seconds from the beginning of the song."""


def _columns(is_exact: bool) -> dict[str, pa.DataType]:
    """Type of each column's items: times are float64 in any case (docs/song-arrays.md)."""
    types = {}
    for name in NAMES:
        item = pa.float64() if is_exact or name in TIMES else pa.float32()
        count = ARRAYS[name].columns
        types |= {name if count == 1 else f"{name}_{column}": item for column in range(count)}
    return types


def _table(is_exact: bool) -> RawTable:
    types = _columns(is_exact)
    return RawTable(
        "song_arrays",
        pa.schema(
            [
                pa.field("track_id", pa.string(), nullable=False),
                *(pa.field(name, pa.list_(item)) for name, item in types.items()),
                pa.field("source_system", pa.string()),
                pa.field("terms_of_use", pa.string()),
                pa.field("extracted_at", pa.string(), nullable=False),
            ]
        ),
        primary_key=("track_id",),
        split_bytes=tuple(f"{name}.list.element" for name in types),
        is_partitioned=True,
    )


class _Batch:
    """Arrays of songs collected until they are worth a row group."""

    songs_wanted = SONGS_PER_BATCH

    def __init__(self, table: RawTable, extracted_at: str) -> None:
        self.songs = 0
        self._table, self._extracted_at = table, extracted_at
        self._track_ids: list[np.ndarray] = []
        self._arrays: dict[str, list[Ragged]] = {name: [] for name in NAMES}

    def add(self, read: SongsRead[InputFile], is_good: np.ndarray) -> None:
        """Take in the good ones of these songs; a summary file's have no arrays."""
        if read.songs.is_summary:
            return
        self._track_ids.append(read.songs.rows["track_id"][is_good])
        self.songs += int(is_good.sum())
        for name, parts in self._arrays.items():
            parts.append(read.songs.arrays[name].only(is_good))

    def tables(self) -> Batches:
        """The collected songs as an Arrow table."""
        if not self.songs:
            return
        columns = {"track_id": as_text(np.concatenate(self._track_ids))}
        for name, parts in self._arrays.items():
            ends = np.cumsum(np.concatenate([part.counts for part in parts]))
            offsets = pa.array(np.concatenate([[0], ends]), pa.int32())
            values = np.concatenate([part.values for part in parts])
            if values.ndim == 1:
                columns[name] = pa.ListArray.from_arrays(offsets, pa.array(values))
            else:
                for column in range(values.shape[1]):
                    items = pa.array(np.ascontiguousarray(values[:, column]))
                    columns[f"{name}_{column}"] = pa.ListArray.from_arrays(offsets, items)
        columns["source_system"] = pa.repeat("msd", self.songs)
        columns["terms_of_use"] = pa.repeat("msd_research", self.songs)
        columns["extracted_at"] = pa.repeat(self._extracted_at, self.songs)
        schema = self._table.schema
        yield self._table, pa.table(columns).select(schema.names).cast(schema, safe=False)


def _now() -> str:
    """The time, UTC, as text that sorts as times do: engines read Parquet's timestamps in different ways."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _source(name: str, is_exact: bool) -> FileSource:
    table = _table(is_exact)

    def read_unit(place: SongPlace, inputs: Sequence[InputFile], hash_user: HashUser) -> Batches:  # noqa: ARG001
        contents = place.contents(inputs, WHOLE_FILE)
        extracted_at = _now()
        yield from read_contents(place.root, contents, Tier.ARRAYS, lambda: _Batch(table, extracted_at))

    return FileSource(
        name=name,
        tables=(),
        lake_only_tables=(table, FILES, QUARANTINED_INPUTS),
        suffixes=SUFFIXES,
        find_place=song_place,
        reader_version=READER_VERSION,
        files_per_unit=500,
        counted_as="songs",
        read_unit=read_unit,
        may_crash=True,
        unread_reasons=UNREAD_REASONS,
    )


MSD_ARRAYS = _source("msd_arrays", is_exact=False)

MSD_ARRAYS_FLOAT64 = _source("msd_arrays_float64", is_exact=True)
"""The same without any rounding, in a folder of its own."""
