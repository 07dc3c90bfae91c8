"""Retention of what files said: their rows go some days after they were extracted.

A file that changed is extracted again, and so is kept as of that day. What is gone does not come back
while the file stays as it is, for the lake knows that it was extracted. Of playlists survives every change
between states, in `playlist_track_changes`; a state whose changes dbt has not derived yet stays until it has.
"""

from collections import Counter

import pyarrow as pa

from ingestion.lake import DoneRecord, Lake
from ingestion.playlist_files import PLAYLIST_FILES
from ingestion.playlist_files.tables import PLAYLIST_TRACK_CHANGES
from ingestion.retention.result import RetentionResult
from ingestion.retention.survivors import STATES, Rules, Survivors
from ingestion.rewriting import rewrite
from ingestion.source import Source
from ingestion.tables import RawTable

TABLES = {
    "state_looks": """
        select playlist_id, snapshot_id, extracted_at from {schema}.playlists
    """,
    "expired_states": """
        select playlist_id, snapshot_id from state_looks
        where cast(extracted_at as date) < {cutoff}
    """,
    **STATES,
    "expired_looks": """
        select distinct playlist_id, observed_on from {schema}.playlist_observations
        where cast(extracted_at as date) < {cutoff}
    """,
    "held_looks": """
        select looks.playlist_id, looks.observed_on, looks.file_path
        from {schema}.playlist_observations as looks
        inner join held_playlists on looks.playlist_id = held_playlists.playlist_id
        where looks.observed_on >= held_playlists.held_since
    """,
}

HELD_IN = {
    "playlists": ("held_states", ("playlist_id", "snapshot_id")),
    "playlist_tracks": ("held_states", ("playlist_id", "snapshot_id")),
    "playlist_observations": ("held_looks", ("playlist_id", "observed_on", "file_path")),
}
"""What of an expired unit stays for the time being; nothing of its other tables does."""

IS_LOST = """
    exists (
        select 1 from expired_looks
        where
            expired_looks.playlist_id = changes.playlist_id
            and expired_looks.observed_on in (changes.seen_on, changes.last_seen_before_on)
    )
"""

RULES = Rules(PLAYLIST_FILES, PLAYLIST_TRACK_CHANGES, TABLES, HELD_IN, IS_LOST)


def remove_expired(
    lake: Lake, source: Source, unit: DoneRecord, surviving: Survivors | None, result: RetentionResult
) -> None:
    """Rewrite an expired unit of a file source without its rows, but for those that are held.

    `surviving` is None where the source has no playlists.
    """
    removed = Counter({part.table: part.rows for part in unit.parts})
    if surviving is None or not surviving.playlists_held:
        with lake.rewrite_unit(unit):
            pass  # nothing is left
    else:
        for part in unit.parts:
            if part.table in HELD_IN:
                for batch in lake.read_columns(part, HELD_IN[part.table][1]):
                    rows = pa.Table.from_batches([batch])
                    removed[part.table] -= _held(surviving, part.table, rows).num_rows
        if not any(removed[table] for table in HELD_IN):
            return

        def held(table: RawTable, rows: pa.Table) -> pa.Table:
            return _held(surviving, table.name, rows)

        rewrite(lake, source, unit, removed, held)
    result.units_rewritten += 1
    result.rows += removed


def _held(surviving: Survivors, table: str, rows: pa.Table) -> pa.Table:
    if table not in HELD_IN:
        return rows.slice(0, 0)
    numbers, _ = surviving.among(table, rows)
    return rows.take(pa.array(numbers))
