"""Reading what is published: the one way into the warehouse for programs that are no part of its building."""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb

from ingestion import redshift
from ingestion.config import Settings
from ingestion.warehouse import DuckDBWarehouse, Warehouse
from publishing.evidence import SCHEMA
from publishing.files import CURRENT, HELD, MANIFEST_FILE, MARTS_FILE
from publishing.manifest import Manifest
from publishing.schemas import MANIFEST, READERS
from publishing.store import MARTS, PublishError


@dataclass(frozen=True)
class PublishedMarts:
    """A version to read; it stays what it is as long as it is open, whatever is published meanwhile.

    In Redshift all of it is one transaction, and publishing waits for its end: open it no longer than needed.
    """

    manifest: Manifest
    warehouse: Warehouse
    schema: str

    def table(self, mart: str) -> str:
        """What a query calls a mart, say `dim_songs`."""
        return f'"{self.schema}"."{mart}"'


@contextmanager
def open_published(settings: Settings) -> Iterator[PublishedMarts]:
    """The current version. Raises PublishError where nothing is published, LoadError without a Redshift."""
    if settings.target == "redshift":
        with redshift.open_session(settings) as session:
            if not session.has_table(READERS, MANIFEST):
                raise PublishError("nothing is published yet")
            yield PublishedMarts(_published_manifest(session), session, READERS)
        return
    folder = settings.published_dir / CURRENT
    if not folder.exists():
        raise PublishError(f"nothing is published in {settings.published_dir} yet")
    folder = folder.resolve()  # manifest and marts of one version, also if another becomes current meanwhile
    manifest = Manifest.from_json((folder / MANIFEST_FILE).read_bytes())
    with closing(duckdb.connect(str(folder / MARTS_FILE), read_only=True)) as connection:
        connection.execute("set TimeZone = 'UTC'")
        yield PublishedMarts(manifest, DuckDBWarehouse(connection), MARTS)


@dataclass(frozen=True)
class Served:
    """What readers see: the current version's manifest, None before the first; since when they are held."""

    manifest: Manifest | None
    held_since: datetime | None


def read_served(settings: Settings) -> Served:
    """What readers see now, without opening a file of the warehouse or waiting for a publisher.

    Raises LoadError where a Redshift cannot be reached.
    """
    if settings.target == "redshift":
        with redshift.open_session(settings) as session:
            held_since = None
            if session.has_table(SCHEMA, "published_held"):
                ((held_since,),) = session.rows(f"select max(held_since) from {SCHEMA}.published_held")
            manifest = _published_manifest(session) if session.has_table(READERS, MANIFEST) else None
    else:
        current, held = settings.published_dir / CURRENT / MANIFEST_FILE, settings.published_dir / HELD
        manifest = Manifest.from_json(current.read_bytes()) if current.exists() else None
        held_since = datetime.fromisoformat(held.read_text()) if held.exists() else None
    return Served(
        manifest, held_since and (held_since if held_since.tzinfo else held_since.replace(tzinfo=UTC))
    )


def _published_manifest(session: Warehouse) -> Manifest:
    pieces = session.rows(f"select manifest from {READERS}.{MANIFEST} order by piece")
    return Manifest.from_json("".join(text for (text,) in pieces))
