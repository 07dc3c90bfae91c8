"""Purging a Spotify user: their personal data leaves the lake, the archive and every schema of the warehouse.

Playlists that the user owns go altogether. In those of others nothing says any more that the user
added an item: keyed hashes become NULL, and in texts and archived answers the user is taken out. What has
gone is proved by counting, anew each time, what names the user.
"""

import json
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.config import Settings
from ingestion.errors import IngestionError
from ingestion.hash_key import has_users, require_same_key
from ingestion.lake import DoneRecord, Lake
from ingestion.load import load
from ingestion.origin import require_same_lake
from ingestion.progress import Progress
from ingestion.purge.user import User, entry_without, naming, owned_in_entry, rows_without
from ingestion.purge.warehouse import purge_warehouse, text_tables
from ingestion.rewriting import lake_to_rewrite, rewrite
from ingestion.source import Source
from ingestion.sources import SOURCES
from ingestion.spotify.archive import archived, unarchived
from ingestion.spotify.journal import COMPLETE, SUFFIX, Entry
from ingestion.spotify.run import ids_in_file, token_path
from ingestion.warehouse import Warehouse, open_warehouse
from ingestion.warehouse_file import compact

SOURCES_WITH_USERS = tuple(filter(has_users, SOURCES))

UNIT_IS_BROUGHT_IN = timedelta(hours=1)
"""Files without a done-record that are older than this were left by a killed extraction: units are
brought in within seconds, and within minutes from far away."""


@dataclass
class PurgeResult:
    """How many rows (in the archive: answers) name the user, by place, before and after.

    Places are `lake`, `archive`, `raw` and `marts`, the last being all other schemas of the warehouse.
    What stays as it is and would bring rows back: `files` are playlist files on disk in which the user
    was found, and the file of playlist ids where it names playlists of theirs; `token` is the stored
    authorisation of a user, who may be this one: nothing in it says who it is. `unknown_files` are playlist
    files whose rows retention has removed, so that nothing is known of whom they name.
    """

    before: Counter = field(default_factory=Counter)
    after: Counter = field(default_factory=Counter)
    files: list[str] = field(default_factory=list)
    unknown_files: list[str] = field(default_factory=list)
    token: Path | None = None


def purge_user(settings: Settings, user_id: str) -> PurgeResult:
    """Remove a user, given by id, URI or link, from all that the settings' lake and warehouse hold.

    Killed anywhere, it is completed by doing it again. Raises IngestionError where answers wait for
    the lake, where an extraction is at work, or where something is left that names the user; and
    ConfigError where the lake was made with another key, so that nothing of the user would be found; and
    LoadError where Redshift is loaded from another lake.
    """
    user = User.of(user_id, settings)
    _refuse_waiting_answers(settings)
    with lake_to_rewrite(settings, *SOURCES_WITH_USERS) as lake:
        require_same_key(settings, lake)
        require_same_lake(settings)
        _remove_unfinished(lake)
        note = settings.home / "purges" / f"{user.hash}.json"
        owned, files = _remembered(note)
        owned |= _owned_in_lake(lake, user)
        with open_warehouse(settings) as warehouse:
            owned |= _owned_in_warehouse(warehouse, user)
            user = replace(user, owned=frozenset(owned))
            files |= _files_with(warehouse, user) | _files_asking_for(settings, user)
            _remember(note, owned, files)
            result = PurgeResult(
                _count(lake, warehouse, user),
                files=sorted(files),
                unknown_files=_files_without_rows(warehouse),
                token=_token(settings),
            )
        _purge_lake(lake, user)
        (settings.spotify_dir / "index.sqlite").unlink(missing_ok=True)  # it is made anew from the lake
        with open_warehouse(settings) as warehouse:
            purge_warehouse(warehouse, user)
        for source in SOURCES_WITH_USERS:
            load(settings, source)
            lake.remove_old_versions(source.name)
        if settings.target == "duckdb":
            compact(settings)  # Redshift does by itself (VACUUM DELETE)
        with open_warehouse(settings) as warehouse:
            result.after = _count(lake, warehouse, user)
        if result.after.total():
            raise IngestionError(f"rows still name the user: {dict(result.after)}; purge again")
        note.unlink()
    return result


def _refuse_waiting_answers(settings: Settings) -> None:
    journals = sorted((settings.spotify_dir / "journals").glob(f"*{SUFFIX}"))
    if journals:
        raise IngestionError(
            f"answers wait for the lake in {journals[0].parent}: let `python -m ingestion spotify` run to "
            "its end first, which takes them over"
        )


def _remove_unfinished(lake: Lake) -> None:
    before = datetime.now(UTC) - UNIT_IS_BROUGHT_IN
    for source in SOURCES_WITH_USERS:
        if lake.remove_unfinished(source.name, before):
            raise IngestionError(
                f"the lake {lake.url} holds files of {source.name} that no done-record names yet: an "
                "extraction is at work or was killed within the last hour; purge again after that"
            )


def _remember(note: Path, owned: set[str], files: set[str]) -> None:
    """Keep what was found out: what a killed purge has removed cannot tell the next one what is to go."""
    note.parent.mkdir(exist_ok=True)
    fresh = note.with_suffix(".new")
    fresh.write_text(json.dumps({"playlist_ids": sorted(owned), "files": sorted(files)}))
    fresh.replace(note)


def _remembered(note: Path) -> tuple[set[str], set[str]]:
    """What a purge that was killed had found out."""
    if not note.exists():
        return set(), set()
    stored = json.loads(note.read_text())
    return set(stored["playlist_ids"]), set(stored["files"])


def _owned_in_lake(lake: Lake, user: User) -> set[str]:
    owned = set()
    for source in SOURCES_WITH_USERS:
        tables = [t.name for t in source.tables if {"playlist_id", "owner_id_hash"} <= set(t.schema.names)]
        for unit in lake.done_records(source.name):
            for part in unit.parts:
                if part.table in tables:
                    for batch in lake.read_columns(part, ("playlist_id", "owner_id_hash")):
                        mine = batch.filter(pc.equal(batch["owner_id_hash"], user.hash))
                        owned |= set(mine["playlist_id"].to_pylist())
            for entry in _archive(lake, unit):
                owned |= set(owned_in_entry(user, entry))
    return owned


def _archive(lake: Lake, unit: DoneRecord) -> list[Entry]:
    return [entry for entry in unarchived(lake, unit) if entry.kind != COMPLETE]


def _count(lake: Lake, warehouse: Warehouse, user: User) -> Counter:
    """What names the user, by place."""
    found = Counter({"lake": 0, "archive": 0, "raw": 0, "marts": 0})
    for source in SOURCES_WITH_USERS:
        for unit in lake.done_records(source.name):
            found["lake"] += sum(
                int(naming(user, pa.Table.from_batches([batch])).sum())
                for part in unit.parts
                if part.table
                for batch in lake.read_part(part)
            )
            found["archive"] += sum(entry_without(user, entry) != entry for entry in _archive(lake, unit))
    for table in text_tables(warehouse):
        place = "raw" if table.schema.startswith("raw_") else "marts"
        found[place] += table.count(user)
    return found


def _purge_lake(lake: Lake, user: User) -> None:
    for source in SOURCES_WITH_USERS:
        units = lake.current_revisions(source.name)
        with Progress(f"purge {source.name}", len(units), "units") as progress:
            for id_, revision in units.items():
                _rewrite(lake, source, lake.done_record(source.name, id_, revision), user)
                progress.advance(1)


def _rewrite(lake: Lake, source: Source, unit: DoneRecord, user: User) -> None:
    """Rewrite a unit without the user; nothing where it does not name them."""
    affected = {
        part.table
        for part in unit.parts
        if part.table
        and any(naming(user, pa.Table.from_batches([batch])).any() for batch in lake.read_part(part))
    }
    entries = _archive(lake, unit)
    cleaned = [left for entry in entries if (left := entry_without(user, entry)) is not None]
    inputs = [_input_without(user, one) for one in unit.inputs]
    if not affected and cleaned == entries and inputs == unit.inputs:
        return
    rewrite(
        lake,
        source,
        unit,
        affected,
        lambda _, rows: rows_without(user, rows),
        None if cleaned == entries else partial(archived, entries=cleaned),
        inputs=inputs,
    )


def _input_without(user: User, one: dict) -> dict:
    """An input of a done-record; that of an extraction names the playlists that were asked for."""
    if "subjects" not in one:
        return one
    return {**one, "subjects": [name for name in one["subjects"] if not user.owns(name.partition(":")[2])]}


def _owned_in_warehouse(warehouse: Warehouse, user: User) -> set[str]:
    owned = set()
    for table in text_tables(warehouse):
        if {"playlist_id", "owner_id_hash"} <= set(table.columns):
            rows = warehouse.rows(
                f"select distinct playlist_id from {table.name} where owner_id_hash = %s", user.hash
            )
            owned |= {playlist_id for (playlist_id,) in rows}
    return owned


def _files_with(warehouse: Warehouse, user: User) -> set[str]:
    """The playlist files on disk in whose rows the user is found."""
    if not warehouse.has_table("raw_playlist_files", "files"):
        return set()
    rows = warehouse.rows(
        """
        select distinct files.source_root || '/' || files.file_path
        from raw_playlist_files.playlist_observations as looks
        inner join raw_playlist_files.files as files on looks.file_path = files.file_path
        left join raw_playlist_files.playlist_tracks as items
            on looks.playlist_id = items.playlist_id and looks.snapshot_id = items.snapshot_id
        where
            items.added_by_hash = %s
            or strpos(items.other_fields, %s) > 0
            or strpos(looks.playlist_id, %s) = 1
        """,
        user.hash,
        user.hash,
        f"account:{user.label}:",
    )
    return {path for (path,) in rows}


def _files_without_rows(warehouse: Warehouse) -> list[str]:
    """The playlist files on disk of which retention has removed what they showed."""
    if not warehouse.has_table("raw_playlist_files", "files"):
        return []
    rows = warehouse.rows(
        """
        select files.source_root || '/' || files.file_path as path
        from raw_playlist_files.files as files
        where
            files.record_count > 0
            and files.file_path not in (select file_path from raw_playlist_files.playlist_observations)
        order by path
        """
    )
    return [path for (path,) in rows if Path(path).exists()]


def _files_asking_for(settings: Settings, user: User) -> set[str]:
    """The file of playlist ids that are extracted, where one of the user's is among them."""
    file = settings.spotify and settings.spotify.playlist_ids
    return {str(file)} if file and user.owned.intersection(ids_in_file(file)) else set()


def _token(settings: Settings) -> Path | None:
    """The stored authorisation, where there is one."""
    token = token_path(settings)
    return token if token.exists() else None
