"""The extraction of playlists: what an app may call, then the playlists, then what they only name.

Killed anywhere, or stopped by a limit, the next run goes on from there: what is known is in the lake, and
what was on its way there in a journal.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
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

log = logging.getLogger(__name__)


@dataclass
class SpotifyResult:
    """What one run did. `resume_at` is set where it ended before its work did.

    `playlists_failed` were asked for and no state came of it, though they are neither unchanged nor gone;
    `lists_failed` is 1 where the user's own list could not be read to its end.
    """

    playlists_seen: int = 0
    playlists_read: int = 0
    playlists_failed: int = 0
    lists_failed: int = 0
    units: int = 0
    rows: Counter = field(default_factory=Counter)
    resume_at: datetime | None = None
    stopped_by: str | None = None

    @property
    def problems(self) -> int:
        """Playlists and lists that could not be looked at; the extraction log says why."""
        return self.playlists_failed + self.lists_failed


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
        recorder = Recorder(self._lake, self._folder, self._hash_user, self._now)
        known = Known(self._folder / "index.sqlite", self._lake)
        try:
            known.refresh()
            recorder.note("started")
            access = self._find_out_access(recorder)
            self._read_playlists(playlist_ids, known, access, recorder, result)
            self._enrich(known, access, recorder)
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
        return result

    def _find_out_access(self, recorder: Recorder) -> Access:
        path = self._folder / "access.json"
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
            access.save(self._folder / "access.json")

    def _is_mine(self, id_: str) -> bool:
        return is_in_shard(id_, self._shard)
