"""Plays and listeners per song, of listens that come in batches: memory holds the songs, not the listens.

Each file's totals carry two digests, by which staging finds copies among files: a copy in another
packing or order has the same content, and a copy that was cut begins as its original does.
"""

import hashlib
import tempfile
from collections.abc import Iterable
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from ingestion.reference_files.tables import SONG_PLAYS

KEPT_ROWS = 1_000_000
"""Rows of partial totals that are kept before they are added up: 385,000 songs are in the whole file."""

MAX_OPEN_ROWS = 1_000_000
"""Listens of one listener that are waited for; the busiest has 4,400. With more the file is not grouped."""

DIGEST_BYTES = 16
"""Of a digest: files that only seem to be copies are then not to be expected."""

COUNTS = pa.schema([("play_count", pa.int64()), ("listener_count", pa.int64())])

BATCH_ROWS = 65_536
"""Listeners turned into numbers at a time."""

SPILL_MEGABYTES = 500
"""What counting pairs may take of memory; the rest goes to disk."""


class SongPlays:
    """Totals per song, of a file in which each listener's listens stand together and name a song once.

    Then a song has as many listeners as lines. Both are checked as the listens come, at 8 bytes a
    listener: where `is_exact` is false the totals are not to be used, and `totals_of_pairs` is.
    """

    def __init__(self) -> None:
        self.is_exact = True
        self.first_listen_digest = ""
        self._open: pa.Table | None = None
        self._listeners: list[np.ndarray] = []
        self._totals: list[pa.Table] = []
        self._kept = 0

    def add(self, listens: pa.Table) -> None:
        """Take in some listens (columns of LISTENS), in the file's order."""
        if not self.first_listen_digest and listens.num_rows:
            first = listens.slice(length=1).to_pylist()[0]
            self.first_listen_digest = _digest(first["listener_id"].encode(), first["song_id"].encode())
        totals = listens.group_by("song_id").aggregate([("play_count", "sum"), ("listener_id", "count")])
        self._totals.append(totals)
        self._kept += totals.num_rows
        if self._kept > KEPT_ROWS:
            self._totals = [self._added_up()]
            self._kept = self._totals[0].num_rows
        if self.is_exact:
            self._check(listens)

    def totals(self, **constants: str) -> pa.Table:
        """The rows of SONG_PLAYS, once all listens were added; sets `is_exact`."""
        if self.is_exact and self._open is not None:
            self._check_whole_listeners(self._open)
        listeners = np.sort(np.concatenate([*self._listeners, np.array([], np.uint64)]))
        self.is_exact = self.is_exact and not (listeners[1:] == listeners[:-1]).any()
        return _song_plays(self._added_up(), listeners, self.first_listen_digest, **constants)

    def _added_up(self) -> pa.Table:
        if not self._totals:
            return pa.table({"song_id": pa.array([], pa.string()), "play_count": [], "listener_count": []})
        parts = pa.concat_tables(
            table.rename_columns(["song_id", "play_count", "listener_count"]) for table in self._totals
        )
        return parts.group_by("song_id").aggregate([("play_count", "sum"), ("listener_count", "sum")])

    def _check(self, listens: pa.Table) -> None:
        """Check all listeners but the last, whose listens may go on in the next batch."""
        if self._open is not None:
            listens = pa.concat_tables([self._open, listens]).combine_chunks()
        if not listens.num_rows:
            return
        starts = _starts(listens)
        self._open = listens.slice(starts[-1])
        self._check_whole_listeners(listens.slice(length=starts[-1]))
        self.is_exact = self.is_exact and self._open.num_rows <= MAX_OPEN_ROWS

    def _check_whole_listeners(self, listens: pa.Table) -> None:
        if not listens.num_rows:
            return
        starts = _starts(listens)
        ids = listens["listener_id"].take(pa.array(starts)).to_pylist()
        self._listeners.append(_short(ids))
        lengths = np.diff(np.append(starts, listens.num_rows))
        songs = listens["song_id"].combine_chunks().dictionary_encode()
        pairs = np.repeat(np.arange(len(starts)), lengths) * len(songs.dictionary) + songs.indices.to_numpy()
        pairs.sort()
        self.is_exact = not (pairs[1:] == pairs[:-1]).any()


def _starts(listens: pa.Table) -> np.ndarray:
    """Where each run of one listener's listens begins."""
    listeners = listens["listener_id"].combine_chunks()
    differs = pc.not_equal(listeners.slice(1), listeners.slice(0, len(listeners) - 1))
    return np.flatnonzero(np.append(True, differs.to_numpy(zero_copy_only=False)))


def _short(listener_ids: list[str]) -> np.ndarray:
    """The first 64 bits of each SHA-1: two listeners that share them only make the counting slower."""
    return np.array([int(id_[:16], 16) for id_ in listener_ids], np.uint64)


def totals_of_pairs(listens: Iterable[pa.Table], first_listen_digest: str, **constants: str) -> pa.Table:
    """The rows of SONG_PLAYS for listens in any order: pairs named twice are one, and their plays add up.

    Counts on disk, several times slower than `SongPlays`.
    """
    with tempfile.TemporaryDirectory(prefix="listens-") as folder:
        path = str(Path(folder, "listens.duckdb"))
        config = {"memory_limit": f"{SPILL_MEGABYTES}MB", "preserve_insertion_order": False}
        with duckdb.connect(path, config=config) as connection:
            connection.execute(
                "create table listens (listener_id varchar, song_id varchar, play_count bigint)"
            )
            for batch in listens:
                connection.register("batch", batch)
                connection.execute("insert into listens select * from batch")
                connection.unregister("batch")
            totals = connection.sql(
                "select song_id, sum(play_count) as play_count, count(*) as listener_count from ("
                "select listener_id, song_id, sum(play_count) as play_count from listens group by all"
                ") group by song_id"
            ).to_arrow_table()
            ids = connection.sql("select distinct left(listener_id, 16) as listener_id from listens")
            listeners = [
                _short(batch["listener_id"].to_pylist()) for batch in ids.to_arrow_reader(BATCH_ROWS)
            ]
    sorted_listeners = np.sort(np.concatenate(listeners))
    return _song_plays(totals, sorted_listeners, first_listen_digest, **constants)


def _song_plays(
    totals: pa.Table, listeners: np.ndarray, first_listen_digest: str, **constants: str
) -> pa.Table:
    """Totals (song, plays, listeners) and sorted listeners as rows of SONG_PLAYS, by song."""
    totals = totals.rename_columns(["song_id", "play_count", "listener_count"]).sort_by("song_id")
    counts = totals.select(["play_count", "listener_count"]).cast(COUNTS)
    constants |= {
        "content_digest": _digest(
            "\n".join(totals["song_id"].to_pylist()).encode(),
            *(column.to_numpy().tobytes() for column in counts.columns),
            listeners.tobytes(),
        ),
        "first_listen_digest": first_listen_digest,
    }
    for name, value in constants.items():
        totals = totals.append_column(name, pa.repeat(pa.scalar(value, pa.string()), totals.num_rows))
    return totals.select(SONG_PLAYS.schema.names).cast(SONG_PLAYS.schema)


def _digest(*parts: bytes) -> str:
    digest = hashlib.blake2b(digest_size=DIGEST_BYTES)
    for part in parts:
        digest.update(part)
    return digest.hexdigest()
