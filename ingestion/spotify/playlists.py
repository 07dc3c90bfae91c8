"""Reading playlists: list first, skip what is unchanged, use the page that a playlist embeds, follow `next`.

A state of a playlist is kept only when all its pages are in; whatever keeps one from that costs the
playlist this reading, and leaves what was loaded before.
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from http import HTTPStatus

from ingestion.inputs import UnreadableInputError
from ingestion.spotify import answers, parse
from ingestion.spotify.api import Answer, CallRefusedError, ForeignLinkError, NoAnswerError, SpotifyApi
from ingestion.spotify.known import Known
from ingestion.spotify.ledger import Priority
from ingestion.spotify.recorder import Recorder

ITEM_TYPES = ("track", "episode")
"""Always asked for: without episodes Spotify answers null in their places."""

LIST_PAGE = 50
"""The largest that Spotify allows."""

READINGS = 2
"""Of a playlist that changes while it is read."""


class PlaylistReader:
    """Asks for playlists and hands their answers to the recorder."""

    def __init__(
        self, api: SpotifyApi, recorder: Recorder, known: Known, hash_user: Callable[[str], str]
    ) -> None:
        self._api, self._recorder, self._known, self._hash_user = api, recorder, known, hash_user

    def own_changed_ids(self) -> list[str]:
        """Of the user's playlists, as the list shows them, those in a state not read yet.

        A list that cannot be read to its end gives what came before, and no observations.
        """
        changed: dict[str, None] = {}
        answer = self._api.call(
            self._api.spotify.current_user_playlists, limit=LIST_PAGE, priority=Priority.PLAYLISTS
        )
        try:
            self._recorder.keep(answers.OWN_PLAYLISTS, answers.OWN_PLAYLISTS, answer)
            changed |= self._changed(parse.page(answer.json))
            for following, page in self._pages_after(parse.page(answer.json)):
                self._recorder.keep(answers.OWN_PLAYLISTS, answers.OWN_PLAYLISTS, following)
                changed |= self._changed(page)
        except (CallRefusedError, NoAnswerError, ForeignLinkError, UnreadableInputError) as error:
            self._recorder.problem("unreadable", "/v1/me/playlists", error)
        else:
            self._recorder.complete(answers.OWN_PLAYLISTS)
        return list(changed)

    def read(self, playlist_id: str) -> bool:
        """Read a playlist with all its items where its state is new; whether that came to a state.

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
                self._refused(subject, error)
                return False
            try:
                head = parse.playlist_head(answer.json, self._hash_user)
            except UnreadableInputError as error:
                self._recorder.keep(subject, answers.PLAYLIST, answer)  # quarantined when rows are made
                self._recorder.complete(subject)
                self._recorder.problem("unreadable", path, error)
                return False
            if self._known.has_state(playlist_id, head.snapshot_id):
                self._only_seen(subject, answer)
                return False
            self._recorder.keep(subject, answers.PLAYLIST, answer)
            try:
                if self._keep_pages(subject, head, answer.received_at, head.snapshot_id == read_before):
                    self._recorder.complete(subject)
                    return True
            except CallRefusedError as error:
                self._only_seen(subject, answer)
                self._recorder.refused(error)
                return False
            except (ForeignLinkError, UnreadableInputError) as error:
                self._only_seen(subject, answer)
                self._recorder.problem("unreadable", path, error)
                return False
            read_before = head.snapshot_id
        self._only_seen(subject, answer)
        self._recorder.problem("unreadable", path, f"it changed each of the {READINGS} times it was read")
        return False

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
        while page is not None and page.next is not None:
            if page.next in visited:
                raise UnreadableInputError("endless_pages", "a next link leads back to a page that was read")
            visited.add(page.next)
            answer = self._api.next_page(page.next, Priority.PLAYLISTS)
            page = parse.page(answer.json)
            yield answer, page

    def _changed(self, page: parse.Page) -> dict[str, None]:
        changed: dict[str, None] = {}
        for listed in page.entries:
            try:
                head = parse.playlist_head(listed, self._hash_user)
            except UnreadableInputError:
                continue  # quarantined when the rows are made
            if not self._known.has_state(head.playlist_id, head.snapshot_id):
                changed[head.playlist_id] = None
        return changed

    def _only_seen(self, subject: str, answer: Answer) -> None:
        """The playlist was there, and its items are known or cannot be had."""
        self._recorder.keep(subject, answers.SEEN, answer)
        self._recorder.complete(subject)

    def _refused(self, subject: str, error: CallRefusedError) -> None:
        if error.status in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            self._recorder.gone(subject, error.url)
        else:
            self._recorder.refused(error)
