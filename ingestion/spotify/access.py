"""What this app may call: found out with at most four requests, remembered for a week.

Three kinds of app exist and old ones behave inconsistently, so nothing is assumed: an endpoint is tried.
One that refuses is off until the next probe.
"""

import json
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ingestion.spotify.api import CallRefusedError, SpotifyApi
from ingestion.spotify.ledger import Priority

TRUSTED_FOR = timedelta(days=7)

PROBE_SEARCH = "year:1900-2100"
"""Finds a track, whatever the catalogue: its id and its artist's are what the other requests ask for."""


@dataclass
class Access:
    """What the app may call; None is not known yet. `probed_at` is UTC."""

    probed_at: datetime
    search: bool | None = None
    artists_at_once: bool | None = None
    tracks_at_once: bool | None = None
    audio_features: bool | None = None

    def save(self, path: Path) -> None:
        """Remember it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(asdict(self), default=datetime.isoformat))


def remembered_access(path: Path, now: datetime) -> Access | None:
    """What was found out within the last week, if anything was."""
    try:
        stored = json.loads(path.read_text())
        access = Access(**{**stored, "probed_at": datetime.fromisoformat(stored["probed_at"])})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return access if now - access.probed_at < TRUSTED_FOR else None


def probe(api: SpotifyApi, now: datetime, refused: Callable[[CallRefusedError], None]) -> Access:
    """Find out, with at most four requests; `refused` is told of every endpoint that is off."""
    access = Access(now)
    spotify = api.spotify

    def is_allowed(method: Callable, *arguments, **options) -> tuple[bool | None, dict]:
        try:
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                answer = api.call(method, *arguments, priority=Priority.PLAYLISTS, **options)
        except CallRefusedError as error:
            refused(error)
            return (False if error.is_lasting else None), {}
        return True, answer.json

    access.search, found = is_allowed(spotify.search, PROBE_SEARCH, limit=1, type="track")
    track_id, artist_id = _ids(found)
    if artist_id:
        access.artists_at_once, _ = is_allowed(spotify.artists, [artist_id])
    if track_id:
        access.tracks_at_once, _ = is_allowed(spotify.tracks, [track_id])
        access.audio_features, _ = is_allowed(spotify.audio_features, [track_id])
    return access


def _ids(found: dict) -> tuple[str | None, str | None]:
    """The id of the first track found and of its first artist."""
    try:
        track = found["tracks"]["items"][0]
        return track["id"], track["artists"][0]["id"]
    except (KeyError, IndexError, TypeError):
        return None, None
