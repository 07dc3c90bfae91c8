"""The audit: what has to hold before readers see a version; a line for each thing that does not."""

from collections.abc import Mapping, Sequence

from publishing.evidence import BuiltNode
from publishing.manifest import Manifest, PublishedMart, SourceLook

MAX_SHRINK = 0.2
"""Share of its rows that a mart may lose between two versions. Playlists change by a few per cent a day; a
fifth gone at once is a source that was not read, or a join that lost its rows."""

MAX_GROWTH = 10.0
"""How many times its rows a mart may have. A source that is added makes ten of one; a join that multiplies
rows is caught by the tests of keys long before."""

FEW_ROWS = 100
"""What a mart may lose or win whatever the share: a few playlists are a fifth of a small collection."""

MAX_SOURCE_SHRINK = 0.2
"""Share of its inputs that a source may lose between two versions."""


def count_problems(
    nodes: Sequence[BuiltNode], before: Sequence[PublishedMart], after: Sequence[PublishedMart]
) -> list[str]:
    """Marts whose rows are outside their bounds against the version that readers see now.

    A mart's own bounds stand in its YAML, under `config.meta.published_rows`: `max_shrink`, `max_growth`.
    """
    rows_before = {mart.name: mart.rows for mart in before}
    bounds = {node.name: node.bounds for node in nodes}
    problems = []
    for mart in after:
        old = rows_before.get(mart.name)
        if not old:
            continue
        least = old * (1 - bounds[mart.name].get("max_shrink", MAX_SHRINK))
        most = old * bounds[mart.name].get("max_growth", MAX_GROWTH)
        change = f"{mart.name} had {old:,} rows and has {mart.rows:,}"
        if not mart.rows:
            problems.append(f"{change}: it is empty")
        elif mart.rows < least and old - mart.rows > FEW_ROWS:
            problems.append(f"{change}: fewer than the {least:,.0f} that its bound allows")
        elif mart.rows > most and mart.rows - old > FEW_ROWS:
            problems.append(f"{change}: more than the {most:,.0f} that its bound allows")
    return problems


def column_problems(before: Manifest, after: Sequence[PublishedMart], release: str) -> list[str]:
    """Columns that readers have now and would lose, or find of another type, without a new release."""
    if before.release != release:
        return []
    columns = {mart.name: mart.columns for mart in after}
    problems = []
    for mart in before.marts:
        if mart.name not in columns:
            problems.append(f"{mart.name} is gone, and the release is still {release}")
            continue
        problems += [
            f"{mart.name}.{column} was {type_} and is {columns[mart.name].get(column, 'gone')}, "
            f"and the release is still {release}"
            for column, type_ in mart.columns.items()
            if columns[mart.name].get(column) != type_
        ]
    return problems


def source_problems(before: Mapping[str, SourceLook], after: Mapping[str, SourceLook]) -> list[str]:
    """Sources where far less was found than for the version that readers see now."""
    problems = []
    for source, old in before.items():
        new = after.get(source)
        if new is None or not old.inputs:
            continue
        found = (
            f"source {source}: {old.inputs:,} inputs before, {new.inputs:,} at {new.at:%Y-%m-%d %H:%M} UTC"
        )
        if not new.inputs:
            problems.append(f"{found}: nothing is there any more")
        elif new.inputs < old.inputs * (1 - MAX_SOURCE_SHRINK):
            problems.append(f"{found}: more than {MAX_SOURCE_SHRINK:.0%} are gone")
    return problems
