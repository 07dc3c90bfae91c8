"""The rows of Spotify's Web API made anew from the archive, without a request: how a new column is had."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib.metadata import version

from ingestion.config import Settings
from ingestion.hash_key import require_same_key
from ingestion.lake import DoneRecord, Lake
from ingestion.progress import Progress
from ingestion.rewriting import lake_to_rewrite
from ingestion.spotify import SPOTIFY, answers
from ingestion.spotify.archive import archive_of, unarchived
from ingestion.spotify.tables import EXTRACTION_LOG, PLAYLIST_TRACK_CHANGES
from ingestion.tables import RawTable

NOT_FROM_ANSWERS = frozenset({EXTRACTION_LOG.name, PLAYLIST_TRACK_CHANGES.name})

TRIMMED_BEFORE = "archive_trimmed_before"
"""Among a unit's inputs: the day before which retention has left only the answers of surviving states."""


@dataclass
class ReparseResult:
    """What was made anew: units, and their rows per raw table."""

    units: int = 0
    rows: Counter = field(default_factory=Counter)


def reparse(settings: Settings, hash_user: Callable[[str], str]) -> ReparseResult:
    """Give every unit of the lake that has an archive a new revision, with rows made of its answers anew.

    All of them, for a row of one can take the place of a row of another. Where retention has taken
    answers out of the archive, rows of which there is no answer any more stay as they are, and rows
    that it had removed but has the answers of come back until it is run again. Loading is left to
    the loader. Raises LakeError where an archive is damaged, and ConfigError where the lake was made
    with another key for the hashes of users.
    """
    result = ReparseResult()
    with lake_to_rewrite(settings, SPOTIFY) as lake:
        require_same_key(settings, lake)
        units = lake.current_revisions(SPOTIFY.name)
        with Progress("parse spotify", len(units), "units") as progress:
            for id_, revision in units.items():
                unit = lake.done_record(SPOTIFY.name, id_, revision)
                if archive_of(unit):
                    result.rows += _rewrite(lake, unit, hash_user)
                    result.units += 1
                progress.advance(1)
    return result


def _rewrite(lake: Lake, unit: DoneRecord, hash_user: Callable[[str], str]) -> Counter:
    rows = answers.rows_of(unarchived(lake, unit), hash_user)
    is_trimmed = any(TRIMMED_BEFORE in entry for entry in unit.inputs)
    counts = Counter()
    with lake.rewrite_unit(unit, code_version=version("music-warehouse")) as writer:
        for part in unit.parts:
            table = next((table for table in SPOTIFY.tables if table.name == part.table), None)
            if table is None or table.name in NOT_FROM_ANSWERS:
                writer.keep(part)
                counts[part.table] += part.rows
            elif is_trimmed:
                owners = {_owner(table, row) for row in rows.rows(table)}
                for batch in lake.read_part(part):
                    for row in batch.to_pylist():
                        if _owner(table, row) not in owners:
                            rows.put(table, row)
        for table, batch in rows.tables():
            writer.write(table, batch)
            counts[table.name] += batch.num_rows
    del counts[""]
    return counts


def _owner(table: RawTable, row: dict) -> tuple:
    """The key of a row but for its position: rows of one owner are made anew all or none."""
    return tuple(row[name] for name in table.primary_key if name != "position")
