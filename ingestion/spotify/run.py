"""A run as the settings describe it: app, access, ledger, lake and folders put together."""

import logging
import sqlite3
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import suppress
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path

import requests

from ingestion.config import Settings, SpotifySettings
from ingestion.errors import ConfigError
from ingestion.hash_key import require_same_key
from ingestion.lake import Lake
from ingestion.spotify.api import TIMEOUT_SECONDS, SpotifyApi
from ingestion.spotify.authorisation import (
    App,
    AppAccess,
    AuthorisationError,
    UserAccess,
    keep_refresh_token,
    login,
)
from ingestion.spotify.extract import Extraction, SearchResult, SpotifyResult
from ingestion.spotify.ids import playlist_ids as ids_in
from ingestion.spotify.ledger import Ledger, Limits, Priority, ledger_file
from ingestion.spotify.search import Song

log = logging.getLogger(__name__)

SONGS_TO_SEARCH = ("intermediate", "int_songs_unmatched")
"""What dbt has left without a match, as it was when it was built last."""

NOTHING_TO_SEARCH = f"there is no {'.'.join(SONGS_TO_SEARCH)}: nothing to search for before `dbt build`"

HASHES_KEPT = 100_000
"""Users whose hash is remembered: the same few add nearly all items of a playlist."""


def extract_playlists(
    settings: Settings,
    playlist_ids: Iterable[str] | None = None,
    shard: tuple[int, int] = (1, 1),
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> SpotifyResult:
    """Read playlists of the Web API into the lake: those with these ids, else what the settings name.

    That is the file SPOTIFY_PLAYLIST_IDS, else the playlists of the user who authorised the app. `shard`
    (i, n), 1 <= i <= n, takes the i-th of n disjoint shares. Raises ConfigError where no app is set and
    AuthorisationError where the app or the user has no access.
    """
    spotify = configured_app(settings)
    if playlist_ids is None and spotify.playlist_ids:
        playlist_ids = ids_in_file(spotify.playlist_ids)
    return _extraction(settings, playlist_ids is None, shard, now, sleep).run(playlist_ids)


def search_songs(
    settings: Settings,
    most: int | None = None,
    shard: tuple[int, int] = (1, 1),
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
) -> SearchResult:
    """Search the Web API for songs that dbt has left without a match, into the lake.

    The `most` popular ones of this shard that were not searched for of late; by default as many as the
    day's requests for searches are. The warehouse is read first, and not held while Spotify is asked. Raises
    ConfigError where no app is set, or nothing that limits the search, LoadError where the warehouse
    cannot be read, and AuthorisationError where the app has no access.
    """
    spotify = configured_app(settings)
    if most is None:
        if spotify.daily_requests is None:
            raise ConfigError(
                "give the number of songs, or set SPOTIFY_DAILY_REQUESTS: without a limit of your own a "
                "search goes on until Spotify's quota is spent, and leaves nothing for playlists"
            )
        most = int(spotify.daily_requests * Priority.SEARCH.value)
    extraction = _extraction(settings, needs_user=False, shard=shard, now=now, sleep=sleep)
    return extraction.search(_songs_to_search(settings), most)


def _songs_to_search(settings: Settings) -> Generator[Song, None, None]:
    """The songs without a match, most popular first; none where there is no such table yet.

    Raises LoadError where another process holds the warehouse.
    """
    from ingestion.warehouse import open_warehouse  # dlt takes seconds to import; playlists need none of it

    table = ".".join(SONGS_TO_SEARCH)
    if settings.target == "duckdb" and not settings.warehouse_path.exists():
        log.warning(NOTHING_TO_SEARCH)
        return
    with open_warehouse(settings, read_only=True) as warehouse:
        if not warehouse.has_table(*SONGS_TO_SEARCH):
            log.warning(NOTHING_TO_SEARCH)
            return
        for rows in warehouse.batches(
            f"select msd_track_id, title, artist_name from {table} order by popularity_rank"
        ):
            yield from (Song(**row) for row in rows.to_pylist())


def _extraction(
    settings: Settings,
    needs_user: bool,
    shard: tuple[int, int],
    now: Callable[[], datetime],
    sleep: Callable[[float], None],
) -> Extraction:
    """An extraction into the settings' lake, on the ledger of their account."""
    settings.activate()
    lake = Lake(settings.lake_url)
    require_same_key(settings, lake)
    settings.remember_real_data()
    ledger = _ledger(settings, now, sleep)
    access = _access(settings, needs_user, now)
    api = SpotifyApi(settings.spotify.api_url, access, ledger, now, sleep)
    hash_user = lru_cache(HASHES_KEPT)(settings.hash_user)
    return Extraction(api, lake, settings.spotify_dir, hash_user, shard, now=now)


def configured_app(settings: Settings) -> SpotifySettings:
    """What is set about the app. Raises ConfigError where none is."""
    if settings.spotify is None:
        raise ConfigError(
            "no Spotify app is set: give SPOTIPY_CLIENT_ID and SPOTIPY_CLIENT_SECRET, "
            "from https://developer.spotify.com/dashboard"
        )
    return settings.spotify


def ids_in_file(path: Path) -> list[str]:
    """The playlist ids in a file, one a line. Raises ConfigError that names the file, and the line."""
    try:
        return ids_in(path.read_text(encoding="utf-8").splitlines())
    except (ConfigError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from None


def has_something_to_read(settings: Settings) -> bool:
    """Whether the settings name playlists, or a user has authorised the app."""
    spotify = settings.spotify
    return spotify is not None and (spotify.playlist_ids is not None or token_path(settings).exists())


def authorise(settings: Settings, paste: bool, show: Callable[[str], None]) -> None:
    """Have a user authorise the app, once; see `authorisation.login`."""
    app = _app(configured_app(settings))
    settings.activate()
    login(app, token_path(settings), TIMEOUT_SECONDS, paste, show)


def keep_authorisation(settings: Settings, refresh_token: str, authorised_at: datetime) -> None:
    """Keep a user's refresh token as `authorise` would."""
    client_id = configured_app(settings).client_id
    keep_refresh_token(token_path(settings), client_id, refresh_token, authorised_at)


def token_path(settings: Settings) -> Path:
    """The file with the user's refresh token."""
    return settings.spotify_dir / "token.json"


def _ledger(settings: Settings, now: Callable[[], datetime], sleep: Callable[[float], None]) -> Ledger:
    spotify = settings.spotify
    file = ledger_file(spotify.ledger_dir or settings.spotify_dir, spotify.account or spotify.client_id)
    limits = Limits(window=spotify.window_requests, day=spotify.daily_requests)
    try:
        return Ledger(file, limits, now, sleep)
    except (OSError, sqlite3.DatabaseError) as error:
        raise ConfigError(
            f"requests cannot be counted in {file} ({error}): mend or remove it, or name another folder, "
            "the same for all extractors of this machine, in SPOTIFY_LEDGER_DIR"
        ) from error


def _app(spotify: SpotifySettings) -> App:
    return App(spotify.client_id, spotify.client_secret, spotify.redirect_uri, spotify.accounts_url)


def _access(settings: Settings, needs_user: bool, now: Callable[[], datetime]) -> AppAccess | UserAccess:
    """The user's access where there is one, for it shows more; else the app's own, which can read by id."""
    app = _app(settings.spotify)
    if needs_user or token_path(settings).exists():
        try:
            access = UserAccess(app, token_path(settings), TIMEOUT_SECONDS, now)
            with suppress(requests.RequestException):  # no answer now: it is asked for again with each call
                access.get_access_token()
        except AuthorisationError as error:
            if needs_user:
                raise
            log.warning("reading by id without a user, so public playlists only: %s", error)
        else:
            access.warn_if_it_ends_soon()
            return access
    return AppAccess(app, TIMEOUT_SECONDS)
