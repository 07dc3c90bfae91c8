"""The extraction of playlists from Spotify's Web API: requests against the plain way, memory, time.

Run at the sandbox's imitation of the Web API, extended access, each run in a process of its own.
Playlists have 65 tracks, each by one artist. Artists are reused as in the Million Playlist Dataset
(1,000,000 playlists, 66.3 M items, 2.26 M tracks, 295,860 artists): made so that 10,000 playlists name some
35,600 artists (there: 35,637), one playlist 37 in the mean (there: 38 in 67 items). That a change of a
playlist replaces ten of its tracks is an assumption.

The plain way is run as well, beside each of the first three runs: for each playlist its metadata, a page
for each 100 tracks and its distinct artists by 20, nothing shared between playlists or runs. Counted is every
request that the server gets, those for tokens and for the probe of the app's access among them.

- spotify_requests_first_run: the user's own playlists, nothing known. Goal: at most 0.6 of the plain way.
- spotify_requests_daily_run: the same a day later, 2 % changed. Goal: at most 0.04.
- spotify_requests_daily_run_by_id: the same another day later, by their ids, 2 % changed. Goal: at most 0.25.
- spotify_own_time_per_playlist: CPU time of the first run beyond asking for its playlists, to asking for
  them, which is measured with a bare `requests.Session` that reads the same answers.
- spotify_own_time_per_known_playlist: the same of the run by id.
- spotify_first_run_memory: peak memory of the first run.
- spotify_200k_memory: peak memory of a daily run by id over 200,000 known playlists, 1 % changed, against
  20,000. They have one track each: answers held in memory would hide what grows with the number of
  playlists, and 200,000 answers with 65 tracks are 100 GB. Goal: at most 1.15.
- spotify_200k_time: CPU time per playlist of the same run, requests included, against 20,000.
"""

import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # run as a file, the house is not on the path

from benchmarks.support.figures import figure, report, sizes
from benchmarks.support.measuring import Measured, measure
from benchmarks.support.spotify_catalogue import snapshot_id, spotify_id
from benchmarks.support.spotify_server import Server, serving
from benchmarks.support.warehouses import scratch_settings

FIRST_RUN_GOAL, DAILY_RUN_GOAL, BY_ID_GOAL = 0.6, 0.04, 0.25
MEMORY_GOAL = 1.15
"""Flat, but for what the allocators keep."""

CHANGED_EVERY, MANY_CHANGED_EVERY = 50, 100
"""One playlist in so many changes each day: 2 % and 1 %."""

DAY_0 = datetime(2026, 11, 2, 6, tzinfo=UTC)

MORE_THAN_ENOUGH = 1_000_000
"""Requests that a run may send: limits are kept, as an operator has them, and none of them is met."""

PLAIN_ARTISTS = 20
"""Artists that the plain way asks for at once."""

UNIT_PLAYLISTS = 500
"""Playlists in a unit of a lake made for a run: about as many as the extraction puts in one."""


def main() -> None:
    """Measure and print the figures."""
    size = sizes(__doc__, playlists=(1_000, 50), tracks=(65, 10), few=(20_000, 100), many=(200_000, 200))
    with tempfile.TemporaryDirectory(prefix="spotify-extract-") as scratch:
        _run_three_days(Path(scratch, "machine"), size.playlists, size.tracks)
        few, many = (_run_many(Path(scratch, str(count)), count) for count in (size.few, size.many))
    peak, baseline = (run.peak_bytes / 1e6 for run in (many, few))
    report(figure("spotify_200k_memory", peak, "MB", baseline=baseline, at_most=MEMORY_GOAL))
    value, baseline = 1e3 * many.cpu_seconds / size.many, 1e3 * few.cpu_seconds / size.few
    report(figure("spotify_200k_time", value, "CPU ms/playlist", baseline=baseline))


def _run_three_days(home: Path, playlists: int, tracks: int) -> None:
    """A first run and two daily ones of one machine, with the figures about them."""
    with serving(playlists, tracks, CHANGED_EVERY) as server:

        def compare(name: str, day: int, by_id: bool, goal: float) -> Measured:
            server.day = day
            run, requests = _extract(server, home, by_id, read=server.changed if day else playlists)
            before = server.requests
            read_plainly(server.url, playlists)
            plain = server.requests - before
            report(figure(f"spotify_requests_{name}", requests, "requests", baseline=plain, at_most=goal))
            return run

        first = compare("first_run", 0, False, FIRST_RUN_GOAL)
        compare("daily_run", 1, False, DAILY_RUN_GOAL)
        by_id = compare("daily_run_by_id", 2, True, BY_ID_GOAL)
        bare = measure(asking, server.url, playlists).cpu_seconds
    for name, run in (("playlist", first), ("known_playlist", by_id)):
        own, baseline = (1e3 * seconds / playlists for seconds in (run.cpu_seconds - bare, bare))
        report(figure(f"spotify_own_time_per_{name}", own, "CPU ms/playlist", baseline=baseline))
    report(figure("spotify_first_run_memory", first.peak_bytes / 1e6, "MB"))


def _run_many(home: Path, playlists: int) -> Measured:
    """A daily run by id over that many playlists, all known."""
    fill(home, playlists)
    with serving(playlists, 1, MANY_CHANGED_EVERY) as server:
        server.day = 1
        return _extract(server, home, True, read=server.changed)[0]


def _extract(server: Server, home: Path, by_id: bool, read: int) -> tuple[Measured, int]:
    """A run and its requests; raises RuntimeError where it did not read as many playlists as it should."""
    before = server.requests
    run = measure(extracting, server.url, home, server.day, server.playlists if by_id else None)
    if run.result != (read, 0, None):
        raise RuntimeError(f"{run.result} and not {read:,} playlists read, none failed, not stopped")
    return run, server.requests - before


def extracting(url: str, home: Path, day: int, playlists: int | None) -> Callable[[], tuple]:
    """Work that extracts to the lake in `home`: that many playlists by id, or with None the user's own.

    It returns how many were read, how many failed, and what stopped the run.
    """
    from ingestion.lake import Lake
    from ingestion.spotify.api import TIMEOUT_SECONDS, SpotifyApi
    from ingestion.spotify.authorisation import App, AppAccess
    from ingestion.spotify.extract import Extraction
    from ingestion.spotify.ledger import Ledger, Limits

    started = time.monotonic()

    def now() -> datetime:
        return DAY_0 + timedelta(days=day, seconds=time.monotonic() - started)

    settings = scratch_settings(home)
    limits = Limits(window=MORE_THAN_ENOUGH, day=MORE_THAN_ENOUGH)
    access = AppAccess(App("benchmark", "benchmark", None, url), TIMEOUT_SECONDS)
    api = SpotifyApi(url, access, Ledger(home / "requests.sqlite", limits, now), now)
    hash_user = lru_cache(settings.hash_user)
    extraction = Extraction(api, Lake(settings.lake_url), home / "spotify", hash_user, now=now)

    def work() -> tuple:
        result = extraction.run(None if playlists is None else map(spotify_id, range(playlists)))
        return result.playlists_read, result.playlists_failed, result.stopped_by

    return work


def asking(url: str, playlists: int) -> Callable[[], None]:
    """Work that asks for that many playlists by id and reads the bytes of the answers."""
    import requests

    def ask() -> None:
        with requests.Session() as session:
            for number in range(playlists):
                session.get(f"{url}/v1/playlists/{spotify_id(number)}?additional_types=track,episode")

    return ask


def read_plainly(url: str, playlists: int) -> None:
    """Read that many playlists by id the plain way."""
    import requests

    with requests.Session() as session:
        for number in range(playlists):
            playlist = f"{url}/v1/playlists/{spotify_id(number)}"
            session.get(f"{playlist}?fields=id,name,description,owner,followers,snapshot_id")
            link, artists = f"{playlist}/items?limit=100", {}
            while link:
                page = session.get(link).json()
                link = page["next"]
                artists |= {
                    artist["id"]: None for entry in page["items"] for artist in entry["item"]["artists"]
                }
            ids = list(artists)
            for start in range(0, len(ids), PLAIN_ARTISTS):
                session.get(f"{url}/v1/artists?ids={','.join(ids[start : start + PLAIN_ARTISTS])}")


def fill(home: Path, playlists: int) -> None:
    """Write the lake in `home` as if that many playlists had been read on day 0."""
    from ingestion.lake import Lake
    from ingestion.spotify.tables import PLAYLIST_OBSERVATIONS, PLAYLISTS

    lake = Lake(scratch_settings(home).lake_url)
    seen = {"observed_on": DAY_0.date(), "observed_at": DAY_0, "seen_in": "playlist", "is_available": True}
    for start in range(0, playlists, UNIT_PLAYLISTS):
        states = [
            {"playlist_id": spotify_id(number), "snapshot_id": snapshot_id(number, 0), "item_count": 1}
            for number in range(start, min(start + UNIT_PLAYLISTS, playlists))
        ]
        with lake.write_unit("spotify", f"{start:024}", "benchmark", []) as unit:
            unit.write(PLAYLISTS, PLAYLISTS.from_rows(states))
            looks = PLAYLIST_OBSERVATIONS.from_rows([one | seen for one in states])
            unit.write(PLAYLIST_OBSERVATIONS, looks)


if __name__ == "__main__":
    main()
