"""Which song of the Million Song Dataset is which track of Spotify: candidates and how alike they are.

Reads songs and tracks from the warehouse and writes the raw schema `raw_matching`. What is alike enough is
decided in dbt (`models/intermediate/matching/`), never here.
"""

from ingestion.source import Source
from matching.tables import TABLES

MATCHING = Source("matching", TABLES)
