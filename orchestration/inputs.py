"""Where a run's input lies: the configured sources, or the sandbox when there are none."""

from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime, time
from pathlib import Path

from ingestion.config import Settings, SpotifySettings
from sandbox import write_sandbox

SANDBOX_LOOK = time(23, tzinfo=UTC)
"""When on each of its days the sandbox's Web API is asked: all edits of a day were made by then."""


def input_path(settings: Settings, source_name: str) -> Path | str | None:
    """Where a source's files lie; None for a source that is not configured while another is."""
    if not settings.is_sandbox:
        return settings.source_paths.get(source_name)
    return getattr(write_sandbox(settings.home / "world"), source_name)


def extract_sandbox_playlists(settings: Settings) -> Counter:
    """Read the playlists of the sandbox's Web API on each of its days not read yet; rows per raw table."""
    from ingestion.spotify.run import extract_playlists, keep_authorisation
    from sandbox.spotify_api import SpotifyApi

    rows: Counter = Counter()
    days_read = settings.spotify_dir / "sandbox_days"
    last_day = date.fromisoformat(days_read.read_text()) if days_read.exists() else date.min
    with SpotifyApi(app="extended") as server:
        app = SpotifySettings(
            server.client_id, server.client_secret, api_url=server.url, accounts_url=server.url
        )
        settings = replace(settings, spotify=app)
        keep_authorisation(
            settings, server.refresh_token(), datetime.combine(server.world.days[0], SANDBOX_LOOK)
        )
        for day in server.world.days:
            if day > last_day:
                server.day = day
                moment = datetime.combine(day, SANDBOX_LOOK)
                rows += extract_playlists(settings, now=lambda moment=moment: moment).rows
                days_read.write_text(day.isoformat())
    return rows
