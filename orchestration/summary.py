"""The summary that ends a run: what is in the warehouse, what was left out, where to go on."""

from collections.abc import Sequence
from pathlib import Path

import duckdb

from ingestion.config import Settings
from ingestion.sources import SOURCES

SHOWN_REASONS = 5


def summarise(settings: Settings, is_complete: bool, checks_passed: Sequence[bool]) -> str:
    """Rows per mart, checks, quarantined inputs, places and next commands, as plain text."""
    with duckdb.connect(str(settings.warehouse_path), read_only=True) as warehouse:
        marts = _rows_per_mart(warehouse)
        quarantined = _quarantined_by_reason(warehouse)
    outcome = "The warehouse is up to date." if is_complete else "The run FAILED; these tables may be old."
    lines = ["", outcome]
    lines += [f"  {rows:>10,}  {mart}" for mart, rows in marts]
    lines.append(f"Checks: {sum(checks_passed)} of {len(checks_passed)} passed.")
    total = sum(count for *_, count in quarantined)
    lines.append(f"Quarantined inputs: {total or 'none'}.")
    lines += [f"  {count:>10,}  {source}: {reason}" for source, reason, count in quarantined[:SHOWN_REASONS]]
    lines += [
        f"Warehouse: {_shown(settings.warehouse_path)}",
        "Next:",
        "  make dev     look at the graph in the browser and run it from there",
        "  make docs    build the documentation: docs/site/index.html",
        f"  {_shown_query(settings)}",
    ]
    return "\n".join(lines)


def _rows_per_mart(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[str, int]]:
    names = warehouse.execute(
        "select table_name from information_schema.tables where table_schema = 'marts' order by table_name"
    ).fetchall()
    return [
        (f"marts.{name}", warehouse.execute(f'select count(*) from marts."{name}"').fetchone()[0])
        for (name,) in names
    ]


def _quarantined_by_reason(warehouse: duckdb.DuckDBPyConnection) -> list[tuple[str, str, int]]:
    union = " union all ".join(
        f"select '{source.name}' as source, reason from staging.stg_{source.name}__quarantined_inputs"
        for source in SOURCES
    )
    return warehouse.execute(
        f"select source, reason, count(*) from ({union}) group by all order by count(*) desc, source, reason"
    ).fetchall()


def _shown(path: Path) -> str:
    """A path as one would type it: relative where it lies below the working folder."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _shown_query(settings: Settings) -> str:
    database = _shown(settings.warehouse_path)
    return (
        f".venv/bin/python -c \"import duckdb; duckdb.connect('{database}', read_only=True)"
        ".table('marts.dim_songs').limit(5).show()\""
    )
