"""The operator's command: `python -m matching`.

Reads songs and tracks as dbt built them (`dbt build` comes before it), finds pairs that may be the same, and
loads them into `raw_matching` (`dbt build` comes after it). Where songs and tracks have not changed
since the last run it says so and finds nothing anew.

Settings come from the environment (`ingestion/config.py`). Exit status: 0 done, 1 not done (one line says
why), 2 the command line is wrong.
"""

import argparse
import logging
import sys
from collections.abc import Sequence

from ingestion.config import load_settings
from ingestion.errors import IngestionError

DONE, FAILED = 0, 1


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    argparse.ArgumentParser(
        prog="python -m matching",
        description="Find which songs of the Million Song Dataset may be which tracks, and load that.",
    ).parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        _match()
    except (IngestionError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED
    return DONE


def _match() -> None:
    # These take a second to import, dlt with them.
    from ingestion.computed import MATCHING
    from ingestion.load import load
    from matching.run import match

    settings = load_settings()
    result = match(settings)
    print(
        f"matching: {result.songs:,} songs, {result.tracks:,} tracks"
        + (": unchanged since the last run" if result.was_current else "")
    )
    print(f"  {result.song_candidates:>12,}  pairs of a song and a track")
    print(f"  {result.artist_candidates:>12,}  pairs of artists")
    if result.skipped_pairs:
        print(f"  {result.skipped_pairs:>12,}  pairs not compared: their title is that of too many")
    loaded = load(settings, MATCHING)
    print(f"{MATCHING.schema_name}: " + ("loaded" if loaded.units else "up to date"))
    print("next: dbt build")


if __name__ == "__main__":
    sys.exit(main())
