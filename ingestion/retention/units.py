"""Units of the lake, without the rows and answers that do not survive."""

from collections import Counter
from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.lake import DoneRecord, Lake
from ingestion.retention.result import RetentionResult
from ingestion.retention.survivors import Survivors
from ingestion.rewriting import rewrite
from ingestion.spotify.archive import archive_of, archived, archived_on, unarchived, without_expired
from ingestion.spotify.journal import COMPLETE, Entry
from ingestion.spotify.reparse import TRIMMED_BEFORE

LOOKS = "playlist_observations"

FOLLOWERS = "follower_count"
"""A look of a day that is past tells these no more."""


def remove_expired(lake: Lake, unit: DoneRecord, surviving: Survivors, result: RetentionResult) -> None:
    """Rewrite a unit without what does not survive; not where all of it does."""
    days = [archived_on(part) for part in archive_of(unit)]
    if days and min(days) >= surviving.cutoff:
        return  # all its rows are of answers since then
    known = {table.name: table for table in surviving.source.tables}
    removed: Counter = Counter()
    changed = set()
    for part in unit.parts:
        if part.table not in surviving.columns:
            continue
        columns = list(surviving.columns[part.table])
        if part.table == LOOKS and FOLLOWERS in known[LOOKS].schema.names:
            columns.append(FOLLOWERS)
        for batch in lake.read_columns(part, columns):
            rows = pa.Table.from_batches([batch])
            left = _left(surviving, part.table, rows)
            removed[part.table] += rows.num_rows - left.num_rows
            if not left.equals(rows):
                changed.add(part.table)
    attached, inputs = None, unit.inputs
    if _is_archive_to_be_trimmed(unit, surviving.cutoff, "playlists" in changed):
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
        surviving.source,
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
    """What is left of some rows, and of looks of days that are past."""
    numbers, is_expired = surviving.among(table, rows)
    left = rows.take(pa.array(numbers))
    if is_expired.any():
        place = left.schema.get_field_index(FOLLOWERS)
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
