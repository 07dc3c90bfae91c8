"""Rewriting what the lake holds, unit by unit: what retention, purge and re-parsing have in common."""

from collections.abc import Callable, Container, Iterable, Iterator
from contextlib import contextmanager

import pyarrow as pa
from filelock import FileLock

from ingestion.config import Settings
from ingestion.lake import DoneRecord, Lake
from ingestion.source import Source
from ingestion.tables import RawTable


@contextmanager
def lake_to_rewrite(settings: Settings, *sources: Source) -> Iterator[Lake]:
    """The lake, with nobody else of this machine rewriting it and without what a killed rewriting left.

    An extraction or a load that reads the lake meanwhile may find a file gone, and has to be run again.
    """
    settings.activate()
    lake = Lake(settings.lake_url)
    with FileLock(settings.home / "rewriting.lock"):
        for source in sources:
            lake.remove_superseded(source.name)
        yield lake


def rewrite(
    lake: Lake,
    source: Source,
    unit: DoneRecord,
    tables: Container[str],
    change: Callable[[RawTable, pa.Table], pa.Table],
    attached: Callable[[str], Iterable[tuple[str, bytes]]] | None = None,
    **changes,
) -> None:
    """Write the next revision of a unit: `change` is given the rows of `tables`, some at a time.

    The other parts stay as they are, and so do attached files unless `attached` gives new ones (path and
    content) for a revision's name. `changes` are those of the done-record.
    """
    known = {table.name: table for table in source.tables}
    with lake.rewrite_unit(unit, **changes) as writer:
        for part in unit.parts:
            if part.table in tables:
                for batch in lake.read_part(part):
                    rows = change(known[part.table], pa.Table.from_batches([batch]))
                    if rows.num_rows:
                        writer.write(known[part.table], rows)
            elif part.table or attached is None:
                writer.keep(part)
        if attached is not None:
            for path, content in attached(writer.name):
                writer.attach(path, content)
