"""The extraction of playlists: which requests are made, in which order, and what becomes of their answers.

List first, skip what is unchanged, use the page that a playlist embeds, follow `next`; then ask for what
is missing about artists and tracks. Every answer goes into the journal at once; every so often the complete
ones become a unit of the lake, rows and archive together. Killed anywhere, or stopped by a limit, the next
run goes on from there.
"""

import logging
import warnings
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from http import HTTPStatus
from importlib.metadata import version
from itertools import islice
from pathlib import Path
from uuid import uuid4

from ingestion.inputs import UnreadableInputError
from ingestion.lake import Lake
from ingestion.progress import Progress
from ingestion.spotify import answers, parse
from ingestion.spotify.access import Access, probe, remembered_access
from ingestion.spotify.api import Answer, CallRefusedError, ForeignLinkError, NoAnswerError, SpotifyApi
from ingestion.spotify.archive import archived
from ingestion.spotify.journal import (
    COMPLETE,
    Entry,
    Journal,
    complete_only,
    leftovers,
    read_entries,
    remove_leftover,
)
from ingestion.spotify.known import SOURCE, Known
from ingestion.spotify.ledger import OutOfRequestsError, Priority
from ingestion.spotify.tables import EXTRACTION_LOG

log = logging.getLogger(__name__)

ITEM_TYPES = ("track", "episode")
"""Always asked for: without episodes Spotify answers null in their places."""

LIST_PAGE, ARTIST_BATCH, FEATURES_BATCH = 50, 50, 100
"""The largest that Spotify allows."""

UNIT_ANSWERS = 500
"""Answers per lake unit: some 10,000 items, worth a load, and read into memory at once."""

FAILURES_IN_A_ROW = 10
"""Playlists without any answer, one after the other, after which the run ends: Spotify is down."""


@dataclass
class SpotifyResult:
    """What one run did. `resume_at` is set where it ended before its work did."""

    playlists_seen: int = 0
    playlists_read: int = 0
    playlists_failed: int = 0
    units: int = 0
    rows: Counter = field(default_factory=Counter)
    resume_at: datetime | None = None
    stopped_by: str | None = None


class Extraction:
    """One run. `folder` is this machine's own, for journal and index; `lake` is everybody's.

    Artists are asked for again once they were last asked for `enriched_for` ago.
    """

    def __init__(
        self,
        api: SpotifyApi,
        lake: Lake,
        folder: Path,
        hash_user: Callable[[str], str],
        shard: tuple[int, int] = (1, 1),
        enriched_for: timedelta = timedelta(days=30),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._api, self._lake, self._folder = api, lake, folder
        self._hash_user, self._shard, self._enriched_for, self._now = hash_user, shard, enriched_for, now
        self._run_id = uuid4().hex
        self._events: list[dict] = []
        self._events_written = 0
        self._access: Access | None = None
        self._journal: Journal | None = None
        self._known: Known | None = None
        self._answers = 0
        self.result = SpotifyResult()

    def run(self, playlist_ids: Iterable[str] | None) -> SpotifyResult:
        """Read the playlists with these ids, or the user's own; then ask for what is missing about artists.

        Ends early, and says until when, where a limit is reached; what is complete is in the lake then.
        """
        self._known = Known(self._folder / "index.sqlite", self._lake)
        try:
            self._take_over()
            self._known.refresh()
            self._journal = Journal(self._folder / "journals")
            self.note("started")
            try:
                self._find_out_access()
                self._read_playlists(playlist_ids)
                self._commit()
                self._enrich()
            except OutOfRequestsError as error:
                self.result.resume_at, self.result.stopped_by = error.resume_at, error.reason
                self.note("partial", detail=str(error))
                log.warning("partial: %s", error)
            else:
                self.note("ended")
            finally:
                self._commit()
                self._journal.remove()
        finally:
            self._known.close()
        return self.result

    def note(self, event: str, endpoint: str = "", status: int | None = None, detail: str = "") -> None:
        """Enter something into the extraction log."""
        self._events.append(
            {
                "run_id": self._run_id,
                "event_number": len(self._events),
                "logged_at": self._now(),
                "event": event,
                "endpoint": endpoint,
                "http_status": status,
                "detail": detail[:1000],
            }
        )

    def refused(self, error: CallRefusedError) -> None:
        """An endpoint refuses: a warning and a line in the extraction log, never the end of the run."""
        log.warning("%s", error)
        self.note("endpoint_off", error.url.partition("?")[0], error.status, error.message)

    def _find_out_access(self) -> None:
        path = self._folder / "access.json"
        self._access = remembered_access(path, self._now())
        if self._access is None:
            self._access = probe(self._api, self._now(), self.refused)
            self._access.save(path)
            self.note("probed", detail=str(self._access))

    def _read_playlists(self, playlist_ids: Iterable[str] | None) -> None:
        if playlist_ids is None:
            wanted = self._own_changed_ids()
        else:
            today = self._now().date()
            wanted = [
                playlist_id
                for playlist_id in playlist_ids
                if self._is_mine(playlist_id) and not self._known.was_observed(playlist_id, today)
            ]
        self.result.playlists_seen += len(wanted)
        failed_in_a_row = 0
        with Progress("extract spotify", len(wanted), "playlists") as progress:
            for playlist_id in wanted:
                try:
                    self._read_playlist(playlist_id)
                    failed_in_a_row = 0
                except NoAnswerError as error:
                    self.result.playlists_failed += 1
                    self.note("failed", f"/v1/playlists/{playlist_id}", detail=str(error))
                    log.warning("playlist %s: %s", playlist_id, error)
                    failed_in_a_row += 1
                    if failed_in_a_row >= FAILURES_IN_A_ROW:
                        raise OutOfRequestsError(
                            f"Spotify did not answer {failed_in_a_row} times",
                            self._now() + timedelta(hours=1),
                        ) from error
                progress.advance(1)
                if self._answers >= UNIT_ANSWERS:
                    self._commit()

    def _own_changed_ids(self) -> list[str]:
        """Of the user's playlists, as the list shows them, those in a state not read yet."""
        changed = []
        answer = self._api.call(
            self._api.spotify.current_user_playlists, limit=LIST_PAGE, priority=Priority.PLAYLISTS
        )
        visited: set[str] = set()
        while True:
            self._keep(answers.OWN_PLAYLISTS, answers.OWN_PLAYLISTS, answer)
            page = parse.page(answer.json)
            for listed in page.entries:
                try:
                    head = parse.playlist_head(listed, self._hash_user)
                except UnreadableInputError:
                    continue  # quarantined when the rows are made
                if self._is_mine(head.playlist_id) and not self._known.has_state(
                    head.playlist_id, head.snapshot_id
                ):
                    changed.append(head.playlist_id)
            if page.next is None or page.next in visited:
                break
            visited.add(page.next)
            answer = self._api.next_page(page.next, Priority.PLAYLISTS)
        self._complete(answers.OWN_PLAYLISTS)
        return list(dict.fromkeys(changed))

    def _read_playlist(self, playlist_id: str) -> None:
        """One playlist with all its items, read once more where it changed meanwhile."""
        subject = f"playlist:{playlist_id}"
        for may_try_again in (True, False):
            try:
                answer = self._api.call(
                    self._api.spotify.playlist,
                    playlist_id,
                    additional_types=ITEM_TYPES,
                    priority=Priority.PLAYLISTS,
                )
            except CallRefusedError as error:
                self._refused_playlist(subject, error)
                return
            try:
                head = parse.playlist_head(answer.json, self._hash_user)
            except UnreadableInputError:
                self._keep(subject, answers.PLAYLIST, answer)
                self._complete(subject)  # quarantined when the rows are made
                return
            if self._known.has_state(playlist_id, head.snapshot_id):
                self._keep(subject, answers.SEEN, answer)
                self._complete(subject)
                return
            self._keep(subject, answers.PLAYLIST, answer)
            try:
                if self._read_pages(subject, head) or not may_try_again:
                    self._complete(subject)
                    self.result.playlists_read += 1
                    return
            except CallRefusedError as error:
                self._keep(subject, answers.SEEN, answer)  # what was loaded before stays, without a new state
                self._complete(subject)
                self.refused(error)
                return
            except (ForeignLinkError, UnreadableInputError) as error:
                self._keep(subject, answers.SEEN, answer)
                self._complete(subject)
                self.note("unreadable", f"/v1/playlists/{playlist_id}", detail=str(error))
                log.warning("playlist %s: %s", playlist_id, error)
                return

    def _read_pages(self, subject: str, head: parse.PlaylistHead) -> bool:
        """The pages after the first; whether the playlist stayed as it was meanwhile."""
        page = head.first_page
        visited: set[str] = set()
        while page is not None and page.next is not None:
            if page.next in visited:
                raise UnreadableInputError("endless_pages", "a next link leads back to a page that was read")
            visited.add(page.next)
            answer = self._api.next_page(page.next, Priority.PLAYLISTS)
            page = parse.page(answer.json)
            if None not in (page.total, head.total) and page.total != head.total:
                return False
            self._keep(subject, answers.PAGE, answer)
        return True

    def _refused_playlist(self, subject: str, error: CallRefusedError) -> None:
        if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            self._journal.add(Entry(subject, answers.GONE, error.url, self._now()))
            self._complete(subject)
        else:
            self.refused(error)

    def _enrich(self) -> None:
        """Ask for artists that were never asked for or not for long, and for tracks' audio features."""
        self._known.refresh()
        since = (self._now() - self._enriched_for).date()
        artist_ids = (id_ for id_ in self._known.artists_to_ask_for(since) if self._is_mine(id_))
        if self._access.artists_at_once is not False and not self._ask(
            artist_ids, ARTIST_BATCH, answers.ARTISTS, self._api.spotify.artists
        ):
            self._access.artists_at_once = False
            self._access.save(self._folder / "access.json")
        if self._access.artists_at_once is False:
            artist_ids = (id_ for id_ in self._known.artists_to_ask_for(since) if self._is_mine(id_))
            self._ask(artist_ids, 1, answers.ARTIST, lambda ids: self._api.spotify.artist(ids[0]))
        if self._access.audio_features:
            track_ids = (id_ for id_ in self._known.tracks_without_features() if self._is_mine(id_))
            self._ask(track_ids, FEATURES_BATCH, answers.AUDIO_FEATURES, self._api.spotify.audio_features)

    def _ask(self, ids: Iterator[str], at_once: int, kind: str, method: Callable) -> bool:
        """Ask for ids, some at once; whether the endpoint is there to be asked."""
        while batch := list(islice(ids, at_once)):
            subject = f"{kind}:{batch[0]}"
            try:
                with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                    answer = self._api.call(method, batch, priority=Priority.ENRICHMENT)
            except CallRefusedError as error:
                if error.is_lasting and at_once > 1:
                    self.refused(error)
                    return False
                self._journal.add(Entry(subject, answers.GONE, error.url, self._now()))
                self._complete(subject)
                continue
            except NoAnswerError as error:
                self.note("failed", kind, detail=str(error))
                log.warning("%s: %s", kind, error)
                continue
            self._keep(subject, kind, answer)
            self._complete(subject)
            if self._answers >= UNIT_ANSWERS:
                self._commit()
        return True

    def _keep(self, subject: str, kind: str, answer: Answer) -> None:
        body = answer.body.decode("utf-8", "replace")
        self._journal.add(Entry(subject, kind, answer.url, answer.received_at, body))
        self._answers += 1

    def _complete(self, subject: str) -> None:
        self._journal.add(Entry(subject, COMPLETE, "", self._now()))

    def _commit(self) -> None:
        """What is complete in the journal, and the events so far, into the lake; then a new journal."""
        self._write_unit(self._journal.path)
        self._journal.remove()
        self._journal = Journal(self._folder / "journals")
        self._answers = 0

    def _take_over(self) -> None:
        """What runs that are no more had complete, into the lake: no request is made twice for it."""
        for path, lock in leftovers(self._folder / "journals"):
            self._write_unit(path)
            remove_leftover(path, lock)

    def _write_unit(self, journal: Path) -> None:
        """A unit of what is complete in a journal; the id is the journal's, so that twice is once."""
        unit_id = journal.stem[:24]
        entries = complete_only(read_entries(journal), answers.BEGINNINGS)
        events = self._events[self._events_written :]
        if not (entries or events) or unit_id in self._lake.done_unit_ids(SOURCE):
            return
        rows = answers.rows_of(entries, self._hash_user)
        for event in events:
            rows.put(EXTRACTION_LOG, event)
        inputs = [{"subjects": sorted({entry.subject for entry in entries})}]
        with self._lake.write_unit(SOURCE, unit_id, version("music-warehouse"), inputs) as unit:
            for table, batch in rows.tables():
                unit.write(table, batch)
                self.result.rows[table.name] += batch.num_rows
            for name, content in archived(unit_id, entries):
                unit.attach(name, content)
        self._events_written += len(events)
        self.result.units += 1

    def _is_mine(self, id_: str) -> bool:
        """Whether an id is in this shard: every id is in one of them."""
        index, count = self._shard
        return int.from_bytes(blake2b(id_.encode(), digest_size=8).digest()) % count == index - 1
