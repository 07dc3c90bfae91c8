"""What an extraction will cost, in requests and days, before any is spent.

The requests are those that `extract.py` makes, as its tests count them at a server. How many different
artists and tracks N playlists hold is an estimate: both grow more slowly than N. The Million Playlist
Dataset has 295,860 artists and 2,262,292 tracks in 1,000,000 playlists of 66 items.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ingestion.spotify.enrichment import ARTIST_BATCH, FEATURES_BATCH
from ingestion.spotify.ledger import Priority
from ingestion.spotify.playlists import LIST_PAGE

EMBEDDED_ITEMS = 100
"""Items in the page that a playlist's own answer holds."""

MPD_PLAYLISTS, MPD_ARTISTS, MPD_TRACKS = 1_000_000, 295_860, 2_262_292

ARTISTS_GROW, TRACKS_GROW = 0.65, 0.75
"""Powers of N at which artists and tracks grow. Assumed, so that one playlist alone has some 40 artists and
70 tracks: Heaps' law between that and the whole Million Playlist Dataset."""

ENRICHED_DAYS = 30
"""Days after which an artist is asked for again."""

REQUESTS_PER_SONG = 2
"""Of a search, at most: by filters, then by plain words."""

ASSUMED_DAILY_REQUESTS = 10_000
"""Where SPOTIFY_DAILY_REQUESTS does not say: Spotify publishes no number."""


@dataclass(frozen=True)
class AppKind:
    """What decides how many requests a kind of app needs."""

    name: str
    items_per_page: int
    artists_at_once: int
    has_audio_features: bool
    shows_items_of_others: bool


APP_KINDS = (
    AppKind("development", 50, 1, has_audio_features=False, shows_items_of_others=False),
    AppKind("extended", 50, ARTIST_BATCH, has_audio_features=False, shows_items_of_others=True),
    AppKind("legacy", 100, ARTIST_BATCH, has_audio_features=True, shows_items_of_others=True),
)


@dataclass(frozen=True)
class Cost:
    """Requests of a first run and of one on a later day, for one kind of app and way of naming playlists."""

    app: str
    playlists: str
    first_run: int
    daily_run: int


def costs(playlists: int, tracks: int, changed: float) -> Iterator[Cost]:
    """The costs for so many playlists of so many tracks, a share `changed` of which changes in a day."""
    for app in APP_KINDS:
        for is_own in (True, False):
            shows_items = is_own or app.shows_items_of_others
            further_pages = math.ceil(max(0, tracks - EMBEDDED_ITEMS) / app.items_per_page)
            pages = 1 + (further_pages if shows_items else 0)
            artists = math.ceil(artists_in(playlists)) if shows_items else 0
            new_tracks = math.ceil(tracks_in(playlists)) if shows_items and app.has_audio_features else 0
            changes = math.ceil(playlists * changed)
            yield Cost(
                app.name,
                "your own" if is_own else "by id",
                first_run=(math.ceil(playlists / LIST_PAGE) if is_own else 0)
                + playlists * pages
                + math.ceil(artists / app.artists_at_once)
                + math.ceil(new_tracks / FEATURES_BATCH),
                daily_run=(
                    math.ceil(playlists / LIST_PAGE) + changes * pages
                    if is_own
                    else playlists + changes * (pages - 1)
                )
                + math.ceil(artists / ENRICHED_DAYS / app.artists_at_once),
            )


def artists_in(playlists: int) -> float:
    """About how many different artists so many playlists hold."""
    return MPD_ARTISTS * (playlists / MPD_PLAYLISTS) ** ARTISTS_GROW


def tracks_in(playlists: int) -> float:
    """About how many different tracks so many playlists hold."""
    return MPD_TRACKS * (playlists / MPD_PLAYLISTS) ** TRACKS_GROW


def shown(playlists: int, tracks: int, changed: float, daily_requests: int | None) -> str:
    """The plan as text: a line per kind of app and way of naming playlists, requests and days."""
    per_day = daily_requests or ASSUMED_DAILY_REQUESTS
    lines = [
        f"{playlists:,} playlists of {tracks:,} tracks, {changed:.1%} of them changed a day; "
        f"about {artists_in(playlists):,.0f} artists among them.",
        "",
        f"{'app':<12} {'playlists':<10} {'first run':>12} {'days':>6} {'daily run':>12} {'days':>6}",
    ]
    for cost in costs(playlists, tracks, changed):
        lines.append(
            f"{cost.app:<12} {cost.playlists:<10} {cost.first_run:>12,} {_days(cost.first_run, per_day):>6,} "
            f"{cost.daily_run:>12,} {_days(cost.daily_run, per_day):>6,}"
        )
    source = "SPOTIFY_DAILY_REQUESTS" if daily_requests else "assumed: Spotify publishes no number"
    return "\n".join(
        [
            *lines,
            "",
            f"Days at {per_day:,} requests a day ({source}).",
            "A development app sees items in the user's own playlists only; by id it reads names and owners.",
            "Searching for a song takes 1 or 2 requests, whatever the app, while less than "
            f"{Priority.SEARCH.value:.0%} of a day's are spent:",
            f"at least {_songs_searched(per_day):,} songs on a day that asks for nothing else.",
        ]
    )


def _songs_searched(per_day: int) -> int:
    """How many songs a day's requests are enough for, whether they are found at once or not."""
    return int(per_day * Priority.SEARCH.value) // REQUESTS_PER_SONG


def _days(requests: int, per_day: int) -> int:
    return math.ceil(requests / per_day)
