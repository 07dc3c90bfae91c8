"""Made rows of the raw MSD tables, as many as wanted, by whole columns. Deterministic."""

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from ingestion.msd.tables import ARTIST_TERMS, SONGS
from ingestion.tables import RawTable

SONGS_PER_BATCH = 10_000
"""As many as the MSD reader gives out at once, hence the rows of a Parquet row group."""

_DISTINCT = {"year": 90, "key": 12, "mode": 2, "time_signature": 8, "artist_7digitalid": 40_000}
_SHARED_TEXTS = {"genre": 1, "analyzer_version": 1, "source_system": 1, "terms_of_use": 1}
_TERMS = 7_600
"""Terms in the dataset."""


def song_batches(
    unit: int, songs: int, terms_per_song: int, edition: int = 0
) -> Iterator[tuple[RawTable, pa.Table]]:
    """The rows of one unit: `songs` songs and `terms_per_song` terms of each.

    Keys depend on the unit alone, values on the `edition` too: another edition of a unit replaces
    every row. Like genuine ids, keys come in no order.
    """
    keys = np.random.default_rng([unit]).integers(0, 2**63, songs)
    rng = np.random.default_rng([unit, edition])
    for start in range(0, songs, SONGS_PER_BATCH):
        track_ids = np.array([f"TR{key:016X}" for key in keys[start : start + SONGS_PER_BATCH].tolist()])
        yield SONGS, _songs(track_ids, rng)
        yield ARTIST_TERMS, _terms(track_ids, terms_per_song, rng)


def _songs(track_ids: np.ndarray, rng: np.random.Generator) -> pa.Table:
    columns = {"track_id": pa.array(track_ids), "is_summary": pa.repeat(False, len(track_ids))}
    for column in SONGS.schema:
        if column.name not in columns:
            columns[column.name] = _values(column, len(track_ids), rng)
    return pa.table(columns, schema=SONGS.schema)


def _values(column: pa.Field, rows: int, rng: np.random.Generator) -> pa.Array:
    if pa.types.is_floating(column.type):
        values = rng.random(rows)
        return pa.array(values, mask=values < 0.2)
    if pa.types.is_integer(column.type):
        return pa.array(rng.integers(0, _DISTINCT.get(column.name, 10**6), rows).astype(np.int32))
    numbers = rng.integers(0, _SHARED_TEXTS.get(column.name, 10**6), rows).tolist()
    return pa.array([f"{column.name} {number:06}" for number in numbers])


def _terms(track_ids: np.ndarray, per_song: int, rng: np.random.Generator) -> pa.Table:
    rows = len(track_ids) * per_song
    return pa.table(
        {
            "track_id": pa.array(np.repeat(track_ids, per_song)),
            "position": pa.array(np.tile(np.arange(per_song, dtype=np.int32), len(track_ids))),
            "term": pa.array([f"term {number}" for number in rng.integers(0, _TERMS, rows).tolist()]),
            "weight": pa.array(rng.random(rows)),
            "frequency": pa.array(rng.random(rows)),
        },
        schema=ARTIST_TERMS.schema,
    )
