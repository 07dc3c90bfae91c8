"""Plays and listeners per song, of listens that come in batches: memory holds the songs, not the listens."""

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

SPILL_MEGABYTES = 500
"""What counting pairs may take of memory; the rest goes to disk."""


class SongPlays:
    """Totals per song, of a file in which each listener's listens stand together and name a song once.

    Then a song has as many listeners as lines. Both are checked as the listens come, at 8 bytes a
    listener: where `is_exact` is false the totals are not to be used, and `totals_of_pairs` is.
    """

    def __init__(self) -> None:
        self.is_exact = True
        self._open: pa.Table | None = None
        self._listeners: list[np.ndarray] = []
        self._totals: list[pa.Table] = []
        self._kept = 0

    def add(self, listens: pa.Table) -> None:
        """Take in some listens (columns of LISTENS), in the file's order."""
        totals = listens.group_by("song_id").aggregate([("play_count", "sum"), ("listener_id", "count")])
        self._totals.append(totals)
        self._kept += totals.num_rows
        if self._kept > KEPT_ROWS:
            self._totals = [self._added_up()]
            self._kept = self._totals[0].num_rows
        if self.is_exact:
            self._check(listens)

    def totals(self, file_path: str, **constants: str) -> pa.Table:
        """The rows of SONG_PLAYS, once all listens were added; sets `is_exact`."""
        if self.is_exact and self._open is not None:
            self._check_whole_listeners(self._open)
        if self.is_exact and self._listeners:
            listeners = np.sort(np.concatenate(self._listeners))
            self.is_exact = not (listeners[1:] == listeners[:-1]).any()
        return song_plays(self._added_up(), file_path, **constants)

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
        # The first 64 bits of a SHA-1: two listeners that share them only make the counting slower.
        self._listeners.append(np.array([int(id_[:16], 16) for id_ in ids], np.uint64))
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


def totals_of_pairs(listens: Iterable[pa.Table], file_path: str, **constants: str) -> pa.Table:
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
    return song_plays(totals, file_path, **constants)


def song_plays(totals: pa.Table, file_path: str, **constants: str) -> pa.Table:
    """Totals (song, plays, listeners) as rows of SONG_PLAYS, by song."""
    totals = totals.rename_columns(["song_id", "play_count", "listener_count"]).sort_by("song_id")
    for name, value in {"file_path": file_path, **constants}.items():
        totals = totals.append_column(name, pa.repeat(pa.scalar(value, pa.string()), totals.num_rows))
    return totals.select(SONG_PLAYS.schema.names).cast(SONG_PLAYS.schema)
