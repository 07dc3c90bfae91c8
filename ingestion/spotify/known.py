"""What the lake holds of Spotify already, so that nothing is asked for twice.

An index in SQLite of a few key columns of the lake's parts. It is made from the lake alone and can be
lost: the next run reads the parts again. Units that other machines have written are taken in at each start;
where one was rewritten or is gone, the index is made anew: one row of it stands for rows of many units, and
to keep them apart would make it as large as their keys.

Beside it, and of this machine alone, stands when a playlist was last asked for in vain, and of which state
an app was not shown the items. That can be lost too.
"""

import sqlite3
from collections import defaultdict
from collections.abc import Container, Iterable, Iterator
from datetime import date
from itertools import chain
from pathlib import Path

from ingestion.lake import Lake, Part, revision_name
from ingestion.spotify.tables import (
    ARTISTS,
    AUDIO_FEATURES,
    PLAYLIST_OBSERVATIONS,
    PLAYLISTS,
    TRACK_SEARCHES,
    TRACKS,
)

SOURCE = "spotify"

NEVER = ""
"""In place of a day: never looked at, or named by something and never asked for itself. It sorts before
every day."""

_VERSION = 2
"""Goes up when the tables change: an index of another version is made anew."""

_SCHEMA = """
    create table if not exists revisions (name text primary key) without rowid;
    create table if not exists playlists (
        playlist_id text, snapshot_id text, has_items integer, primary key (playlist_id, snapshot_id)
    ) without rowid;
    create table if not exists observations (playlist_id text primary key, observed_on text) without rowid;
    create table if not exists artists (artist_id text primary key, observed_on text) without rowid;
    create table if not exists audio_features (track_id text primary key, observed_on text) without rowid;
    create table if not exists searches (
        msd_track_id text primary key, observed_on text, query text
    ) without rowid;
    create table if not exists failures (playlist_id text primary key, failed_on text) without rowid;
    create table if not exists hidden (
        playlist_id text primary key, snapshot_id text, access text
    ) without rowid;
"""

_OF_THE_LAKE = ("revisions", "playlists", "observations", "artists", "audio_features", "searches")

_UPSERT = (
    "insert into {table} values (?, ?) on conflict ({key}) "
    "do update set observed_on = max(observed_on, excluded.observed_on)"
)


class Known:
    """The index at `path` over the lake's finished units."""

    def __init__(self, path: Path, lake: Lake) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._index = sqlite3.connect(path, timeout=60)
        ((version,),) = self._index.execute("pragma user_version").fetchall()
        if version != _VERSION:
            for table in _OF_THE_LAKE:
                self._index.execute(f"drop table if exists {table}")
        self._index.executescript(f"{_SCHEMA} pragma user_version = {_VERSION};")
        self._lake = lake

    def close(self) -> None:
        """Close the index."""
        self._index.close()

    def refresh(self) -> None:
        """Take in the units that came since."""
        seen = {name for (name,) in self._index.execute("select name from revisions")}
        current = {
            revision_name(unit_id, revision): (unit_id, revision)
            for unit_id, revision in self._lake.current_revisions(SOURCE).items()
        }
        if seen - current.keys():
            with self._index:
                for table in _OF_THE_LAKE:
                    self._index.execute(f"delete from {table}")
            seen = set()
        for name in sorted(current.keys() - seen):
            with self._index:  # a unit as a whole or not at all
                parts = self._lake.done_record(SOURCE, *current[name]).parts
                # What searches found are candidates: nobody wants to know more about all of them.
                searches = [part for part in parts if part.table == TRACK_SEARCHES.name]
                for part in searches or parts:
                    self._take_in(part)
                self._index.execute("insert or ignore into revisions values (?)", (name,))

    def has_state(self, playlist_id: str, snapshot_id: str, with_items: bool = False) -> bool:
        """Whether this state of a playlist was read; if asked for, so that its items were shown."""
        return self._holds(
            "playlists where playlist_id = ? and snapshot_id = ? and has_items >= ?",
            playlist_id,
            snapshot_id,
            with_items,
        )

    def due(self, playlist_ids: Iterable[str], today: date) -> list[str]:
        """Those not looked at today, by the day they were last asked for, those never asked for first.

        Of one day, those that failed come last, and else they stay in their order. So a list longer than
        a day's requests is read to its end, and what failed waits for its next turn.
        """
        turns = defaultdict(list)
        for playlist_id in playlist_ids:
            observed_on = self._day("observed_on from observations", playlist_id)
            if observed_on < today.isoformat():
                failed_on = self._day("failed_on from failures", playlist_id)
                turns[max(observed_on, failed_on), failed_on > observed_on].append(playlist_id)
        return list(chain.from_iterable(turns[turn] for turn in sorted(turns)))

    def note_failure(self, playlist_id: str, on: date) -> None:
        """That a playlist was asked for on that day and could not be looked at."""
        with self._index:
            self._index.execute(
                "insert or replace into failures values (?, ?)", (playlist_id, on.isoformat())
            )

    def note_hidden(self, playlist_id: str, snapshot_id: str, access: str) -> None:
        """That with this kind of access the items of a state were not shown."""
        with self._index:
            self._index.execute(
                "insert or replace into hidden values (?, ?, ?)", (playlist_id, snapshot_id, access)
            )

    def is_hidden(self, playlist_id: str, snapshot_id: str, access: str) -> bool:
        """Whether the items of a state were not shown with this kind of access."""
        return self._holds(
            "hidden where playlist_id = ? and snapshot_id = ? and access = ?",
            playlist_id,
            snapshot_id,
            access,
        )

    def artists_to_ask_for(self, since: date) -> Iterator[str]:
        """Ids of artists that tracks or albums name and that were not asked for since that day."""
        return self._ids("artists where observed_on < ?", "artist_id", since.isoformat())

    def tracks_without_features(self) -> Iterator[str]:
        """Ids of tracks in playlists whose audio features were never asked for."""
        return self._ids("audio_features where observed_on = ?", "track_id", NEVER)

    def was_searched(self, msd_track_id: str, since: date, queries: Container[str]) -> bool:
        """Whether a song was searched for by one of these queries on that day or later."""
        row = self._index.execute(
            "select observed_on, query from searches where msd_track_id = ?", (msd_track_id,)
        ).fetchone()
        return row is not None and row[0] >= since.isoformat() and row[1] in queries

    def _ids(self, source: str, key: str, value: str) -> Iterator[str]:
        """Ids in order, read some at a time, so that the index can be written to meanwhile."""
        last = ""
        while True:
            rows = self._index.execute(
                f"select {key} from {source} and {key} > ? order by {key} limit 1000", (value, last)
            ).fetchall()
            if not rows:
                return
            yield from (id_ for (id_,) in rows)
            ((last,),) = rows[-1:]

    def _day(self, source: str, playlist_id: str) -> str:
        row = self._index.execute(f"select {source} where playlist_id = ?", (playlist_id,)).fetchone()
        return row[0] if row else NEVER

    def _holds(self, source: str, *values: str | bool) -> bool:
        return self._index.execute(f"select 1 from {source} limit 1", values).fetchone() is not None

    def _take_in(self, part: Part) -> None:
        if part.table == PLAYLISTS.name:
            statement = (
                "insert into playlists values (?, ?, ?) on conflict (playlist_id, snapshot_id) "
                "do update set has_items = max(has_items, excluded.has_items)"
            )
            rows = (
                (playlist_id, snapshot_id, item_count is not None)
                for playlist_id, snapshot_id, item_count in self._columns(
                    part, "playlist_id", "snapshot_id", "item_count"
                )
            )
        elif part.table == PLAYLIST_OBSERVATIONS.name:
            statement = _UPSERT.format(table="observations", key="playlist_id")
            rows = self._columns(part, "playlist_id", "observed_on")
        elif part.table == ARTISTS.name:
            statement = _UPSERT.format(table="artists", key="artist_id")
            rows = (
                (artist_id, day if is_full else NEVER)
                for artist_id, day, is_full in self._columns(part, "artist_id", "observed_on", "is_full")
            )
        elif part.table == AUDIO_FEATURES.name:
            statement = _UPSERT.format(table="audio_features", key="track_id")
            rows = self._columns(part, "track_id", "observed_at")
        elif part.table == TRACK_SEARCHES.name:
            statement = (
                "insert into searches values (?, ?, ?) on conflict (msd_track_id) "
                "do update set observed_on = excluded.observed_on, query = excluded.query "
                "where excluded.observed_on >= searches.observed_on"
            )
            rows = self._columns(part, "msd_track_id", "observed_on", "query")
        elif part.table == TRACKS.name:
            statement = _UPSERT.format(table="audio_features", key="track_id")
            rows = ((track_id, NEVER) for (track_id,) in self._columns(part, "track_id"))
        else:
            return
        self._index.executemany(statement, rows)

    def _columns(self, part: Part, *names: str) -> Iterator[tuple]:
        for batch in self._lake.read_columns(part, names):
            for row in zip(*(batch[name].to_pylist() for name in names), strict=True):
                yield tuple(value.isoformat() if isinstance(value, date) else value for value in row)
