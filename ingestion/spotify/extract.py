"""The extraction of playlists: what an app may call, then the playlists, then what they only name.

And, as a run of its own, the search for songs.

Killed anywhere, or stopped by a limit, the next run goes on from there: what is known is in the lake, and
what was on its way there in a journal.
"""

import logging
from collections import Counter
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path

from ingestion.errors import IngestionError
from ingestion.lake import Lake
from ingestion.progress import Progress
from ingestion.spotify.access import Access, probe, remembered_access
from ingestion.spotify.api import CallRefusedError, NoAnswerError, SpotifyApi
from ingestion.spotify.enrichment import Enricher
from ingestion.spotify.ids import is_in_shard
from ingestion.spotify.known import Known
from ingestion.spotify.ledger import OutOfRequestsError
from ingestion.spotify.playlists import Outcome, PlaylistReader
from ingestion.spotify.recorder import Recorder
from ingestion.spotify.search import SEARCHED_FOR, Searcher, SearchOffError, Song
from ingestion.spotify.search import Outcome as SearchOutcome

log = logging.getLogger(__name__)

ACCESS_FILE = "access.json"


@dataclass
class Run:
    """What any run did. `resume_at` is set where it ended before its work did."""

    units: int = 0
    rows: Counter = field(default_factory=Counter)
    resume_at: datetime | None = None
    stopped_by: str | None = None


@dataclass
class SpotifyResult(Run):
    """What a run over playlists did.

    `playlists_failed` were asked for and no state came of it, though they are neither unchanged nor gone;
    `lists_failed` is 1 where the user's own list could not be read to its end.
    """

    playlists_seen: int = 0
    playlists_read: int = 0
    playlists_failed: int = 0
    lists_failed: int = 0

    @property
    def problems(self) -> int:
        """Playlists and lists that could not be looked at; the extraction log says why."""
        return self.playlists_failed + self.lists_failed


@dataclass
class SearchResult(Run):
    """What a search did: songs of which tracks were found, of which none were, and of which nobody knows.

    Where `is_off` this app may not search.
    """

    songs_found: int = 0
    songs_not_found: int = 0
    songs_failed: int = 0
    is_off: bool = False

    @property
    def songs_searched(self) -> int:
        """Songs that were asked for."""
        return self.songs_found + self.songs_not_found + self.songs_failed


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

    def run(self, playlist_ids: Iterable[str] | None) -> SpotifyResult:
        """Read the playlists with these ids, or the user's own; then ask for what is missing about artists.

        Ends early, and says until when, where a limit is reached; what is complete is in the lake then.
        """
        result = SpotifyResult()
        with self._recorded(result) as (recorder, known):
            access = self._find_out_access(recorder)
            self._read_playlists(playlist_ids, known, access, recorder, result)
            self._enrich(known, access, recorder)
        return result

    def search(self, songs: Generator[Song, None, None], most: int) -> SearchResult:
        """Search for the first `most` songs of this shard that were not searched for of late.

        Nothing more is taken of `songs`, which is closed before the first request. Ends early as `run` does.
        """
        result = SearchResult()
        with self._recorded(result) as (recorder, known):
            since = (self._now() - SEARCHED_FOR).date()
            with closing(songs):
                wanted = list(islice((song for song in songs if self._is_due(song, since, known)), most))
            if wanted:
                self._search(wanted, recorder, result)
        return result

    def _is_due(self, song: Song, since: date, known: Known) -> bool:
        return (
            self._is_mine(song.msd_track_id)
            and bool(song.queries)
            and not known.was_searched(song.msd_track_id, since, song.queries)
        )

    def _search(self, songs: Sequence[Song], recorder: Recorder, result: SearchResult) -> None:
        access = self._find_out_access(recorder)
        searcher = Searcher(self._api, recorder, access)
        try:
            with Progress("search spotify", len(songs), "songs") as progress:
                for song in songs:
                    try:
                        outcome = searcher.search(song)
                    except NoAnswerError as error:
                        outcome = SearchOutcome.FAILED
                        recorder.problem("failed", f"search for {song.msd_track_id}", error)
                    result.songs_found += outcome is SearchOutcome.FOUND
                    result.songs_not_found += outcome is SearchOutcome.NOTHING_FOUND
                    result.songs_failed += outcome is SearchOutcome.FAILED
                    progress.advance(1)
        except SearchOffError:
            result.is_off = True
        finally:
            access.save(self._folder / ACCESS_FILE)

    @contextmanager
    def _recorded(self, result: Run) -> Iterator[tuple[Recorder, Known]]:
        """A run from its beginning to its end, whatever ends it; `result` says so."""
        recorder = Recorder(self._lake, self._folder, self._hash_user, self._now)
        known = Known(self._folder / "index.sqlite", self._lake)
        try:
            known.refresh()
            recorder.note("started")
            yield recorder, known
        except OutOfRequestsError as error:
            result.resume_at, result.stopped_by = error.resume_at, error.reason
            recorder.note("partial", detail=str(error))
            log.warning("partial: %s", error)
        except IngestionError as error:
            recorder.note("failed", detail=str(error))
            raise
        else:
            recorder.note("ended")
        finally:
            known.close()
            recorder.close()
            result.units, result.rows = recorder.units, recorder.rows

    def _find_out_access(self, recorder: Recorder) -> Access:
        path = self._folder / ACCESS_FILE
        access = remembered_access(path, self._api.client_id, self._now())
        if access is None:

            def refused(error: CallRefusedError) -> None:
                (recorder.endpoint_off if error.is_lasting else recorder.refused)(error)

            access = probe(self._api, self._now(), refused)
            access.save(path)
            recorder.note("probed", detail=access.as_json())
        return access

    def _read_playlists(
        self,
        playlist_ids: Iterable[str] | None,
        known: Known,
        access: Access,
        recorder: Recorder,
        result: SpotifyResult,
    ) -> None:
        reader = PlaylistReader(self._api, recorder, known, self._hash_user, access.kind)
        if playlist_ids is None:
            changed, is_whole = reader.own_changed_ids()
            result.lists_failed += not is_whole
            wanted = list(filter(self._is_mine, changed))
        else:
            wanted = known.due(dict.fromkeys(filter(self._is_mine, playlist_ids)), self._now().date())
        result.playlists_seen = len(wanted)
        with Progress("extract spotify", len(wanted), "playlists") as progress:
            for playlist_id in wanted:
                try:
                    outcome = reader.read(playlist_id)
                except NoAnswerError as error:
                    outcome = Outcome.FAILED
                    recorder.problem("failed", f"/v1/playlists/{playlist_id}", error)
                result.playlists_read += outcome is Outcome.READ
                if outcome is Outcome.FAILED:
                    result.playlists_failed += 1
                    known.note_failure(playlist_id, self._now().date())
                progress.advance(1)

    def _enrich(self, known: Known, access: Access, recorder: Recorder) -> None:
        since = (self._now() - self._enriched_for).date()
        is_mine = None if self._shard[1] == 1 else self._is_mine
        try:
            Enricher(self._api, recorder, known, access, is_mine).ask(since)
        finally:
            access.save(self._folder / ACCESS_FILE)

    def _is_mine(self, id_: str) -> bool:
        return is_in_shard(id_, self._shard)
