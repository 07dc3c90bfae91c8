"""Playlists on their way to batches: what a reader hands over, its snapshot ids, and the batches.

Readers of the three kinds produce a `Content` a file; `RowBuffer` turns them into batches of the
raw tables. Items are Arrow columns from the start and are never rows in Python: a slice has
70,000 of them, and that is where the reading time would go.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import accumulate, pairwise

import numpy as np
import orjson
import pyarrow as pa

from ingestion.inputs import UnreadableInputError
from ingestion.playlist_files.tables import PLAYLIST_OBSERVATIONS, PLAYLIST_TRACKS, PLAYLISTS
from ingestion.tables import RawTable

FLUSH_ITEMS = 50_000
"""Rows that are collected before a batch is given out: small files are put together up to here."""

MAX_BATCH_ROWS = 100_000
"""Rows of a batch at most: the items of a full slice (about 66,000) are one batch."""

KEY_COLUMNS = PLAYLIST_TRACKS.primary_key
ITEM_COLUMNS = {
    column.name: column.type for column in PLAYLIST_TRACKS.schema if column.name not in KEY_COLUMNS
}

Items = dict[str, pa.Array]
"""Columns of `playlist_tracks` by name, all of one length; a column that is not there is NULL."""


@dataclass(slots=True)
class Playlist:
    """One state of a playlist but for its items, every value already of its column's type."""

    playlist_id: str
    observed_at: datetime
    source_system: str
    terms_of_use: str
    item_count: int
    name: str | None = None
    is_name_of_file: bool = False
    description: str | None = None
    is_collaborative: bool | None = None
    follower_count: int | None = None
    edit_count: int | None = None
    declared_track_count: int | None = None
    modified_at: datetime | None = None

    def own_content(self) -> bytes:
        """What the source says of the playlist itself, as one text that is the same for the same content."""
        return orjson.dumps(
            [
                self.source_system,
                None if self.is_name_of_file else self.name,
                self.description,
                self.is_collaborative,
                self.follower_count,
                self.edit_count,
                self.declared_track_count,
                self.modified_at,
                self.item_count,
            ]
        )


@dataclass
class Content:
    """What one file, or one member of a zip, held: its kind, its playlists, and what could not be taken in.

    `items` are those of all playlists, one playlist's after the other's. `slice_name` is set for
    slices alone: all ids of a content begin with it, and are unique in it.
    """

    kind: str
    slice_name: str | None = None
    playlists: list[Playlist] = field(default_factory=list)
    items: Items = field(default_factory=dict)
    unreadable: list[tuple[str, UnreadableInputError]] = field(default_factory=list)

    def bounds(self) -> list[int]:
        """Where each playlist's items begin, and where the last one's end."""
        return list(accumulate((playlist.item_count for playlist in self.playlists), initial=0))

    def only(self, kept: list[int]) -> "Content":
        """The same with the playlists at these places alone."""
        if len(kept) == len(self.playlists):
            return self
        bounds = self.bounds()
        rows = pa.array(
            [row for place in kept for row in range(bounds[place], bounds[place + 1])], pa.int64()
        )
        return replace(
            self,
            playlists=[self.playlists[place] for place in kept],
            items={name: column.take(rows) for name, column in self.items.items()},
        )


def items_from_rows(rows: list[dict]) -> Items:
    """Item columns from rows (one mapping per item, absent keys are NULL)."""
    names = set().union(*rows)
    return {
        name: pa.array([row.get(name) for row in rows], type_)
        for name, type_ in ITEM_COLUMNS.items()
        if name in names
    }


def snapshot_ids(content: Content) -> list[str]:
    """32 hex digits per playlist that are the same for the same content, whichever file shows it and when.

    A column in which a playlist has no value counts as absent.
    """
    digests = [hashlib.blake2b(playlist.own_content(), digest_size=16) for playlist in content.playlists]
    ranges = list(pairwise(content.bounds()))
    for name in ITEM_COLUMNS:
        column = content.items.get(name)
        if column is None or column.null_count == len(column):
            continue
        label = name.encode()
        lengths, ends, data = _bytes_of(column)
        has_nulls = column.null_count > 0
        for digest, (start, end) in zip(digests, ranges, strict=True):
            if start == end or (has_nulls and lengths[start:end].max() < 0):
                continue
            digest.update(label)
            digest.update(lengths[start:end])
            digest.update(data[ends[start] : ends[end]])
    return [digest.hexdigest() for digest in digests]


def _bytes_of(column: pa.Array) -> tuple[np.ndarray, list[int], memoryview]:
    """A column as the length of each value (-1 for NULL), where each begins and ends, and their bytes."""
    text = column if pa.types.is_string(column.type) else column.cast(pa.int64()).cast(pa.string())
    filled = text.fill_null("") if text.null_count else text
    _, offsets, data = filled.buffers()
    ends = np.frombuffer(offsets, np.int32)[filled.offset : filled.offset + len(filled) + 1]
    lengths = np.diff(ends)
    if text.null_count:
        lengths[text.is_null().to_numpy(zero_copy_only=False)] = -1
    return lengths, ends.tolist(), memoryview(data or b"")


class RowBuffer:
    """Collects contents and gives them out as batches of the three playlist tables.

    Where repeats are to be expected, a state (playlist_id, snapshot_id) that came before adds an
    observation and nothing else. One file shows no playlist twice, and it may hold a million:
    then there is nothing to remember.
    """

    def __init__(self, expect_repeats: bool) -> None:
        self._expect_repeats = expect_repeats
        self._states: set[tuple[str, str]] = set()
        self._contents: list[Content] = []
        self._snapshot_ids: list[str] = []
        self._observations: list[tuple[str, str, datetime, str]] = []
        self._items = 0

    @property
    def is_full(self) -> bool:
        """Whether a batch is due; an observation counts as a row, so that empty playlists flush too."""
        return self._items + len(self._observations) >= FLUSH_ITEMS

    def add(self, content: Content, file_path: str) -> None:
        """Take in a content as `file_path` showed it."""
        kept: list[int] = []
        for place, (playlist, snapshot_id) in enumerate(
            zip(content.playlists, snapshot_ids(content), strict=True)
        ):
            state = (playlist.playlist_id, snapshot_id)
            self._observations.append((playlist.playlist_id, file_path, playlist.observed_at, snapshot_id))
            if self._expect_repeats:
                if state in self._states:
                    continue
                self._states.add(state)
            kept.append(place)
            self._snapshot_ids.append(snapshot_id)
            self._items += playlist.item_count
        self._contents.append(content.only(kept))

    def flush(self) -> Iterator[tuple[RawTable, pa.Table]]:
        """The batches of what was collected since the last flush, none where nothing was."""
        contents, ids, observations = self._contents, self._snapshot_ids, self._observations
        self._contents, self._snapshot_ids, self._observations, self._items = [], [], [], 0
        playlists = [playlist for content in contents for playlist in content.playlists]
        if playlists:
            yield from _batches(PLAYLISTS, _playlist_rows(playlists, ids))
            yield from _batches(PLAYLIST_TRACKS, _item_rows(contents, playlists, ids))
        if observations:
            yield from _batches(PLAYLIST_OBSERVATIONS, _observation_rows(observations))


def _batches(table: RawTable, rows: pa.Table) -> Iterator[tuple[RawTable, pa.Table]]:
    for start in range(0, rows.num_rows, MAX_BATCH_ROWS):
        yield table, rows.slice(start, MAX_BATCH_ROWS)


def _playlist_rows(playlists: list[Playlist], ids: list[str]) -> pa.Table:
    schema = PLAYLISTS.schema
    columns = [
        ids if column.name == "snapshot_id" else [getattr(playlist, column.name) for playlist in playlists]
        for column in schema
    ]
    return pa.table(
        [pa.array(values, column.type) for values, column in zip(columns, schema, strict=True)], schema=schema
    )


def _item_rows(contents: list[Content], playlists: list[Playlist], ids: list[str]) -> pa.Table:
    schema = PLAYLIST_TRACKS.schema
    counts = np.array([playlist.item_count for playlist in playlists], dtype=np.int64)
    playlist_of_item = pa.array(np.repeat(np.arange(len(playlists), dtype=np.int32), counts))
    position = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
    columns = {
        "playlist_id": pa.array([playlist.playlist_id for playlist in playlists], pa.string()).take(
            playlist_of_item
        ),
        "snapshot_id": pa.array(ids, pa.string()).take(playlist_of_item),
        "position": pa.array(position.astype(np.int32)),
    }
    lengths = [content.bounds()[-1] for content in contents]
    for name, type_ in ITEM_COLUMNS.items():
        parts = [
            content.items[name] if name in content.items else pa.nulls(length, type_)
            for content, length in zip(contents, lengths, strict=True)
        ]
        columns[name] = parts[0] if len(parts) == 1 else pa.concat_arrays(parts)
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
