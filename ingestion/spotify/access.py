"""What this app may call: found out with at most three requests, remembered for a week.

Three kinds of app exist and old ones behave inconsistently, so nothing is assumed: an endpoint is tried.
One that refuses is off until the next probe.
"""

import json
import logging
import warnings
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path

from ingestion.spotify.api import CallRefusedError, NoAnswerError, SpotifyApi
from ingestion.spotify.ledger import Priority

log = logging.getLogger(__name__)

TRUSTED_FOR = timedelta(days=7)

PROBE_SEARCH = "year:1900-2100"
"""Finds a track, whatever the catalogue: its id and its artist's are what the other requests ask for."""


@dataclass
class Access:
    """What an app may call; None is not known: to be found out in use. `probed_at` is UTC."""

    client_id: str
    probed_at: datetime
    search: bool | None = None
    artists_at_once: bool | None = None
    artists_one_by_one: bool | None = None
    audio_features: bool | None = None

    @property
    def kind(self) -> str:
        """What tells this app, and what Spotify shows it, from another or from itself before an upgrade."""
        return f"{self.client_id} {self.search} {self.artists_at_once} {self.audio_features}"

    def as_json(self) -> str:
        """All of it, by name."""
        return json.dumps(asdict(self), default=datetime.isoformat)

    def save(self, path: Path) -> None:
        """Remember it."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.as_json())


def remembered_access(path: Path, client_id: str, now: datetime) -> Access | None:
    """What was found out about this app within the last week, if anything was."""
    try:
        stored = json.loads(path.read_text())
        access = Access(**{**stored, "probed_at": datetime.fromisoformat(stored["probed_at"])})
        is_current = access.client_id == client_id and now - access.probed_at < TRUSTED_FOR
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None
    return access if is_current else None


def probe(api: SpotifyApi, now: datetime, refused: Callable[[CallRefusedError], None]) -> Access:
    """Find out, with at most three requests; `refused` is told of every one that was refused."""
    access = Access(api.client_id, now)
    spotify = api.spotify

    def is_allowed(method: Callable, *arguments, **options) -> tuple[bool | None, dict]:
        try:
            with warnings.catch_warnings(action="ignore", category=DeprecationWarning):
                answer = api.call(method, *arguments, priority=Priority.PLAYLISTS, **options)
        except CallRefusedError as error:
            refused(error)
            return (False if error.is_lasting else None), {}
        except NoAnswerError as error:
            log.warning("%s", error)
            return None, {}
        return True, answer.json

    access.search, found = is_allowed(spotify.search, PROBE_SEARCH, limit=1, type="track")
    track_id, artist_id = _ids(found)
    if artist_id:
        access.artists_at_once, _ = is_allowed(spotify.artists, [artist_id])
    if track_id:
        access.audio_features, _ = is_allowed(spotify.audio_features, [track_id])
    return access


def _ids(found: dict) -> tuple[str | None, str | None]:
    """The id of the first track found and of its first artist."""
    try:
        track = found["tracks"]["items"][0]
        return track["id"], track["artists"][0]["id"]
    except (KeyError, IndexError, TypeError):
        return None, None
