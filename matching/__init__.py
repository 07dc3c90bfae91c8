"""Which song of the Million Song Dataset is which track of Spotify: candidates and how alike they are.

Reads songs and tracks from the warehouse and writes the raw schema `raw_matching`. What is alike enough is
decided in dbt (`models/intermediate/matching/`), never here.
"""

SONGS_READ = ("intermediate", "int_songs_enriched")
TRACKS_READ = ("intermediate", "int_tracks_deduplicated")
CREDITS_READ = ("intermediate", "int_track_artists_unioned")
SEARCH_RESULTS_READ = ("staging", "stg_spotify__track_search_results")

MODELS_READ = (SONGS_READ, TRACKS_READ, CREDITS_READ, SEARCH_RESULTS_READ)
"""Schema and name of the dbt models that matching reads."""
