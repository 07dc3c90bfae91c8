"""A machine of a test's own that extracts from the imitation of Spotify's Web API into a lake."""

from collections.abc import Iterable
from datetime import UTC, datetime, time, timedelta
from pathlib import Path

from ingestion.lake import Lake
from ingestion.spotify.api import TIMEOUT_SECONDS, SpotifyApi
from ingestion.spotify.authorisation import App, AppAccess, UserAccess, keep_refresh_token
from ingestion.spotify.extract import Extraction, SearchResult, SpotifyResult
from ingestion.spotify.ledger import Ledger, Limits, ledger_file
from ingestion.spotify.search import Song
from ingestion.spotify.tables import TABLES
from sandbox.spotify_api import SpotifyApi as Server
from tests.support.clock import SimulatedClock

LATE = time(22)
"""When machines look at a day: in the world nothing happens on it any more."""


class Machine:
    """A machine with a folder and a clock of its own that extracts from a server into a lake.

    It acts for the world's account, or, without `has_user`, for the app alone. `slept` is how long it
    waited, in seconds, wait by wait; its clock went on by as much.
    """

    def __init__(
        self, server: Server, folder: Path, limits: Limits | None = None, has_user: bool = True
    ) -> None:
        self.server, self.folder, self.has_user = server, folder, has_user
        self.slept: list[float] = []
        self.clock = SimulatedClock(datetime.combine(server.day, LATE, UTC))
        self.lake = Lake(str(folder / "lake"))
        self.limits = limits or Limits()
        self._token = folder / "token.json"
        self.authorise()

    def authorise(self) -> None:
        """Keep a new refresh token, as a login does."""
        keep_refresh_token(self._token, self.server.client_id, self.server.refresh_token(), datetime.now(UTC))

    def api(self) -> SpotifyApi:
        """The server as an extraction calls it."""
        app = App(self.server.client_id, self.server.client_secret, None, self.server.url)
        if self.has_user:
            access = UserAccess(app, self._token, TIMEOUT_SECONDS)
        else:
            access = AppAccess(app, TIMEOUT_SECONDS)
        file = ledger_file(self.folder, self.server.client_id)
        ledger = Ledger(file, self.limits, self.clock.now, self._sleep)
        return SpotifyApi(self.server.url, access, ledger, self.clock.now, self._sleep)

    def extract(self, playlist_ids=None, shard=(1, 1)) -> SpotifyResult:
        """One run, as a new process would do it."""
        return self._extraction(shard).run(playlist_ids)

    def search(self, songs: Iterable[Song], most: int = 1000, shard=(1, 1)) -> SearchResult:
        """One search, as a new process would do it."""
        return self._extraction(shard).search((song for song in songs), most)

    def _extraction(self, shard: tuple[int, int]) -> Extraction:
        return Extraction(
            self.api(), self.lake, self.folder, lambda user: f"hash of {user}", shard, now=self.clock.now
        )

    def _sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.clock.advance(timedelta(seconds=seconds))

    def rows(self, table: str) -> list[dict]:
        """All rows of a raw table as the loader would leave them."""
        return rows_in(self.lake, table)


def rows_in(lake: Lake, table: str) -> list[dict]:
    """All rows of a raw table as the loader would leave them: of one key the newest."""
    records = [lake.done_record("spotify", id_) for id_ in lake.done_unit_ids("spotify")]
    records.sort(key=lambda record: record.extracted_at)
    (key,) = (one.primary_key for one in TABLES if one.name == table)
    found = {}
    for record in records:
        for part in record.parts:
            if part.table == table:
                for batch in lake.read_part(part):
                    found |= {tuple(row[name] for name in key): row for row in batch.to_pylist()}
    return list(found.values())
