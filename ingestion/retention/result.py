"""What one retention did."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import date


@dataclass
class RetentionResult:
    """What was removed from the lake: rows per raw table, and answers from the archive.

    `cutoff_on` is the first day that is kept, None where everything is. `changes_kept` counts the changes
    written down before. `playlists_held` have a state that is due to be removed and whose changes dbt has not
    derived yet.
    """

    cutoff_on: date | None = None
    rows: Counter = field(default_factory=Counter)
    archive_entries: int = 0
    units_rewritten: int = 0
    changes_kept: int = 0
    playlists_held: int = 0
