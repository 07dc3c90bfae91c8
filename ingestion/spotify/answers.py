"""From kept answers to rows: the one way, whether an answer has just come or lies in the archive."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

from ingestion.inputs import UnreadableInputError
from ingestion.spotify import parse
from ingestion.spotify.journal import COMPLETE, Entry, without_user
from ingestion.spotify.parse import PlaylistHead, Rows
from ingestion.tables import QUARANTINED_INPUTS

HashUser = Callable[[str], str]

PLAYLIST, PAGE = "playlist", "page"
SEEN, GONE = "seen", "gone"
"""A playlist looked at and not read (its state is known, or cannot be had), and one that was not there."""

BEGINNINGS = frozenset({PLAYLIST, SEEN})
"""Kinds that begin a playlist anew: what was read of it before was given up."""

MOST_ITEMS = 100_000
"""No page begins beyond: playlists hold 10,000 items, and a few older ones somewhat more."""

OWN_PLAYLISTS = "own_playlists"
ARTIST, ARTISTS, AUDIO_FEATURES = "artist", "artists", "audio_features"
SEARCH = "search"


def rows_of(entries: Iterable[Entry], hash_user: HashUser) -> Rows:
    """The rows of complete subjects' entries. An answer that is none of what was asked for is quarantined."""
    maker = _RowMaker(hash_user)
    for entry in entries:
        try:
            maker.take(entry)
        except UnreadableInputError as error:
            maker.quarantine(entry, error)
    maker.add_unavailable_fields()
    return maker.rows


class _RowMaker:
    def __init__(self, hash_user: HashUser) -> None:
        self.rows = Rows()
        self._hash_user = hash_user
        self._heads: dict[str, tuple[PlaylistHead, Entry]] = {}
        self._positions: dict[str, int] = {}
        self._counts: dict[str, int] = {}
        self._searches: dict[str, tuple[str, list, Entry]] = {}
        self._missing: dict[tuple[str, datetime], set[str]] = {}

    def take(self, entry: Entry) -> None:
        at = entry.received_at
        if entry.kind == OWN_PLAYLISTS:
            for listed in parse.page(entry.answer).entries:
                try:
                    head = parse.playlist_head(listed, self._hash_user)
                except UnreadableInputError as error:
                    self.quarantine(entry, error, parse.object_id(listed, "playlist") or "")
                    continue
                parse.add_observation(
                    self.rows, head.playlist_id, at, seen_in="list", snapshot_id=head.snapshot_id
                )
        elif entry.kind in (PLAYLIST, SEEN):
            self._take_head(entry)
        elif entry.kind == PAGE and entry.subject in self._heads:
            self._take_items(entry.subject, parse.page(entry.answer), entry)
        elif entry.kind == GONE:
            kind, _, id_ = entry.subject.partition(":")
            if kind == PLAYLIST:
                parse.add_observation(self.rows, id_, at, seen_in="playlist", snapshot_id=None)
            elif kind == ARTIST:  # asked for: not to be asked for again soon
                parse.add_artists(self.rows, [{"id": id_, "type": "artist"}], at)
            elif kind == SEARCH:
                self._searches[entry.subject] = "refused", [], entry
        elif entry.kind == COMPLETE:
            self._finish(entry.subject)
        elif entry.kind in (ARTIST, ARTISTS):
            self._take_artists(entry)
        elif entry.kind == SEARCH:
            self._take_search(entry)
        elif entry.kind == AUDIO_FEATURES:
            parse.add_audio_features(self.rows, _listed(entry), at, asked=_asked(entry))

    def add_unavailable_fields(self) -> None:
        """Rows for the fields that no object of a type carried on a day."""
        for (object_type, at), fields in self._missing.items():
            parse.add_unavailable_fields(self.rows, object_type, fields, at)

    def quarantine(self, entry: Entry, error: UnreadableInputError, item: str = "") -> None:
        self.rows.put(
            QUARANTINED_INPUTS,
            {
                "source_root": "spotify",
                "file_path": without_user(entry.url),
                "item": item,
                "size_bytes": len(entry.body),
                "reason": error.reason,
                "detail": error.detail[:1000],
            },
        )

    def _take_head(self, entry: Entry) -> None:
        head = parse.playlist_head(entry.answer, self._hash_user)
        parse.add_observation(
            self.rows,
            head.playlist_id,
            entry.received_at,
            seen_in="playlist",
            snapshot_id=head.snapshot_id,
            follower_count=head.follower_count,
        )
        if entry.kind == SEEN:
            return
        self._heads[entry.subject] = head, entry
        self._positions[entry.subject] = self._counts[entry.subject] = 0
        if head.first_page is not None:
            self._take_items(entry.subject, head.first_page, entry)

    def _take_items(self, subject: str, page: parse.Page, entry: Entry) -> None:
        head, _ = self._heads[subject]
        position = self._positions[subject]
        if page.offset is not None and position < page.offset <= MOST_ITEMS:
            position = page.offset  # a page before came with fewer items than it stands for
        self._positions[subject] = parse.add_items(
            self.rows,
            head.playlist_id,
            head.snapshot_id,
            position,
            page.entries,
            entry.received_at,
            self._hash_user,
        )
        self._counts[subject] += len(page.entries)
        tracks = parse.whole_tracks(page.entries)
        self._note_missing("track", tracks, entry.received_at)
        self._note_missing("album", [track["album"] for track in tracks], entry.received_at)

    def _take_search(self, entry: Entry) -> None:
        self._searches[entry.subject] = "unreadable", [], entry
        found = parse.found_tracks(entry.answer)
        outcome = "found" if parse.found_track_ids(found) else "nothing_found"
        self._searches[entry.subject] = outcome, found, entry
        tracks = parse.whole_tracks({"track": one} for one in found)
        self._note_missing("track", tracks, entry.received_at)
        self._note_missing("album", [track["album"] for track in tracks], entry.received_at)

    def _finish(self, subject: str) -> None:
        if subject in self._searches:
            outcome, found, entry = self._searches.pop(subject)
            (query,) = parse_qs(urlsplit(entry.url).query).get("q", [None])
            msd_track_id = subject.partition(":")[2]
            parse.add_search(self.rows, msd_track_id, query, outcome, found, entry.received_at)
        elif subject in self._heads:
            head, entry = self._heads.pop(subject)
            del self._positions[subject]
            count = self._counts.pop(subject)
            parse.add_playlist(
                self.rows, head, count if head.first_page is not None else None, entry.received_at
            )

    def _take_artists(self, entry: Entry) -> None:
        objects = [entry.answer] if entry.kind == ARTIST else _listed(entry)
        parse.add_artists(self.rows, objects, entry.received_at)
        self._note_missing("artist", objects, entry.received_at)
        known = {parse.object_id(one, "artist") for one in objects}
        for artist_id in _asked(entry):
            if artist_id not in known:  # asked for, and Spotify has none: not to be asked for again soon
                parse.add_artists(self.rows, [{"id": artist_id, "type": "artist"}], entry.received_at)

    def _note_missing(self, object_type: str, objects: list, at: datetime) -> None:
        if not any(isinstance(one, dict) for one in objects):
            return
        midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        missing = parse.missing_fields(object_type, objects)
        if object_type == "album":
            missing &= parse.EMBEDDED_FIELDS
        key = object_type, midnight
        self._missing[key] = self._missing.get(key, missing) & missing


def _listed(entry: Entry) -> list:
    """The list in a batch answer, under the name of what was asked for."""
    answer = entry.answer
    if not isinstance(answer, dict) or not isinstance(answer.get(entry.kind), list):
        raise UnreadableInputError("invalid_batch", f"no list of {entry.kind}")
    return answer[entry.kind]


def _asked(entry: Entry) -> list[str]:
    """The ids that a request named: several in its query, or one at the end of its path."""
    parts = urlsplit(entry.url)
    listed = parse_qs(parts.query).get("ids")
    return listed[0].split(",") if listed else [parts.path.rpartition("/")[2]]
