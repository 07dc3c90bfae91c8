"""Where versions lie, whichever engine: what `files.py` (DuckDB) and `schemas.py` (Redshift) both do."""

import re
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from datetime import datetime
from typing import Protocol

from filelock import FileLock, Timeout

from ingestion.config import Settings
from ingestion.errors import IngestionError
from ingestion.warehouse import Warehouse
from publishing.evidence import BuiltNode
from publishing.manifest import Manifest, PublishedMart

MARTS = "marts"
"""The schema of the tables; views of them are in others."""


class PublishError(IngestionError):
    """Nothing was published; the message says why, and what to do."""


class VersionStore(Protocol):
    """The versions of one warehouse, and which of them readers see."""

    def built(self) -> AbstractContextManager[Warehouse]:
        """What dbt built; `images` of it and `write` take it to be open. Raises LoadError."""

    def versions(self) -> list[Manifest]:
        """All that are kept, oldest first."""

    def current(self) -> Manifest | None:
        """The one that readers see."""

    def held_since(self) -> datetime | None:
        """Since when readers are held at the current one, whatever is built."""

    def images(self, marts: Sequence[BuiltNode], version: int | None = None) -> list[PublishedMart]:
        """Images of marts as they were built, or as a version holds them."""

    def write(self, version: int, marts: Sequence[BuiltNode]) -> None:
        """Copy marts, without personal columns, into a version that nobody sees yet."""

    def finish(self, manifest: Manifest) -> None:
        """Have the version that was written, with its manifest; nobody sees it yet."""

    def switch(self, version: int) -> None:
        """Have readers see a version from now on, wholly; who is reading reads on what they began with."""

    def hold(self, since: datetime | None) -> None:
        """Hold readers at the current version; None lets go."""

    def remove(self, version: int) -> None:
        """Remove a version that is not the current one."""


@contextmanager
def open_store(settings: Settings) -> Iterator[VersionStore]:
    """The versions of the warehouse that the settings name, for one publisher at a time.

    Raises PublishError where another has them, LoadError where Redshift cannot be reached.
    """
    settings.published_dir.mkdir(parents=True, exist_ok=True)
    lock = FileLock(settings.published_dir / ".lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise PublishError(
            f"another process is publishing to {settings.published_dir}: wait for it"
        ) from None
    try:
        if settings.target == "redshift":
            from publishing.schemas import open_schemas  # its driver takes a second to import

            with open_schemas(settings) as store:
                yield store
        else:
            from publishing.files import VersionFolders

            yield VersionFolders(settings)
    finally:
        lock.release()


def moved(view_sql: str, schema: str) -> str:
    """The query of a view of marts, reading them from another schema of whatever database it is in."""
    return re.sub(rf'"[^"]+"\."{MARTS}"\.', f'"{schema}".', view_sql)
