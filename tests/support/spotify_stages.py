"""`python -m ingestion spotify` as a process that can be killed, and the stages that its traces tell.

The order of the stages is the precedence (`tests/support/kill.py`): in a later one the traces of
earlier ones remain.
"""

import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from ingestion.spotify.authorisation import keep_refresh_token
from sandbox.spotify_api import SpotifyApi
from tests.support.kill import Stage, Target

STAGES = (
    Stage("started", glob="in_use"),
    Stage("answers are in the journal", glob="spotify/journals/*.jsonl"),
    Stage("a unit is being written", glob="lake/.writing/*/*"),
    Stage("ended", log="^next: "),
)

POLL_SECONDS = 0.001
"""A unit of some ten thousand rows is written in some ten milliseconds."""


def spotify_extraction(data_dir: Path, server: SpotifyApi, ids: Sequence[str] = ()) -> Target:
    """The command, authorised and watched in its data folder, for these playlists or the account's own."""
    token = data_dir / "spotify" / "token.json"
    if not token.exists():
        keep_refresh_token(token, server.client_id, server.refresh_token(), datetime.now(UTC))
    environment = {
        **os.environ,
        "WAREHOUSE_DATA_DIR": str(data_dir),
        "WAREHOUSE_HMAC_KEY": "the same for all runs",
        "SPOTIPY_CLIENT_ID": server.client_id,
        "SPOTIPY_CLIENT_SECRET": server.client_secret,
        "SPOTIFY_API_URL": server.url,
        "SPOTIFY_ACCOUNTS_URL": server.url,
        "SPOTIFY_LEDGER_DIR": str(data_dir / "spotify"),
    }
    command = [sys.executable, "-m", "ingestion", "spotify", *ids]
    return Target(command, environment, data_dir, STAGES, POLL_SECONDS)
