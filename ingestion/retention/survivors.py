"""Which rows survive retention: decided by SQL over raw, and held beside it while the lake is rewritten.

The rules of each source have a module of their own. What they share is here: no state of a playlist
goes before the changes that it takes part in are kept. The SQL is what DuckDB and Redshift both take: no
correlated subqueries, of which Redshift refuses some.
"""

import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.config import Settings
from ingestion.errors import LoadError
from ingestion.source import Source
from ingestion.tables import RawTable
from ingestion.warehouse import DuckDBWarehouse, Warehouse, open_warehouse

CHANGES_MART = "marts.fct_playlist_track_changes"
ORDERED_STATES = "intermediate.int_playlist_states_ordered"
NO_LOOKS = """(
    select
        cast('' as varchar) as playlist_id,
        cast('1970-01-01' as date) as seen_on,
        cast('' as varchar) as snapshot_id
) as looks where false"""

STATES = {
    "ranked_looks": """
        select
            looks.playlist_id,
            looks.observed_on,
            looks.snapshot_id,
            row_number() over (
                partition by looks.playlist_id, looks.observed_on
                order by looks.observed_at desc nulls last, looks.extracted_at desc, looks.snapshot_id desc
            ) as recency_rank
        from {schema}.playlist_observations as looks
        inner join {schema}.playlists as playlists
            on looks.playlist_id = playlists.playlist_id and looks.snapshot_id = playlists.snapshot_id
        where playlists.item_count is not null
    """,
    "days": """
        select
            playlist_id,
            snapshot_id,
            lag(snapshot_id) over (partition by playlist_id order by observed_on) as from_snapshot_id,
            observed_on as seen_on,
            lag(observed_on) over (partition by playlist_id order by observed_on) as last_seen_before_on
        from ranked_looks
        where recency_rank = 1
    """,
    "days_with_known_changes": """
        select distinct days.playlist_id, days.seen_on
        from days
        inner join known_changes
            on
                days.playlist_id = known_changes.playlist_id
                and known_changes.seen_on > days.last_seen_before_on
                and known_changes.seen_on <= days.seen_on
    """,
    "unknown_transitions": """
        select
            days.playlist_id,
            days.snapshot_id,
            days.from_snapshot_id,
            days.seen_on,
            days.last_seen_before_on
        from days
        left join known_looks
            on
                days.playlist_id = known_looks.playlist_id
                and days.seen_on = known_looks.seen_on
                and days.snapshot_id = known_looks.snapshot_id
        left join known_looks as known_looks_before
            on
                days.playlist_id = known_looks_before.playlist_id
                and days.last_seen_before_on = known_looks_before.seen_on
                and days.from_snapshot_id = known_looks_before.snapshot_id
        left join days_with_known_changes
            on
                days.playlist_id = days_with_known_changes.playlist_id
                and days.seen_on = days_with_known_changes.seen_on
        where
            days.from_snapshot_id <> days.snapshot_id
            and (
                known_looks.playlist_id is null
                or known_looks_before.playlist_id is null
                or days_with_known_changes.playlist_id is null
            )
    """,
    "compared_items": """
        select
            transitions.playlist_id,
            transitions.seen_on,
            transitions.last_seen_before_on,
            row_number() over (
                partition by transitions.playlist_id, transitions.seen_on, items.snapshot_id
                order by items.position
            ) as place,
            items.item_type,
            case when trim(items.track_uri) <> '' then items.track_uri end as track_uri,
            case when trim(items.track_name) <> '' then items.track_name end as track_name,
            case when trim(items.artist_name) <> '' then items.artist_name end as artist_name,
            case when trim(items.album_name) <> '' then items.album_name end as album_name,
            nullif(items.added_at, cast('1970-01-01 00:00:00+00' as timestamptz)) as added_at,
            items.added_by_hash
        from unknown_transitions as transitions
        inner join {schema}.playlist_tracks as items
            on
                transitions.playlist_id = items.playlist_id
                and items.snapshot_id in (transitions.from_snapshot_id, transitions.snapshot_id)
        inner join {schema}.playlists as states
            on
                items.playlist_id = states.playlist_id
                and items.snapshot_id = states.snapshot_id
                and items.lake_unit_id = states.lake_unit_id
    """,
    "items_of_one_side": """
        select playlist_id, last_seen_before_on
        from compared_items
        group by
            playlist_id,
            seen_on,
            last_seen_before_on,
            place,
            item_type,
            track_uri,
            case when track_uri is null then track_name end,
            case when track_uri is null then artist_name end,
            case when track_uri is null then album_name end,
            added_at,
            added_by_hash
        having count(*) = 1
    """,
    "held_playlists": """
        select playlist_id, min(last_seen_before_on) as held_since
        from items_of_one_side
        group by playlist_id
    """,
    "held_states": """
        select distinct looks.playlist_id, looks.snapshot_id
        from {schema}.playlist_observations as looks
        inner join held_playlists on looks.playlist_id = held_playlists.playlist_id
        where looks.observed_on >= held_playlists.held_since
    """,
    "surviving_states": """
        select state_looks.playlist_id, state_looks.snapshot_id
        from state_looks
        left join expired_states
            on
                state_looks.playlist_id = expired_states.playlist_id
                and state_looks.snapshot_id = expired_states.snapshot_id
        where expired_states.playlist_id is null
        union
        select playlist_id, snapshot_id from held_states
    """,
}
"""The states of playlists that go and that stay: temporary tables, made of `state_looks` (the states and
when each was confirmed) and `expired_states`, which are each source's own.


`known_looks` are the looks that dbt knows of, `known_changes` the days of the changes that it has derived. A
transition from one state to the next is known where both looks are, and a change between them, which is
missing where dbt ended before the mart. Looks are asked about one by one because a retention that was killed
can have removed a state from between two. Of a transition that is not known the items tell whether anything
is to be derived; if so, all from the look before it on is held: with a state gone from there, dbt would
compare two that do not follow each other.
"""

DAYS_OF_KEPT_CHANGES = f"""
    select distinct changes.playlist_id, changes.seen_on, changes.last_seen_before_on
    from {CHANGES_MART} as changes
    inner join {{schema}}.playlist_track_changes as kept
        on
            changes.playlist_id = kept.playlist_id
            and kept.last_seen_before_on < changes.seen_on
            and kept.seen_on > changes.last_seen_before_on
"""

CHANGES_TO_KEEP = f"""
    select {{columns}}
    from {CHANGES_MART} as changes
    left join held_playlists on changes.playlist_id = held_playlists.playlist_id
    left join days_of_kept_changes as kept
        on
            changes.playlist_id = kept.playlist_id
            and changes.seen_on = kept.seen_on
            and changes.last_seen_before_on = kept.last_seen_before_on
    where
        changes.playlist_id in (select playlist_id from state_looks)
        and (held_playlists.held_since is null or held_playlists.held_since >= changes.seen_on)
        and changes.last_seen_before_on < {{cutoff}}
        and kept.playlist_id is null
    order by changes.playlist_id, changes.seen_on, changes.change_number
"""

HELD_BACK = "select count(*) from held_playlists where held_since < {cutoff}"


@dataclass(frozen=True)
class Rules:
    """How it is decided what survives of a source that has playlists.

    `tables` are queries by name, each over raw and the temporary tables made of those before it; they may
    name `{schema}` and `{cutoff}`. `survivors_of` says per raw table where the keys of its surviving rows
    are, and which of its columns they are; tables that are not in it are kept for good. Changes that cannot
    be derived again once the rest is gone are copied to the raw table `kept_in`.
    """

    source: Source
    kept_in: RawTable
    tables: Mapping[str, str]
    survivors_of: Mapping[str, tuple[str, tuple[str, ...]]]


class Survivors:
    """What was last confirmed on `cutoff` or later, and what that needs.

    `changes` are those to be kept, with the columns of `playlist_track_changes`; `playlists_held` counts
    the playlists that would lose a look whose changes dbt has not derived yet. `columns` are those of each
    raw table that decide; tables that are not in it are kept for good.
    """

    def __init__(
        self,
        rules: Rules,
        cutoff: date,
        warehouse: Warehouse,
        lookup: duckdb.DuckDBPyConnection,
    ) -> None:
        """Decide it in the warehouse. What survives is looked up by `lookup`; it may be the same session."""
        self._lookup, self._rules, self.cutoff = lookup, rules, cutoff
        self.source = rules.source
        self.columns = {table: columns for table, (_, columns) in rules.survivors_of.items()}
        names = {"schema": rules.source.schema_name, "cutoff": f"date '{cutoff.isoformat()}'"}
        has_marts = all(warehouse.has_table(*name.split(".")) for name in (CHANGES_MART, ORDERED_STATES))
        warehouse.execute(
            "create temp table known_looks as select playlist_id, seen_on, snapshot_id from "
            + (ORDERED_STATES if has_marts else NO_LOOKS)
        )
        warehouse.execute(
            "create temp table known_changes as select distinct playlist_id, seen_on from "
            + (CHANGES_MART if has_marts else NO_LOOKS)
        )
        for name, query in rules.tables.items():
            warehouse.execute(f"create temp table {name} as {query.format(**names)}")
        ((self.playlists_held,),) = warehouse.rows(HELD_BACK.format(**names))
        self.changes = rules.kept_in.schema.empty_table()
        if has_marts:
            warehouse.execute(
                f"create temp table days_of_kept_changes as {DAYS_OF_KEPT_CHANGES.format(**names)}"
            )
            names["columns"] = ", ".join(_mart_column(name) for name in rules.kept_in.schema.names)
            kept = pa.concat_tables(warehouse.batches(CHANGES_TO_KEEP.format(**names)))
            self.changes = kept.cast(rules.kept_in.schema)

    def among(self, table: str, rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of the surviving rows among these, in order; and of each whether its day is past.

        `rows` have at least the deciding columns of the raw table.
        """
        survivors, columns = self._rules.survivors_of[table]
        names = ", ".join(columns)
        is_expired = "is_expired" if survivors == "surviving_looks" else "false"
        numbered = rows.select(columns).append_column("row_number", pa.array(np.arange(rows.num_rows)))
        self._lookup.register("part_rows", numbered)
        found = self._lookup.sql(
            f"select row_number, {is_expired} as is_expired "
            f"from part_rows inner join {survivors} using ({names}) order by row_number"
        ).fetchnumpy()
        self._lookup.unregister("part_rows")
        return found["row_number"], found["is_expired"]

    def has_state(self, playlist_id: str, snapshot_id: str) -> bool:
        """Whether a state of a playlist survives."""
        return (
            self._lookup.execute(
                "select 1 from surviving_states where playlist_id = ? and snapshot_id = ?",
                (playlist_id, snapshot_id),
            ).fetchone()
            is not None
        )


def _mart_column(name: str) -> str:
    return "changes.spotify_track_id as track_id" if name == "track_id" else f"changes.{name}"


@contextmanager
def survivors(settings: Settings, rules: Rules, cutoff: date) -> Iterator[Survivors]:
    """What survives in the settings' warehouse. Raises LoadError where it is held or may not be read."""
    with (
        tempfile.TemporaryDirectory(prefix="retention-") as folder,
        closing(duckdb.connect(str(Path(folder) / "survivors.duckdb"))) as lookup,
    ):
        lookup.execute("set timezone = 'UTC'")
        yield (_decided_there if settings.target == "redshift" else _decided_here)(
            settings, rules, cutoff, lookup
        )


def _decided_here(
    settings: Settings, rules: Rules, cutoff: date, lookup: duckdb.DuckDBPyConnection
) -> Survivors:
    """Decided in the session of the lookups, with the embedded warehouse attached to it meanwhile."""
    warehouse = str(settings.warehouse_path).replace("'", "''")
    try:
        lookup.execute(f"attach '{warehouse}' as warehouse (read_only)")
    except duckdb.IOException as error:
        raise LoadError(f"{settings.warehouse_path} is open in another process: {error}") from error
    lookup.execute("use warehouse")
    decided = Survivors(rules, cutoff, DuckDBWarehouse(lookup), lookup)
    lookup.execute("use survivors")
    lookup.execute("detach warehouse")
    return decided


def _decided_there(
    settings: Settings, rules: Rules, cutoff: date, lookup: duckdb.DuckDBPyConnection
) -> Survivors:
    """Decided in Redshift; what survives is fetched, and looked up here."""
    with open_warehouse(settings) as warehouse:
        decided = Survivors(rules, cutoff, warehouse, lookup)
        for name in {survivors for survivors, _ in rules.survivors_of.values()}:
            for number, rows in enumerate(warehouse.batches(f"select * from {name}")):
                lookup.register("fetched", rows)
                lookup.execute(
                    f"insert into {name} from fetched" if number else f"create table {name} as from fetched"
                )
                lookup.unregister("fetched")
    return decided
