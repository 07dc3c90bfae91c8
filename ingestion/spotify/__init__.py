"""Spotify's Web API: playlists and what stands in them, with every state and day on which it was seen."""

import logging

from ingestion.source import Source
from ingestion.spotify.tables import TABLES

# It would log headers with the token in them, and as errors what is tried again here.
logging.getLogger("spotipy").setLevel(logging.CRITICAL)

SPOTIFY = Source("spotify", TABLES)
