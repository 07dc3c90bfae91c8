"""Retention of what Spotify's Web API said: what nobody has confirmed in time goes.

A state of a playlist is confirmed by every look that shows it, so that an unchanged playlist stays as
long as somebody looks. After that the state goes with its items. What survives it:

- every change between states, in `playlist_track_changes`, written before one of the two goes;
- the first look at each playlist, without its number of followers;
- of the tracks, albums and artists that a surviving state refers to, the newest row of each;
- in the archive, the answers of which surviving states were made.

Which rows survive `spotify_survivors.py` decides; then the units of the lake that hold others are rewritten.
A state whose changes dbt has not derived yet stays until it has, and so does what was seen after it; what
was seen before goes.
"""

from collections import Counter
from datetime import date
from functools import partial

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.lake import DoneRecord, Lake
from ingestion.retention.result import RetentionResult
from ingestion.retention.spotify_survivors import SURVIVORS_OF
from ingestion.retention.survivors import Survivors
from ingestion.rewriting import rewrite
from ingestion.spotify import SPOTIFY
from ingestion.spotify.archive import archive_of, archived, archived_on, unarchived, without_expired
from ingestion.spotify.journal import COMPLETE, Entry
from ingestion.spotify.reparse import TRIMMED_BEFORE
from ingestion.spotify.tables import PLAYLIST_OBSERVATIONS, PLAYLISTS


def remove_expired(lake: Lake, unit: DoneRecord, surviving: Survivors, result: RetentionResult) -> None:
    """Rewrite a unit of the Web API without what does not survive; not where all of it does."""
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
