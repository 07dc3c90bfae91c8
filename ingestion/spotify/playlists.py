"""Reading playlists: list first, skip what is unchanged, use the page that a playlist embeds, follow `next`.

A state of a playlist is kept only when all its pages are in; whatever keeps one from that costs the
playlist this reading, and leaves what was loaded before.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from enum import Enum, auto
from http import HTTPStatus

from ingestion.inputs import UnreadableInputError
from ingestion.spotify import answers, parse
from ingestion.spotify.api import Answer, CallRefusedError, ForeignLinkError, NoAnswerError, SpotifyApi
from ingestion.spotify.known import Known
from ingestion.spotify.ledger import Priority
from ingestion.spotify.recorder import Recorder

ITEM_TYPES = ("track", "episode")
"""Always asked for: without episodes Spotify answers null in their places."""

OWN_LIST = "/v1/me/playlists"

LIST_PAGE = 50
"""The largest that Spotify allows."""

MOST_PAGES = answers.MOST_ITEMS // LIST_PAGE
"""Of a list; pages hold 50 items or more."""

EMPTY_PAGES = 2
"""In a row beyond the end of a list after which its `next` links count as leading nowhere."""

READINGS = 2
"""Of a playlist that changes while it is read."""


class Outcome(Enum):
    """What came of looking at a playlist: a state; none, for it is known or gone; none, for a problem."""

    READ = auto()
    UNCHANGED_OR_GONE = auto()
    FAILED = auto()


class PlaylistReader:
    """Asks for playlists and hands their answers to the recorder."""

    def __init__(
        self,
        api: SpotifyApi,
        recorder: Recorder,
        known: Known,
        hash_user: Callable[[str], str],
        access: str,
    ) -> None:
        """`access` tells kinds of access apart: what one was not shown another may be."""
        self._api, self._recorder, self._known, self._hash_user = api, recorder, known, hash_user
        self._access = access

    def own_changed_ids(self) -> tuple[list[str], bool]:
        """Of the user's playlists those in a state not read yet, and whether the list was read to its end.

        A list that cannot be read to its end gives what came before, and no observations.
        """
        changed: dict[str, None] = {}
        try:
            answer = self._api.call(
                self._api.spotify.current_user_playlists, limit=LIST_PAGE, priority=Priority.PLAYLISTS
            )
        except CallRefusedError as error:
            (self._recorder.endpoint_off if error.is_lasting else self._recorder.refused)(error)
            return [], False
        except NoAnswerError as error:
            self._recorder.problem("failed", OWN_LIST, error)
            return [], False
        try:
            self._recorder.keep(answers.OWN_PLAYLISTS, answers.OWN_PLAYLISTS, answer)
            changed |= self._changed(parse.page(answer.json))
            for following, page in self._pages_after(parse.page(answer.json)):
                # The list is one look, of one day, even where it is read over midnight.
                dated = replace(following, received_at=answer.received_at)
                self._recorder.keep(answers.OWN_PLAYLISTS, answers.OWN_PLAYLISTS, dated)
                changed |= self._changed(page)
        except (CallRefusedError, NoAnswerError, ForeignLinkError, UnreadableInputError) as error:
            self._recorder.problem("unreadable", OWN_LIST, error)
            return list(changed), False
        self._recorder.complete(answers.OWN_PLAYLISTS)
        return list(changed), True

    def read(self, playlist_id: str) -> Outcome:
        """Read a playlist with all its items where its state is new.

        Raises NoAnswerError, OutOfRequestsError and AuthorisationError.
        """
        subject, path = f"{answers.PLAYLIST}:{playlist_id}", f"/v1/playlists/{playlist_id}"
        read_before = None
        for _ in range(READINGS):
            try:
                answer = self._api.call(
                    self._api.spotify.playlist,
                    playlist_id,
                    additional_types=ITEM_TYPES,
                    priority=Priority.PLAYLISTS,
                )
            except CallRefusedError as error:
                return self._refused(subject, error)
            try:
                head = parse.playlist_head(answer.json, self._hash_user)
            except UnreadableInputError as error:
                self._recorder.keep(subject, answers.PLAYLIST, answer)  # quarantined when rows are made
                self._recorder.complete(subject)
                self._recorder.problem("unreadable", path, error)
                return Outcome.FAILED
            shows_items = head.first_page is not None
            if not shows_items:
                self._known.note_hidden(playlist_id, head.snapshot_id, self._access)
            if self._known.has_state(playlist_id, head.snapshot_id, with_items=shows_items):
                self._only_seen(subject, answer)
                return Outcome.UNCHANGED_OR_GONE
            self._recorder.keep(subject, answers.PLAYLIST, answer)
            try:
                if self._keep_pages(subject, head, answer.received_at, head.snapshot_id == read_before):
                    self._recorder.complete(subject)
                    return Outcome.READ
            except CallRefusedError as error:
                self._only_seen(subject, answer)
                self._recorder.refused(error)
                return Outcome.FAILED
            except (ForeignLinkError, UnreadableInputError) as error:
                self._only_seen(subject, answer)
                self._recorder.problem("unreadable", path, error)
                return Outcome.FAILED
            read_before = head.snapshot_id
        self._only_seen(subject, answer)
        self._recorder.problem("unreadable", path, f"it changed each of the {READINGS} times it was read")
        return Outcome.FAILED

    def _keep_pages(
        self, subject: str, head: parse.PlaylistHead, read_at: datetime, is_unchanged: bool
    ) -> bool:
        """Keep the pages after the first; False as soon as one shows that the playlist has changed.

        Pages carry no snapshot id; what they show, without a further request, is another total, or an item
        that was added since `read_at`, when reading began. Where the same state was read before
        (`is_unchanged`), it is the total or a clock that is wrong, and that is all.
        """
        for answer, page in self._pages_after(head.first_page):
            totals = {head.total, page.total} - {None}
            is_changed = len(totals) > 1 or any(
                read_at < at <= answer.received_at for at in parse.times_added(page.entries)
            )
            if is_changed and not is_unchanged:
                return False
            self._recorder.keep(subject, answers.PAGE, answer)
        return True

    def _pages_after(self, page: parse.Page | None) -> Iterator[tuple[Answer, parse.Page]]:
        """The pages to which `next` leads; UnreadableInputError where they have no end."""
        visited: set[str] = set()
        empty_pages = 0
        while page is not None and page.next is not None:
            if page.next in visited:
                raise UnreadableInputError("endless_pages", "a next link leads back to a page that was read")
            if empty_pages == EMPTY_PAGES or len(visited) == MOST_PAGES:
                raise UnreadableInputError("endless_pages", f"next links lead on after {len(visited)} pages")
            visited.add(page.next)
            answer = self._api.next_page(page.next, Priority.PLAYLISTS)
            page = parse.page(answer.json)
            # An empty page before the declared end stands for items that are not shown: it is passed by.
            is_before_end = page.offset is not None and page.total is not None and page.offset < page.total
            empty_pages = 0 if page.entries or is_before_end else empty_pages + 1
            yield answer, page

    def _changed(self, page: parse.Page) -> dict[str, None]:
        changed: dict[str, None] = {}
        for listed in page.entries:
            try:
                head = parse.playlist_head(listed, self._hash_user)
            except UnreadableInputError:
                continue  # quarantined when the rows are made
            state = head.playlist_id, head.snapshot_id
            if not self._known.has_state(*state, with_items=not self._known.is_hidden(*state, self._access)):
                changed[head.playlist_id] = None
        return changed

    def _only_seen(self, subject: str, answer: Answer) -> None:
        """The playlist was there, and its items are known or cannot be had."""
        self._recorder.keep(subject, answers.SEEN, answer)
        self._recorder.complete(subject)

    def _refused(self, subject: str, error: CallRefusedError) -> Outcome:
        if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            self._recorder.gone(subject, error.url)
            return Outcome.UNCHANGED_OR_GONE
        self._recorder.refused(error)
        return Outcome.FAILED
