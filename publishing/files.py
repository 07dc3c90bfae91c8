"""Versions as folders: a DuckDB file of the marts alone, Parquet of each, a manifest.

    published/v000012/music_warehouse.duckdb
    published/v000012/parquet/marts.dim_songs.parquet
    published/v000012/manifest.json
    published/current -> v000012

`current` is replaced in one step. Who has opened a file reads on in that one, also when its folder has gone.
"""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import duckdb

from ingestion.config import Settings
from ingestion.warehouse import DuckDBWarehouse
from ingestion.warehouse_file import open_beside
from publishing.evidence import BuiltNode
from publishing.images import images
from publishing.manifest import Manifest, PublishedMart, version_name
from publishing.store import MARTS, PublishError, moved

CURRENT, HELD = "current", "held"
MARTS_FILE, PARQUET_FOLDER, MANIFEST_FILE = "music_warehouse.duckdb", "parquet", "manifest.json"

READ_ONLY = 0o444
"""A program that opens a version to write into it is refused, and does not lock others out."""


class VersionFolders:
    """The versions of an embedded warehouse."""

    def __init__(self, settings: Settings) -> None:
        self._settings, self._folder = settings, settings.published_dir
        for left in self._folder.glob(".*.tmp"):  # by a publisher that was killed
            shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()

    @contextmanager
    def built(self) -> Iterator[DuckDBWarehouse]:
        """The warehouse file; nothing else takes it, so that a rollback waits for no run."""
        if not self._settings.warehouse_path.exists():
            raise PublishError(f"there is no {self._settings.warehouse_path} yet: make run builds it")
        with open_beside(self._settings) as self._connection:
            yield DuckDBWarehouse(self._connection)

    def versions(self) -> list[Manifest]:
        """All that are kept, oldest first; one without a manifest was never finished."""
        return [
            Manifest.from_json(path.read_bytes()) for path in sorted(self._folder.glob(f"v*/{MANIFEST_FILE}"))
        ]

    def current(self) -> Manifest | None:
        """The one that readers see."""
        manifest = self._folder / CURRENT / MANIFEST_FILE
        return Manifest.from_json(manifest.read_bytes()) if manifest.exists() else None

    def held_since(self) -> datetime | None:
        """Since when readers are held at the current one."""
        held = self._folder / HELD
        return datetime.fromisoformat(held.read_text()) if held.exists() else None

    def images(self, marts: Sequence[BuiltNode], version: int | None = None) -> list[PublishedMart]:
        """Images of marts as they were built, or as the file of a version holds them."""
        if version is None:
            return images(DuckDBWarehouse(self._connection), "duckdb", marts)
        with closing(duckdb.connect(str(self._unfinished(version) / MARTS_FILE), read_only=True)) as copy:
            return images(DuckDBWarehouse(copy), "duckdb", marts)

    def write(self, version: int, marts: Sequence[BuiltNode]) -> None:
        """Copy marts into a file, and each into Parquet."""
        folder = self._unfinished(version)
        (folder / PARQUET_FOLDER).mkdir(parents=True)
        execute = self._connection.execute
        ((built,),) = execute("select current_database()").fetchall()
        execute(f"attach {_literal(folder / MARTS_FILE)} as version")
        try:
            execute("use version")
            for schema in sorted({mart.schema for mart in marts}):
                execute(f'create schema "{schema}"')
            for mart in marts:
                name = f'"{mart.schema}"."{mart.table}"'
                if mart.view_sql is None:
                    personal = ", ".join(f'"{column}"' for column in mart.personal_columns)
                    shown = f"* exclude ({personal})" if personal else "*"
                    execute(f'create table {name} as select {shown} from "{built}".{name}')
                else:
                    execute(f"create view {name} as {moved(mart.view_sql, MARTS)}")
                self._copy_comments(built, mart)
                parquet = folder / PARQUET_FOLDER / f"{mart.name}.parquet"
                execute(f"copy (from {name}) to {_literal(parquet)} (format parquet, compression zstd)")
            execute("checkpoint version")
        finally:
            execute(f'use "{built}"')
            execute("detach version")

    def _copy_comments(self, built: str, mart: BuiltNode) -> None:
        """What BI tools show beside a table and its columns."""
        name, at = f'"{mart.schema}"."{mart.table}"', (built, mart.schema, mart.table)
        kind = "table" if mart.view_sql is None else "view"
        ((comment,),) = self._connection.execute(
            f"select comment from duckdb_{kind}s() "
            f"where database_name = ? and schema_name = ? and {kind}_name = ?",
            at,
        ).fetchall()
        if comment:
            self._connection.execute(f"comment on {kind} {name} is {_literal(comment)}")
        for column, comment in self._connection.execute(
            "select column_name, comment from duckdb_columns() "
            "where database_name = ? and schema_name = ? and table_name = ? and comment is not null",
            at,
        ).fetchall():
            if column in mart.personal_columns:
                continue
            self._connection.execute(f'comment on column {name}."{column}" is {_literal(comment)}')

    def finish(self, manifest: Manifest) -> None:
        """The folder under its name, once all is in it."""
        folder = self._unfinished(manifest.version)
        (folder / MANIFEST_FILE).write_text(manifest.to_json())
        for path in folder.rglob("*"):
            if path.is_file():
                path.chmod(READ_ONLY)
        folder.rename(self._folder / manifest.name)

    def switch(self, version: int) -> None:
        """Point `current` at a version: one rename."""
        fresh = self._folder / f".{CURRENT}.tmp"
        fresh.symlink_to(version_name(version), target_is_directory=True)
        fresh.replace(self._folder / CURRENT)

    def hold(self, since: datetime | None) -> None:
        """Write down since when readers are held, or remove that."""
        held = self._folder / HELD
        if since is None:
            held.unlink(missing_ok=True)
        else:
            fresh = self._folder / f".{HELD}.tmp"
            fresh.write_text(since.isoformat())
            fresh.replace(held)

    def remove(self, version: int) -> None:
        """Remove a folder; who reads in it reads on."""
        shutil.rmtree(self._folder / version_name(version))

    def _unfinished(self, version: int) -> Path:
        return self._folder / f".{version_name(version)}.tmp"


def _literal(text: Path | str) -> str:
    return "'" + str(text).replace("'", "''") + "'"
