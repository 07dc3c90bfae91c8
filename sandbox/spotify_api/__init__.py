"""An imitation of the Spotify Web API and accounts service over a sandbox's world, on loopback.

    with SpotifyApi(app="development") as api:
        api.faults.script(faults.too_many_requests("2"), path="/v1/playlists/*")
        requests.get(f"{api.api_url}me/playlists", headers={"Authorization": f"Bearer {api.user_token()}"})

`faults` makes what can go wrong, `ODD_PLAYLISTS` names the playlists with something odd about them.
For tests, benchmarks and trying the warehouse without an account; it knows nothing of the warehouse.
"""

from sandbox.spotify_api import faults
from sandbox.spotify_api.access import AppKind, Naming
from sandbox.spotify_api.accounts import ALL_SCOPES
from sandbox.spotify_api.odd import FOREIGN_BASE, ODD_PLAYLISTS, SPOTIFY_PLAYLIST_IDS, odd_playlists
from sandbox.spotify_api.request_log import LoggedRequest
from sandbox.spotify_api.server import SpotifyApi

__all__ = [
    "ALL_SCOPES",
    "FOREIGN_BASE",
    "ODD_PLAYLISTS",
    "SPOTIFY_PLAYLIST_IDS",
    "AppKind",
    "LoggedRequest",
    "Naming",
    "SpotifyApi",
    "faults",
    "odd_playlists",
]
