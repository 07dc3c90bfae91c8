"""Searching for songs of the Million Song Dataset that no track known here is.

At most two requests a song: title and artist as filters, then, where that finds nothing, the same as plain
words. What is found is a candidate and nothing more: whether it is the song is decided in the warehouse.
Nothing here knows which songs these are, or in which order they come.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum, auto

from ingestion.inputs import UnreadableInputError
from ingestion.spotify import answers, parse
from ingestion.spotify.access import PROBE_SEARCH, Access
from ingestion.spotify.api import Answer, CallRefusedError, SpotifyApi
from ingestion.spotify.ledger import Priority
from ingestion.spotify.recorder import Recorder

MOST_RESULTS = 10
"""Of one request: the largest that a development app may ask for. Further pages would cost as much again."""

QUERY_CHARACTERS = 100
"""Spotify documents no limit; longer queries were answered with 404, and later 400 (spotipy's issue 845)."""

ARTIST_CHARACTERS = 40
"""Of a query: the title has what the artist leaves. Longer names are lists of people, as a rule."""

SEARCHED_FOR = timedelta(days=90)
"""Before a song is searched for again. Old recordings appear on Spotify seldom; at 90 days, all songs that
are never found cost a ninetieth of their requests a day. Where retention removes answers earlier, what was
found has to be asked for again as soon as it is gone."""

_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|<[^<>]*>")
_GUESTS = re.compile(r"\s(?:feat\.?|ft\.?|featuring)\s.*", re.IGNORECASE | re.DOTALL)
_SYNTAX = re.compile(r'[":*\u201c-\u201f\u00ab\u00bb\x00-\x1f]+')
"""What ends a quoted text, names a filter or stands for any letters."""

_SIGN = re.compile(r"(?<!\S)[-+]+")
"""Before a word they are operators."""


@dataclass(frozen=True)
class Song:
    """A song to be searched for, by its id in the Million Song Dataset."""

    msd_track_id: str
    title: str
    artist_name: str

    @property
    def queries(self) -> tuple[str, ...]:
        """What to search for, the narrowest first; none where nothing is left of title or artist.

        Remarks in brackets and guests are left out: Spotify writes them in other words, or not at all.
        """
        title, artist = _searchable(self.title), _searchable(self.artist_name)
        if not title or not artist:
            return ()
        queries = (
            _query('track:"{}" artist:"{}"', title, artist),
            # As they stand in capitals, NOT, AND and OR are operators.
            _query("{} {}", *(_words(_SIGN.sub("", text)).lower() for text in (title, artist))).strip(),
        )
        return tuple(filter(None, queries))  # of signs alone nothing is left without them


class Outcome(Enum):
    """What came of searching for a song."""

    FOUND = auto()
    NOTHING_FOUND = auto()
    FAILED = auto()


class SearchOffError(Exception):
    """This app may not search, until access is probed again."""


class Searcher:
    """Searches for songs and hands the answers to the recorder; notes in `access` where that is off."""

    def __init__(self, api: SpotifyApi, recorder: Recorder, access: Access) -> None:
        self._api, self._recorder, self._access = api, recorder, access

    def search(self, song: Song) -> Outcome:
        """Search for one song.

        Raises SearchOffError, NoAnswerError, OutOfRequestsError and AuthorisationError.
        """
        if self._access.search is False:
            raise SearchOffError
        subject = f"{answers.SEARCH}:{song.msd_track_id}"
        outcome = Outcome.NOTHING_FOUND
        for query in song.queries:
            try:
                answer = self._ask(query, MOST_RESULTS)
            except CallRefusedError as error:
                if error.is_lasting and not self._is_allowed():
                    self._access.search = False
                    self._recorder.endpoint_off(error)
                    raise SearchOffError from error
                self._recorder.refused(error)
                self._recorder.gone(subject, error.url)
                return Outcome.FAILED
            self._recorder.keep(subject, answers.SEARCH, answer)
            try:
                has_found = bool(parse.found_track_ids(parse.found_tracks(answer.json)))
            except UnreadableInputError as error:  # quarantined when rows are made
                self._recorder.problem("unreadable", "/v1/search", error)
                outcome = Outcome.FAILED
                break
            if has_found:
                outcome = Outcome.FOUND
                break
        self._recorder.complete(subject)
        return outcome

    def _is_allowed(self) -> bool:
        """Whether it was that song's query alone that Spotify would not take."""
        try:
            self._ask(PROBE_SEARCH, 1)
        except CallRefusedError as error:
            return not error.is_lasting
        return True

    def _ask(self, query: str, limit: int) -> Answer:
        search: Callable = self._api.spotify.search
        return self._api.call(search, query, limit=limit, type="track", priority=Priority.SEARCH)


def _searchable(text: str) -> str:
    """A title or name without remarks and guests, unless that is all of it, and without what is syntax."""
    without = text
    while (shorter := _BRACKETS.sub(" ", without)) != without:
        without = shorter
    without = _GUESTS.sub("", without)
    return _words(without) or _words(text)


def _words(text: str) -> str:
    return " ".join(_SYNTAX.sub(" ", text).split())


def _query(form: str, title: str, artist: str) -> str:
    artist = _cut(artist, ARTIST_CHARACTERS)
    return form.format(_cut(title, QUERY_CHARACTERS - len(form.format("", artist))), artist)


def _cut(text: str, characters: int) -> str:
    """The words of a text that fit, or of a first word that is too long what fits."""
    if len(text) <= characters:
        return text
    return text[: characters + 1].rpartition(" ")[0] or text[:characters]
