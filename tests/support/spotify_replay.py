"""Days of the sandbox's world, as a machine sees them that extracts from the imitation of the Web API.

Its workplace is a folder with the machine's data and a profile for dbt.
"""

import shutil
from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import duckdb

from ingestion.config import Settings, load_settings
from ingestion.spotify.extract import SpotifyResult
from ingestion.spotify.run import SONGS_TO_SEARCH, extract_playlists, keep_authorisation
from ingestion.spotify.search import Song
from sandbox.spotify_api import SpotifyApi as Server
from tests.dbt_project.conftest import MODELS_ALONE, REPOSITORY, DbtWorkplace
from tests.support.clock import SimulatedClock


def settings_of(server: Server, data_dir: Path, **variables: str) -> Settings:
    """Settings of a machine whose app and user the server knows, and whatever else is set."""
    settings = load_settings(environment_of(server, data_dir) | variables)
    keep_authorisation(settings, server.refresh_token(), datetime.now(UTC))
    return settings


def environment_of(server: Server, data_dir: Path) -> dict[str, str]:
    """The same as variables of the environment."""
    return {
        "WAREHOUSE_DATA_DIR": str(data_dir),
        "WAREHOUSE_HMAC_KEY": "a key of the tests",
        "SPOTIPY_CLIENT_ID": server.client_id,
        "SPOTIPY_CLIENT_SECRET": server.client_secret,
        "SPOTIFY_API_URL": server.url,
        "SPOTIFY_ACCOUNTS_URL": server.url,
        "SPOTIFY_LEDGER_DIR": str(data_dir / "spotify"),
    }


def look(
    settings: Settings, server: Server, day: date, playlist_ids: Iterable[str] | None = None
) -> SpotifyResult:
    """Extract on a day: the playlists with these ids, or the user's own."""
    server.day = day
    clock = SimulatedClock(datetime.combine(day, time(6), UTC))
    return extract_playlists(
        settings,
        playlist_ids,
        now=clock.now,
        sleep=lambda seconds: clock.advance(timedelta(seconds=seconds)),
    )


def write_songs_to_search(data_dir: Path, songs: Iterable[Song]) -> None:
    """The table that dbt leaves, with these songs, the most popular first, in a data folder's warehouse."""
    schema, table = SONGS_TO_SEARCH
    data_dir.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(data_dir / "warehouse.duckdb")) as warehouse:
        warehouse.execute(f"create schema if not exists {schema}")
        warehouse.execute(
            f"create or replace table {schema}.{table} "
            "(msd_track_id varchar, title varchar, artist_name varchar, popularity_rank bigint)"
        )
        ranked = [
            [song.msd_track_id, song.title, song.artist_name, rank] for rank, song in enumerate(songs, 1)
        ]
        warehouse.executemany(f"insert into {schema}.{table} values (?, ?, ?, ?)", ranked[::-1])


def run_dbt(workplace: Path, *models: str) -> None:
    """Have dbt make these models, and seeds, of what is in a workplace's warehouse; nothing is tested."""
    shutil.copyfile(REPOSITORY / "profiles.example.yml", workplace / "profiles.yml")
    build = ("build", *MODELS_ALONE, "--select", *models)
    invocation = DbtWorkplace.finish(DbtWorkplace(workplace).start(*build))
    assert invocation.returncode == 0, invocation.output
