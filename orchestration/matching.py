"""Matching as a step between dbt's models: it reads some of them, and others are made of what it finds."""

import dagster as dg

from ingestion.computed import MATCHING
from ingestion.config import load_settings
from matching import MODELS_READ
from orchestration.dbt_models import models_to_match
from orchestration.lake import lake_key


@dg.asset(
    key=lake_key(MATCHING),
    deps=[key for key in map(dg.AssetKey, MODELS_READ) if key in models_to_match.keys],
    group_name="lake",
    kinds={"parquet"},
    description="Pairs of songs and tracks, and of artists, that may be the same, and in what they differ.",
)
def candidates_lake_asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The lake's parts of matching; a run that finds songs and tracks unchanged leaves them as they are."""
    from matching.run import match  # it and dlt, which comes with it, take a second to import

    result = match(load_settings())
    if result.was_current:
        context.log.info("songs and tracks are those of the last run: its candidates hold")
    return dg.MaterializeResult(
        metadata={
            "songs": result.songs,
            "tracks": result.tracks,
            "song_candidates": result.song_candidates,
            "artist_candidates": result.artist_candidates,
            "skipped_pairs": result.skipped_pairs,
            "was_current": result.was_current,
        }
    )
