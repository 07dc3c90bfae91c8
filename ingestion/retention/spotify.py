"""Retention: what Spotify's Web API said is kept for some days after it was last confirmed, then removed.

A state of a playlist is confirmed by every look that shows it, so that an unchanged playlist stays as
long as somebody looks. After that the state goes with its items. What survives it:

- every change between states, in `playlist_track_changes`, written before one of the two goes;
- the first look at each playlist, without its number of followers;
- of the tracks, albums and artists that a surviving state refers to, the newest row of each;
- in the archive, the answers of which surviving states were made.

Which rows survive is decided by SQL over raw; then the units of the lake that hold others are rewritten,
and the loader does the rest. A state whose changes dbt has not derived yet stays until it has, and so
does what was seen after it; what was seen before goes.
"""

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from importlib.metadata import version

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.config import Settings
from ingestion.lake import DoneRecord, Lake, unit_id
from ingestion.load import load
from ingestion.progress import Progress
from ingestion.rewriting import lake_to_rewrite, rewrite
from ingestion.spotify import SPOTIFY
from ingestion.spotify.archive import archive_of, archived, archived_on, unarchived, without_expired
from ingestion.spotify.journal import COMPLETE, Entry
from ingestion.spotify.reparse import TRIMMED_BEFORE
from ingestion.spotify.survivors import SURVIVORS_OF, Survivors, survivors
from ingestion.spotify.tables import PLAYLIST_OBSERVATIONS, PLAYLIST_TRACK_CHANGES, PLAYLISTS

log = logging.getLogger(__name__)


@dataclass
class RetentionResult:
    """What was removed from the lake: rows per raw table, and answers from the archive.

    `changes_kept` counts the changes written down before. `playlists_held` have a state that is due to be
    removed and whose changes dbt has not derived yet.
    """

    cutoff_on: date | None = None
    rows: Counter = field(default_factory=Counter)
    archive_entries: int = 0
    units_rewritten: int = 0
    changes_kept: int = 0
    playlists_held: int = 0


def retain(settings: Settings, days: int | None, today: date | None = None) -> RetentionResult:
    """Remove what the Web API last confirmed more than `days` days before `today` (UTC), and load the rest.

    Without `days` everything is kept, and in the sandbox, whose days are long ago. Twice is as good as
    once, and where it was killed the next time completes it. Raises LoadError where the warehouse is
    held by another process.
    """
    if settings.is_sandbox:
        log.info("the sandbox keeps everything")
        return RetentionResult()
    if days is None:
        return RetentionResult()
    cutoff = (today or datetime.now(UTC).date()) - timedelta(days=days)
    result = RetentionResult(cutoff)
    with lake_to_rewrite(settings, SPOTIFY) as lake:
        units = lake.current_revisions(SPOTIFY.name)  # before the load, so that raw holds every one
        load(settings, SPOTIFY)
        with survivors(settings, cutoff) as surviving:
            result.playlists_held = surviving.playlists_held
            if result.playlists_held:
                log.warning(
                    "%s playlists hold states that are due to be removed and of which no changes were "
                    "derived yet: they stay until `dbt build` was run",
                    f"{result.playlists_held:,}",
                )
            result.changes_kept = _keep_changes(lake, surviving.changes)
            with Progress("retention spotify", len(units), "units") as progress:
                for id_, revision in units.items():
                    _rewrite(lake, lake.done_record(SPOTIFY.name, id_, revision), surviving, result)
                    progress.advance(1)
    if result.units_rewritten or result.changes_kept:
        load(settings, SPOTIFY)
    log.info(
        "retention: before %s, %s rows and %s answers removed; %s changes kept",
        cutoff,
        f"{result.rows.total():,}",
        f"{result.archive_entries:,}",
        f"{result.changes_kept:,}",
    )
    return result


def _keep_changes(lake: Lake, changes: pa.Table) -> int:
    """Write the changes into a unit of their own, the same one for the same changes."""
    if changes.num_rows:
        keys = changes.select(PLAYLIST_TRACK_CHANGES.primary_key).to_pylist()
        id_ = unit_id(SPOTIFY.name, 1, keys)
        with lake.write_unit(SPOTIFY.name, id_, version("music-warehouse"), [{"derived_by": "dbt"}]) as unit:
            unit.write(PLAYLIST_TRACK_CHANGES, changes)
    return changes.num_rows


def _rewrite(lake: Lake, unit: DoneRecord, surviving: Survivors, result: RetentionResult) -> None:
    """Rewrite a unit without what does not survive; nothing where all of it does."""
    days = [archived_on(part) for part in archive_of(unit)]
    if days and min(days) >= surviving.cutoff:
        return  # all its rows are of answers since then
    removed: Counter = Counter()
    changed = set()
    for part in unit.parts:
        if part.table not in SURVIVORS_OF:
            continue
        columns = list(SURVIVORS_OF[part.table][1])
        if part.table == PLAYLIST_OBSERVATIONS.name:
            columns.append("follower_count")
        for batch in lake.read_columns(part, columns):
            rows = pa.Table.from_batches([batch])
            left = _left(surviving, part.table, rows)
            removed[part.table] += rows.num_rows - left.num_rows
            if not left.equals(rows):
                changed.add(part.table)
    attached, inputs = None, unit.inputs
    if _is_archive_to_be_trimmed(unit, surviving.cutoff, PLAYLISTS.name in changed):
        entries = unarchived(lake, unit)
        kept = without_expired(entries, surviving.cutoff, surviving.has_state)
        result.archive_entries += _answers(entries) - _answers(kept)
        attached = partial(archived, entries=kept)
        inputs = [entry for entry in unit.inputs if TRIMMED_BEFORE not in entry]
        inputs.append({TRIMMED_BEFORE: surviving.cutoff.isoformat()})
    elif not changed:
        return
    rewrite(
        lake,
        SPOTIFY,
        unit,
        changed,
        lambda table, rows: _left(surviving, table.name, rows),
        attached,
        inputs=inputs,
    )
    result.units_rewritten += 1
    result.rows += removed


def _answers(entries: list[Entry]) -> int:
    return sum(entry.kind != COMPLETE for entry in entries)


def _left(surviving: Survivors, table: str, rows: pa.Table) -> pa.Table:
    """What is left of some rows; a look of a day that is past tells no followers any more."""
    numbers, is_expired = surviving.among(table, rows)
    left = rows.take(pa.array(numbers))
    if is_expired.any():
        place = left.schema.get_field_index("follower_count")
        told = pc.if_else(pa.array(is_expired), pa.scalar(None, pa.int64()), left.column(place))
        left = left.set_column(place, left.schema.field(place), told)
    return left


def _is_archive_to_be_trimmed(unit: DoneRecord, cutoff: date, has_lost_states: bool) -> bool:
    """Whether a unit may hold answers that go: it has old ones, and not all were looked at before."""
    old_days = [day for part in archive_of(unit) if (day := archived_on(part)) < cutoff]
    if not old_days:
        return False
    trimmed = [date.fromisoformat(entry[TRIMMED_BEFORE]) for entry in unit.inputs if TRIMMED_BEFORE in entry]
    return has_lost_states or not trimmed or max(old_days) >= max(trimmed)
