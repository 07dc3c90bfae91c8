"""Asking for what playlists only name: artists, and the audio features of tracks.

Only ids that were never asked for, or not for long, and as many at once as Spotify allows. An endpoint
that refuses is off until access is probed again.
"""

import warnings
from collections.abc import Callable, Iterator
from datetime import date
from http import HTTPStatus
from itertools import islice

from ingestion.spotify import answers
from ingestion.spotify.access import Access
from ingestion.spotify.api import CallRefusedError, NoAnswerError, SpotifyApi
from ingestion.spotify.ids import is_spotify_id
from ingestion.spotify.known import Known
from ingestion.spotify.ledger import Priority
from ingestion.spotify.recorder import Recorder

ARTIST_BATCH, FEATURES_BATCH = 50, 100
"""The largest that Spotify allows."""

Filter = Callable[[str], bool]


class Enricher:
    """Asks for artists and audio features and hands the answers to the recorder.

    `is_mine` is this shard's share, None where there is one. What is found to be off is noted in `access`.
    """

    def __init__(
        self, api: SpotifyApi, recorder: Recorder, known: Known, access: Access, is_mine: Filter | None
    ) -> None:
        self._api, self._recorder, self._known = api, recorder, known
        self._access, self._is_mine = access, is_mine

    def ask(self, since: date) -> None:
        """Ask for artists that were not asked for since that day, and for audio features never asked for.

        A shard asks for its share and then for what is left of the others': an artist may have been found
        after the shard that it belongs to was done. Shards that run at the same time can then ask twice.
        """
        everything = [None] if self._is_mine is None else [self._is_mine, None]
        for is_wanted in everything:
            self._take_in_answers()
            self._ask_for_artists(since, is_wanted)
            self._ask_for_features(is_wanted)

    def _ask_for_artists(self, since: date, is_wanted: Filter | None) -> None:
        access, spotify = self._access, self._api.spotify

        def ids() -> Iterator[str]:
            return filter(is_wanted, self._known.artists_to_ask_for(since))

        if access.artists_at_once is not False and not self._ask(
            ids(), ARTIST_BATCH, answers.ARTISTS, spotify.artists
        ):
            access.artists_at_once = False
            self._take_in_answers()
        if access.artists_at_once is False and access.artists_one_by_one is not False:
            access.artists_one_by_one = self._ask(
                ids(), 1, answers.ARTIST, lambda only: spotify.artist(only[0])
            )

    def _take_in_answers(self) -> None:
        """Make known what was answered so far, here and by other shards."""
        self._recorder.commit()
        self._known.refresh()

    def _ask_for_features(self, is_wanted: Filter | None) -> None:
        if self._access.audio_features is not False:
            ids = filter(is_wanted, self._known.tracks_without_features())
            self._access.audio_features = self._ask(
                ids, FEATURES_BATCH, answers.AUDIO_FEATURES, self._api.spotify.audio_features
            )

    def _ask(self, ids: Iterator[str], at_once: int, kind: str, method: Callable) -> bool:
        """Ask for ids, some at once; False where it turned out that this app may not."""
        ids = filter(is_spotify_id, ids)  # one that is none would have its whole batch refused
        while batch := list(islice(ids, at_once)):
            subject = f"{kind}:{batch[0]}"
            try:
                with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                    answer = self._api.call(method, batch, priority=Priority.ENRICHMENT)
            except CallRefusedError as error:
                if at_once == 1 and error.status == HTTPStatus.NOT_FOUND:
                    self._recorder.gone(subject, error.url)
                elif error.is_lasting:
                    self._recorder.endpoint_off(error)
                    return False
                else:
                    self._recorder.refused(error)
            except NoAnswerError as error:
                self._recorder.problem("failed", subject, error)
            else:
                self._recorder.keep(subject, kind, answer)
                self._recorder.complete(subject)
        return True
