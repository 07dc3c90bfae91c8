"""Which rows and answers of Spotify's Web API survive retention: decided by SQL over raw, portable.

What the rules are stands in `retention.py`. The decision is kept in temporary tables of a connection of its
own, so that the warehouse is closed again while the lake is rewritten.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import date
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa

from ingestion.config import Settings
from ingestion.errors import LoadError
from ingestion.spotify.tables import PLAYLIST_TRACK_CHANGES

CHANGES_MART = "marts.fct_playlist_track_changes"
ORDERED_STATES = "intermediate.int_playlist_states_ordered"
NO_LOOKS = "(select '' as playlist_id, current_date as seen_on, '' as snapshot_id) where false"

SURVIVORS = {
    "state_looks": """
        select
            playlists.playlist_id,
            playlists.snapshot_id,
            coalesce(max(looks.observed_at), max(playlists.extracted_at)) as confirmed_at
        from raw_spotify.playlists as playlists
        left join raw_spotify.playlist_observations as looks
            on playlists.playlist_id = looks.playlist_id and playlists.snapshot_id = looks.snapshot_id
        group by playlists.playlist_id, playlists.snapshot_id
    """,
    "ranked_states": """
        select
            *,
            row_number() over (
                partition by playlist_id order by confirmed_at desc, snapshot_id desc
            ) as age_rank
        from state_looks
    """,
    "looked_at": """
        select distinct playlist_id from raw_spotify.playlist_observations
        where is_available and observed_on >= {cutoff}
    """,
    "expired_states": """
        select playlist_id, snapshot_id from ranked_states
        where
            cast(confirmed_at as date) < {cutoff}
            and not (age_rank = 1 and playlist_id in (select playlist_id from looked_at))
    """,
    "ranked_looks": """
        select
            looks.playlist_id,
            looks.observed_on,
            looks.snapshot_id,
            row_number() over (
                partition by looks.playlist_id, looks.observed_on
                order by looks.observed_at desc nulls last, looks.extracted_at desc, looks.snapshot_id desc
            ) as recency_rank
        from raw_spotify.playlist_observations as looks
        inner join raw_spotify.playlists as playlists
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
    "unknown_transitions": """
        select days.*
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
        where
            days.from_snapshot_id <> days.snapshot_id
            and (
                known_looks.playlist_id is null
                or known_looks_before.playlist_id is null
                or not exists (
                    select 1 from known_changes
                    where
                        known_changes.playlist_id = days.playlist_id
                        and known_changes.seen_on > days.last_seen_before_on
                        and known_changes.seen_on <= days.seen_on
                )
            )
    """,
    "items_of_one_side": """
        select transitions.playlist_id, transitions.last_seen_before_on
        from unknown_transitions as transitions
        inner join raw_spotify.playlist_tracks as items
            on
                transitions.playlist_id = items.playlist_id
                and items.snapshot_id in (transitions.from_snapshot_id, transitions.snapshot_id)
        group by
            transitions.playlist_id,
            transitions.seen_on,
            transitions.last_seen_before_on,
            items.position,
            items.item_type,
            items.track_uri,
            case when items.track_uri is null then items.track_name end,
            case when items.track_uri is null then items.artist_name end,
            case when items.track_uri is null then items.album_name end,
            items.added_at,
            items.added_by_hash
        having count(*) = 1
    """,
    "held_playlists": """
        select playlist_id, min(last_seen_before_on) as held_since
        from items_of_one_side
        group by playlist_id
    """,
    "held_states": """
        select distinct looks.playlist_id, looks.snapshot_id
        from raw_spotify.playlist_observations as looks
        inner join held_playlists on looks.playlist_id = held_playlists.playlist_id
        where looks.observed_on >= held_playlists.held_since
    """,
    "surviving_states": """
        select playlist_id, snapshot_id from state_looks
        where not exists (
            select 1 from expired_states
            where
                expired_states.playlist_id = state_looks.playlist_id
                and expired_states.snapshot_id = state_looks.snapshot_id
        )
        union
        select playlist_id, snapshot_id from held_states
    """,
    "aged_looks": """
        select
            looks.playlist_id,
            looks.observed_on,
            looks.seen_in,
            looks.observed_on < {cutoff}
            and (held_playlists.held_since is null or looks.observed_on < held_playlists.held_since)
                as is_expired,
            row_number() over (
                partition by looks.playlist_id order by looks.observed_on, looks.seen_in
            ) as look_number
        from raw_spotify.playlist_observations as looks
        left join held_playlists on looks.playlist_id = held_playlists.playlist_id
    """,
    "surviving_looks": """
        select playlist_id, observed_on, seen_in, is_expired from aged_looks
        where not is_expired or look_number = 1
    """,
    "surviving_items": """
        select distinct items.track_id
        from raw_spotify.playlist_tracks as items
        inner join surviving_states
            on
                items.playlist_id = surviving_states.playlist_id
                and items.snapshot_id = surviving_states.snapshot_id
        where items.track_id is not null
    """,
    "ranked_tracks": """
        select
            track_id, observed_on, is_full, album_id,
            row_number() over (partition by track_id, is_full order by observed_on desc) as age_rank
        from raw_spotify.tracks
    """,
    "surviving_tracks": """
        select track_id, observed_on, is_full, album_id from ranked_tracks
        where
            observed_on >= {cutoff}
            or (age_rank = 1 and track_id in (select track_id from surviving_items))
    """,
    "ranked_albums": """
        select
            album_id, observed_on, is_full,
            row_number() over (partition by album_id, is_full order by observed_on desc) as age_rank
        from raw_spotify.albums
    """,
    "surviving_albums": """
        select album_id, observed_on, is_full from ranked_albums
        where
            observed_on >= {cutoff}
            or (age_rank = 1 and album_id in (
                select album_id from surviving_tracks where album_id is not null
            ))
    """,
    "named_artists": """
        select names.artist_id
        from raw_spotify.track_artists as names
        inner join surviving_tracks as owners
            on
                names.track_id = owners.track_id
                and names.observed_on = owners.observed_on
                and names.is_full = owners.is_full
        where names.artist_id is not null
        union
        select names.artist_id
        from raw_spotify.album_artists as names
        inner join surviving_albums as owners
            on
                names.album_id = owners.album_id
                and names.observed_on = owners.observed_on
                and names.is_full = owners.is_full
        where names.artist_id is not null
    """,
    "ranked_artists": """
        select
            artist_id, observed_on, is_full,
            row_number() over (partition by artist_id, is_full order by observed_on desc) as age_rank
        from raw_spotify.artists
    """,
    "surviving_artists": """
        select artist_id, observed_on, is_full from ranked_artists
        where
            observed_on >= {cutoff}
            or (age_rank = 1 and artist_id in (select artist_id from named_artists))
    """,
    "surviving_full_artists": """
        select artist_id, observed_on from surviving_artists where is_full
    """,
    "surviving_audio_features": """
        select track_id from raw_spotify.audio_features
        where
            cast(observed_at as date) >= {cutoff}
            or track_id in (select track_id from surviving_items)
    """,
    "surviving_events": """
        select run_id, event_number from raw_spotify.extraction_log
        where cast(logged_at as date) >= {cutoff}
    """,
    "surviving_unavailable_fields": """
        select object_type, field, observed_on from raw_spotify.unavailable_fields
        where observed_on >= {cutoff}
    """,
    "surviving_quarantined_inputs": """
        select source_root, file_path, item from raw_spotify.quarantined_inputs
        where cast(extracted_at as date) >= {cutoff}
    """,
}
"""Temporary tables, each made of those before it.

`known_looks` are the looks that dbt knows of, `known_changes` the days of the changes that it has derived. A
transition from one state to the next is known where both looks are, and a change between them, which is
missing where dbt ended before the mart. Looks are asked about one by one because a retention that was killed
can have removed a state from between two. Of a transition that is not known the items tell whether anything
is to be derived; if so, all from the look before it on is held: with a state gone from there, dbt would
compare two that do not follow each other.
"""

SURVIVORS_OF = {
    "playlists": ("surviving_states", ("playlist_id", "snapshot_id")),
    "playlist_tracks": ("surviving_states", ("playlist_id", "snapshot_id")),
    "playlist_observations": ("surviving_looks", ("playlist_id", "observed_on", "seen_in")),
    "tracks": ("surviving_tracks", ("track_id", "observed_on", "is_full")),
    "track_artists": ("surviving_tracks", ("track_id", "observed_on", "is_full")),
    "albums": ("surviving_albums", ("album_id", "observed_on", "is_full")),
    "album_artists": ("surviving_albums", ("album_id", "observed_on", "is_full")),
    "artists": ("surviving_artists", ("artist_id", "observed_on", "is_full")),
    "artist_genres": ("surviving_full_artists", ("artist_id", "observed_on")),
    "audio_features": ("surviving_audio_features", ("track_id",)),
    "extraction_log": ("surviving_events", ("run_id", "event_number")),
    "unavailable_fields": ("surviving_unavailable_fields", ("object_type", "field", "observed_on")),
    "quarantined_inputs": ("surviving_quarantined_inputs", ("source_root", "file_path", "item")),
}
"""Per raw table, where the keys of its surviving rows are and what of its own columns they are.
Tables that are not here are kept for good."""

CHANGES_TO_KEEP = f"""
    select
        changes.playlist_id,
        changes.seen_on,
        changes.change_number,
        changes.change,
        changes.item_type,
        changes.track_uri,
        changes.spotify_track_id as track_id,
        changes.from_position,
        changes.to_position,
        changes.added_at,
        changes.added_by_hash,
        changes.from_snapshot_id,
        changes.snapshot_id,
        changes.last_seen_before_on
    from {CHANGES_MART} as changes
    where
        changes.playlist_id in (select playlist_id from state_looks)
        and not exists (
            select 1 from held_playlists
            where
                held_playlists.playlist_id = changes.playlist_id
                and held_playlists.held_since < changes.seen_on
        )
        and (
            changes.seen_on < {{cutoff}}
            or exists (
                select 1 from expired_states
                where
                    expired_states.playlist_id = changes.playlist_id
                    and expired_states.snapshot_id in (changes.snapshot_id, changes.from_snapshot_id)
            )
        )
        and not exists (
            select 1 from raw_spotify.playlist_track_changes as kept
            where kept.playlist_id = changes.playlist_id and kept.seen_on = changes.seen_on
        )
    order by changes.playlist_id, changes.seen_on, changes.change_number
"""

HELD_BACK = """
    select count(distinct held_states.playlist_id)
    from held_states
    inner join expired_states
        on
            held_states.playlist_id = expired_states.playlist_id
            and held_states.snapshot_id = expired_states.snapshot_id
"""


class Survivors:
    """What was last confirmed on `cutoff` or later, and what that needs.

    `changes` are those to be kept, with the columns of `playlist_track_changes`; `playlists_held` counts
    the playlists that would lose a state whose changes dbt has not derived yet.
    """

    def __init__(self, connection: duckdb.DuckDBPyConnection, cutoff: date) -> None:
        self._connection, self.cutoff = connection, cutoff
        day = f"date '{cutoff.isoformat()}'"
        has_marts = _exists(connection, CHANGES_MART) and _exists(connection, ORDERED_STATES)
        connection.execute(
            "create temp table known_looks as select playlist_id, seen_on, snapshot_id from "
            + (ORDERED_STATES if has_marts else NO_LOOKS)
        )
        connection.execute(
            "create temp table known_changes as select distinct playlist_id, seen_on from "
            + (CHANGES_MART if has_marts else NO_LOOKS)
        )
        for name, query in SURVIVORS.items():
            connection.execute(f"create temp table {name} as {query.format(cutoff=day)}")
        ((self.playlists_held,),) = connection.sql(HELD_BACK.format(cutoff=day)).fetchall()
        self.changes = PLAYLIST_TRACK_CHANGES.schema.empty_table()
        if has_marts:
            kept = connection.sql(CHANGES_TO_KEEP.format(cutoff=day)).to_arrow_table()
            self.changes = kept.cast(PLAYLIST_TRACK_CHANGES.schema)

    def among(self, table: str, rows: pa.Table) -> tuple[np.ndarray, np.ndarray]:
        """The numbers of the surviving rows among these, in order; and of each whether its day is past.

        `rows` have at least the deciding columns of the raw table.
        """
        survivors, columns = SURVIVORS_OF[table]
        names = ", ".join(columns)
        is_expired = "is_expired" if survivors == "surviving_looks" else "false"
        numbered = rows.select(columns).append_column("row_number", pa.array(np.arange(rows.num_rows)))
        self._connection.register("part_rows", numbered)
        found = self._connection.sql(
            f"select row_number, {is_expired} as is_expired "
            f"from part_rows inner join {survivors} using ({names}) order by row_number"
        ).fetchnumpy()
        self._connection.unregister("part_rows")
        return found["row_number"], found["is_expired"]

    def has_state(self, playlist_id: str, snapshot_id: str) -> bool:
        """Whether a state of a playlist survives."""
        return (
            self._connection.execute(
                "select 1 from surviving_states where playlist_id = ? and snapshot_id = ?",
                (playlist_id, snapshot_id),
            ).fetchone()
            is not None
        )


@contextmanager
def survivors(settings: Settings, cutoff: date) -> Iterator[Survivors]:
    """What survives in the settings' warehouse. Raises LoadError where another process holds that."""
    warehouse = str(settings.warehouse_path).replace("'", "''")
    with (
        tempfile.TemporaryDirectory(prefix="retention-") as folder,
        closing(duckdb.connect(str(Path(folder) / "survivors.duckdb"))) as connection,
    ):
        connection.execute("set timezone = 'UTC'")
        try:
            connection.execute(f"attach '{warehouse}' as warehouse (read_only)")
        except duckdb.IOException as error:
            raise LoadError(f"{settings.warehouse_path} is open in another process: {error}") from error
        connection.execute("use warehouse")
        decided = Survivors(connection, cutoff)
        connection.execute("use survivors")
        connection.execute("detach warehouse")
        yield decided


def _exists(connection: duckdb.DuckDBPyConnection, table: str) -> bool:
    schema, _, name = table.partition(".")
    return (
        connection.execute(
            "select 1 from information_schema.tables where table_schema = ? and table_name = ?",
            (schema, name),
        ).fetchone()
        is not None
    )
