"""Playlists on their way into Arrow: what a reader hands over, its snapshot id, and the batches.

Readers of the three kinds produce `Playlist`s; `RowBuffer` turns them into batches of the raw tables.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import chain, repeat
from typing import Any

import numpy as np
import orjson
import pyarrow as pa

from ingestion.inputs import UnreadableInputError
from ingestion.playlist_files.tables import PLAYLIST_OBSERVATIONS, PLAYLIST_TRACKS, PLAYLISTS
from ingestion.tables import RawTable

FLUSH_ITEMS = 50_000
"""Item rows of a batch, about: large enough for Parquet, and some 30 MB of Python objects at most."""

KEY_COLUMNS = PLAYLIST_TRACKS.primary_key
ITEM_COLUMNS = tuple(name for name in PLAYLIST_TRACKS.schema.names if name not in KEY_COLUMNS)


@dataclass(slots=True)
class Playlist:
    """One state of a playlist, every value already of its column's type.

    `items` maps a column of `playlist_tracks` to its values in playlist order, each list
    `item_count` long; a column that is not there is NULL throughout.
    """

    playlist_id: str
    observed_at: datetime
    source_system: str
    terms_of_use: str
    item_count: int
    items: dict[str, list]
    name: str | None = None
    is_name_of_file: bool = False
    description: str | None = None
    is_collaborative: bool | None = None
    follower_count: int | None = None
    edit_count: int | None = None
    declared_track_count: int | None = None
    modified_at: datetime | None = None

    def snapshot_id(self) -> str:
        """32 hex digits that are the same for the same content, whichever file shows it and when."""
        columns: list[Any] = []
        for name in ITEM_COLUMNS:
            values = self.items.get(name)
            if values and values.count(None) < len(values):
                columns += name, values
        content = [
            self.source_system,
            None if self.is_name_of_file else self.name,
            self.description,
            self.is_collaborative,
            self.follower_count,
            self.edit_count,
            self.declared_track_count,
            self.modified_at,
            self.item_count,
            columns,
        ]
        return hashlib.blake2b(orjson.dumps(content), digest_size=16).hexdigest()


@dataclass
class Content:
    """What one file, or one member of a zip, held: its kind, its playlists, and what could not be taken in."""

    kind: str
    playlists: list[Playlist] = field(default_factory=list)
    unreadable: list[tuple[str, UnreadableInputError]] = field(default_factory=list)


class RowBuffer:
    """Collects playlists and gives them out as batches of the three playlist tables.

    A state (playlist_id, snapshot_id) that was seen before adds an observation and nothing else.
    """

    def __init__(self) -> None:
        self._states: set[tuple[str, str]] = set()
        self._playlists: list[Playlist] = []
        self._snapshot_ids: list[str] = []
        self._observations: list[tuple[str, str, datetime, str]] = []
        self._items = 0

    @property
    def is_full(self) -> bool:
        """Whether a batch is due; empty playlists count as one row, so that they flush too."""
        return self._items + len(self._observations) >= FLUSH_ITEMS

    def add(self, playlist: Playlist, file_path: str) -> None:
        """Take in one playlist as `file_path` showed it."""
        snapshot_id = playlist.snapshot_id()
        self._observations.append((playlist.playlist_id, file_path, playlist.observed_at, snapshot_id))
        state = (playlist.playlist_id, snapshot_id)
        if state in self._states:
            return
        self._states.add(state)
        self._playlists.append(playlist)
        self._snapshot_ids.append(snapshot_id)
        self._items += playlist.item_count

    def forget_states(self) -> None:
        """Drop the memory of states: in one file each is unique anyhow, and it may hold a million."""
        self._states.clear()

    def flush(self) -> Iterator[tuple[RawTable, pa.Table]]:
        """The batches of what was collected since the last flush, none where nothing was."""
        playlists, snapshot_ids, observations = self._playlists, self._snapshot_ids, self._observations
        self._playlists, self._snapshot_ids, self._observations, self._items = [], [], [], 0
        if playlists:
            yield PLAYLISTS, _playlist_rows(playlists, snapshot_ids)
        if any(playlist.item_count for playlist in playlists):
            yield PLAYLIST_TRACKS, _item_rows(playlists, snapshot_ids)
        if observations:
            yield PLAYLIST_OBSERVATIONS, _observation_rows(observations)


def _playlist_rows(playlists: list[Playlist], snapshot_ids: list[str]) -> pa.Table:
    schema = PLAYLISTS.schema
    return pa.table(
        [
            pa.array(
                snapshot_ids
                if column.name == "snapshot_id"
                else [getattr(playlist, column.name) for playlist in playlists],
                column.type,
            )
            for column in schema
        ],
        schema=schema,
    )


def _item_rows(playlists: list[Playlist], snapshot_ids: list[str]) -> pa.Table:
    schema = PLAYLIST_TRACKS.schema
    counts = np.array([playlist.item_count for playlist in playlists], dtype=np.int64)
    total = int(counts.sum())
    owner = pa.array(np.repeat(np.arange(len(playlists), dtype=np.int32), counts))
    position = np.arange(total) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = {
        "playlist_id": pa.array([playlist.playlist_id for playlist in playlists], pa.string()).take(owner),
        "snapshot_id": pa.array(snapshot_ids, pa.string()).take(owner),
        "position": pa.array(position.astype(np.int32)),
    }
    for name in ITEM_COLUMNS:
        type_ = schema.field(name).type
        if any(name in playlist.items for playlist in playlists):
            values = chain.from_iterable(
                playlist.items.get(name) or repeat(None, playlist.item_count) for playlist in playlists
            )
            columns[name] = pa.array(list(values), type_)
        else:
            columns[name] = pa.nulls(total, type_)
    return pa.table([columns[column.name] for column in schema], schema=schema)


def _observation_rows(observations: list[tuple[str, str, datetime, str]]) -> pa.Table:
    schema = PLAYLIST_OBSERVATIONS.schema
    playlist_ids, file_paths, observed, snapshot_ids = zip(*observations, strict=True)
    columns = {
        "playlist_id": playlist_ids,
        "observed_on": [moment.date() for moment in observed],
        "file_path": file_paths,
        "snapshot_id": snapshot_ids,
        "observed_at": observed,
    }
    return pa.table([pa.array(columns[column.name], column.type) for column in schema], schema=schema)
