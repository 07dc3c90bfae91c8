"""Versions in Redshift: a schema of tables for each, and views by which readers reach the current one.

    marts_v000012.dim_songs            the tables of a version
    published.dim_songs                a view of the current one's
    published_msd.songs                a view of it under the names of the founding data dictionary
    published.manifest                 its manifest, in pieces
    operations.published_versions      the manifests, in pieces, and which version is current

All views are made anew in one transaction. That waits for queries that read them, and what is asked meanwhile
waits for it: so it is tried for a moment only, given up, and tried again.
"""

import logging
import random
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import psycopg2

from ingestion import redshift
from ingestion.config import Settings
from publishing.evidence import SCHEMA, BuiltNode
from publishing.images import images
from publishing.manifest import Manifest, PublishedMart, version_name
from publishing.store import MARTS, PublishError, moved

log = logging.getLogger(__name__)

READERS, MANIFEST = "published", "manifest"

ATTEMPT_MILLISECONDS = 500
"""How long the views may keep readers waiting. Under PostgreSQL's second after which two that wait for each
other are looked for: it is never a reader that is given up."""

SWITCH_PATIENCE_SECONDS = 600
"""For how long it is tried. Analysts' queries are cut after ten minutes (docs/redshift-roles.sql)."""

PIECE = 16_000
"""Characters of a manifest in one row: at four bytes each they fit the longest varchar."""

_GIVEN_UP = (
    psycopg2.errors.QueryCanceled,
    psycopg2.errors.DeadlockDetected,
    psycopg2.errors.LockNotAvailable,
    psycopg2.errors.SerializationFailure,
)


class VersionSchemas:
    """The versions of a warehouse in Redshift."""

    def __init__(self, session: redshift.Session, readers: Sequence[str]) -> None:
        self.warehouse, self._readers = session, readers
        with session.transaction():
            session.execute(f"create schema if not exists {SCHEMA}")
            session.execute(
                f"create table if not exists {SCHEMA}.published_versions (version bigint not null, "
                "piece bigint not null, is_current boolean not null, manifest varchar(65535) not null)"
            )
            session.execute(
                f"create table if not exists {SCHEMA}.published_held (held_since timestamp not null)"
            )

    @contextmanager
    def built(self) -> Iterator[redshift.Session]:
        """The same session: Redshift's readers and writers wait for nobody."""
        yield self.warehouse

    def versions(self) -> list[Manifest]:
        """All that are kept, oldest first."""
        return self._manifests("")

    def current(self) -> Manifest | None:
        """The one that readers see."""
        found = self._manifests("where is_current")
        return found[0] if found else None

    def _manifests(self, condition: str) -> list[Manifest]:
        pieces: dict[int, str] = {}
        for version, text in self.warehouse.rows(
            f"select version, manifest from {SCHEMA}.published_versions {condition} order by version, piece"
        ):
            pieces[version] = pieces.get(version, "") + text
        return [Manifest.from_json(text) for text in pieces.values()]

    def held_since(self) -> datetime | None:
        """Since when readers are held at the current one."""
        ((since,),) = self.warehouse.rows(f"select max(held_since) from {SCHEMA}.published_held")
        return since and since.replace(tzinfo=UTC)

    def images(self, marts: Sequence[BuiltNode], version: int | None = None) -> list[PublishedMart]:
        """Images of marts as they were built, or of the tables of a version."""
        if version is None:
            return images(self.warehouse, "redshift", marts)
        return images(self.warehouse, "redshift", marts, _schema(version))

    def write(self, version: int, marts: Sequence[BuiltNode]) -> None:
        """Copy tables into a schema of their own, distributed and sorted as those that dbt made."""
        drops = self._drops(version)
        with self.warehouse.transaction():
            for statement in drops:
                self.warehouse.execute(statement)
            self.warehouse.execute(f"create schema {_schema(version)}")
            for mart in marts:
                if mart.view_sql is None:
                    built, copy = f'"{mart.schema}"."{mart.table}"', f'{_schema(version)}."{mart.table}"'
                    self.warehouse.execute(f"create table {copy} (like {built})")
                    for column in mart.personal_columns:
                        self.warehouse.execute(f'alter table {copy} drop column "{column}"')
                    columns = ", ".join(
                        f'"{column}"'
                        for (column,) in self.warehouse.rows(
                            "select column_name from information_schema.columns where table_schema = %s "
                            "and table_name = %s order by ordinal_position",
                            _schema(version),
                            mart.table,
                        )
                    )
                    self.warehouse.execute(f"insert into {copy} ({columns}) select {columns} from {built}")

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest down."""
        text = manifest.to_json()
        with self.warehouse.transaction():
            self.warehouse.execute(
                f"delete from {SCHEMA}.published_versions where version = %s", manifest.version
            )
            for place in range(0, len(text), PIECE):
                self.warehouse.execute(
                    f"insert into {SCHEMA}.published_versions values (%s, %s, false, %s)",
                    manifest.version,
                    place // PIECE,
                    text[place : place + PIECE],
                )

    def switch(self, version: int) -> None:
        """Make all views of readers anew, in one transaction.

        Raises PublishError where readers never leave a moment for it.
        """
        statements = [
            *self._view_statements(version),
            f"update {SCHEMA}.published_versions set is_current = (version = {version})",
        ]
        deadline = time.monotonic() + SWITCH_PATIENCE_SECONDS
        pause = 0.1
        while not self._done_in_a_moment(statements):
            if time.monotonic() > deadline:
                raise PublishError(
                    f"{version_name(version)} is there, and readers do not see it: for "
                    f"{SWITCH_PATIENCE_SECONDS // 60} minutes some query was always reading. End the long "
                    "ones (docs/runbooks/late.md) and run python -m publishing publish again"
                )
            log.info("the views are being read: tried again in %.1f s", pause)
            time.sleep(random.uniform(pause / 2, pause))
            pause = min(2 * pause, 5)

    def _done_in_a_moment(self, statements: Sequence[str]) -> bool:
        """Run statements as one transaction, unless somebody's query keeps one of them waiting."""
        with self.warehouse.transaction():
            self.warehouse.execute(f"set statement_timeout to {ATTEMPT_MILLISECONDS}")
        try:
            with self.warehouse.transaction():
                for statement in statements:
                    self.warehouse.execute(statement)
        except _GIVEN_UP:
            return False
        finally:
            with self.warehouse.transaction():
                self.warehouse.execute("set statement_timeout to 0")
        return True

    def _view_statements(self, version: int) -> Iterator[str]:
        """By which every view reads that version; views of what it lacks go."""
        manifest = next(held for held in self.versions() if held.version == version)
        tables, views = _schema(version), {}
        for mart in manifest.marts:
            schema, name = mart.name.split(".")
            query = moved(mart.view_sql, tables) if mart.view_sql else f'select * from {tables}."{name}"'
            views[_seen_in(schema), name] = query
        views[READERS, MANIFEST] = (
            f"select piece, manifest from {SCHEMA}.published_versions where version = {version}"
        )
        present = {
            (schema, view)
            for schema, view in self.warehouse.rows(
                "select table_schema, table_name from information_schema.views "
                f"where table_schema = '{READERS}' or left(table_schema, {len(READERS) + 1}) = '{READERS}_'"
            )
        }
        schemas = sorted({schema for schema, _ in views})
        for schema in schemas:
            yield f"create schema if not exists {schema}"
        for schema, view in sorted(present | views.keys()):  # in one order, whoever switches
            yield f'drop view if exists {schema}."{view}"'
            if (schema, view) in views:
                yield f'create view {schema}."{view}" as {views[schema, view]}'
        for reader in self._readers:
            for schema in schemas:
                yield f"grant usage on schema {schema} to {reader}"
            for schema, view in sorted(views):
                yield f'grant select on {schema}."{view}" to {reader}'

    def hold(self, since: datetime | None) -> None:
        """Write down since when readers are held, or remove that."""
        with self.warehouse.transaction():
            self.warehouse.execute(f"delete from {SCHEMA}.published_held")
            if since is not None:
                self.warehouse.execute(f"insert into {SCHEMA}.published_held values (%s)", since)

    def remove(self, version: int) -> None:
        """Drop the tables of a version, which no view reads any more; while a query reads on they stay."""
        forget = f"delete from {SCHEMA}.published_versions where version = {version}"
        if not self._done_in_a_moment([*self._drops(version), forget]):
            log.info("%s is still being read: it goes with a later publication", version_name(version))

    def _drops(self, version: int) -> list[str]:
        """What drops all there is of a version: one by one, as what a view reads is not dropped so."""
        tables = self.warehouse.rows(
            "select table_name from information_schema.tables where table_schema = %s", _schema(version)
        )
        drops = [f'drop table {_schema(version)}."{table}"' for (table,) in tables]
        return [*drops, f"drop schema if exists {_schema(version)}"]


def _schema(version: int) -> str:
    return f"{MARTS}_{version_name(version)}"


def _seen_in(schema: str) -> str:
    """Where readers find what is built in a schema."""
    return READERS if schema == MARTS else f"{READERS}_{schema}"


@contextmanager
def open_schemas(settings: Settings) -> Iterator[VersionSchemas]:
    """The versions in the Redshift that the settings name. Raises LoadError."""
    with redshift.open_session(settings) as session:
        yield VersionSchemas(session, settings.redshift.published_readers)
