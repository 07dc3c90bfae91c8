"""The summary that ends a run: what is in the warehouse, what was left out, where to go on."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

from ingestion.config import Settings
from ingestion.sources import SOURCES
from orchestration.checks import few_bad_files
from orchestration.publishing import published_marts
from orchestration.warehouse import open_to_read, read
from publishing import PublishError, open_published
from publishing.evidence import GOOD, SCHEMA
from publishing.files import CURRENT, MARTS_FILE

SHOWN_REASONS = 5


def summarise(settings: Settings, failed_steps: Collection[str], checks_passed: Sequence[bool]) -> str:
    """Rows per mart, checks, quarantined inputs, places and next commands, as plain text.

    `checks_passed` are those that are no dbt tests; what those said is asked of the warehouse.
    """
    is_embedded = settings.target == "duckdb"
    with open_to_read(settings) as warehouse:
        marts = _rows_per_mart(warehouse)
        quarantined = _quarantined_by_reason(warehouse)
        tests_passed = _tests_passed(warehouse)
    lines = [""]
    if not failed_steps:
        lines.append("The warehouse is up to date.")
    elif failed_steps == {few_bad_files.op.name}:
        lines.append(
            "The run FAILED: too many song files, or an archive, could not be read. All else is in the marts."
        )
    elif failed_steps == {published_marts.op.name}:
        lines.append(
            "The run FAILED: what was built is not published. Why stands above; readers keep what they have."
        )
    else:
        lines.append("The run FAILED: the error stands above. What the marts hold is from an earlier run.")
    lines += [f"  {rows:>10,}  {mart}" for mart, rows in marts]
    passed = [*tests_passed, *checks_passed]
    lines.append(f"Checks: {sum(passed)} of {len(passed)} passed.")
    total = sum(count for *_, count in quarantined)
    lines.append(f"Quarantined inputs: {total or 'none'}.")
    lines += [f"  {count:>10,}  {source}: {reason}" for source, reason, count in quarantined[:SHOWN_REASONS]]
    lines += [
        f"Warehouse: {_shown(Path(settings.warehouse_name)) if is_embedded else settings.warehouse_name}",
        f"Published: {_published(settings)}",
        "Next:",
        "  make dev     look at the graph in the browser and run it from there",
        "  make docs    build the documentation: docs/site/index.html",
    ]
    if is_embedded:
        lines.append(f"  {_shown_query(settings)}")
    return "\n".join(lines)


def _tables(warehouse: Any, schema: str) -> list[str]:
    rows = read(
        warehouse,
        f"select table_name from information_schema.tables where table_schema = '{schema}' order by 1",
    )
    return [name for (name,) in rows]


def _rows_per_mart(warehouse: Any) -> list[tuple[str, int]]:
    return [
        (f"marts.{name}", read(warehouse, f'select count(*) from marts."{name}"')[0][0])
        for name in _tables(warehouse, "marts")
    ]


def _tests_passed(warehouse: Any) -> list[bool]:
    """Whether each dbt test passed when it was last run."""
    if "built_nodes" not in _tables(warehouse, SCHEMA):
        return []
    statuses = read(warehouse, f"select status from {SCHEMA}.built_nodes where resource_type = 'test'")
    return [status in GOOD["test"] for (status,) in statuses]


def _quarantined_by_reason(warehouse: Any) -> list[Sequence[Any]]:
    """Source, reason and number of inputs, the commonest first; nothing where dbt never ran."""
    built = _tables(warehouse, "staging")
    views = {source.name: f"stg_{source.name}__quarantined_inputs" for source in SOURCES}
    selects = [
        f"select '{source}' as source, reason from staging.{view}"
        for source, view in views.items()
        if view in built
    ]
    if not selects:
        return []
    return read(
        warehouse,
        f"select source, reason, count(*) from ({' union all '.join(selects)}) as quarantined "
        "group by source, reason order by count(*) desc, source, reason",
    )


def _published(settings: Settings) -> str:
    """What readers see, and where."""
    try:
        with open_published(settings) as published:
            version = published.manifest.name
    except PublishError:
        return "nothing yet"
    if settings.target == "redshift":
        return f"{version}, schema published"
    return f"{version}, {_shown(settings.published_dir / CURRENT / MARTS_FILE)}"


def _shown(path: Path) -> str:
    """A path as one would type it: relative where it lies below the working folder."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _shown_query(settings: Settings) -> str:
    database = _shown(settings.warehouse_path)
    return (
        f".venv/bin/python -c \"import duckdb; duckdb.connect('{database}', read_only=True)"
        ".table('marts.dim_songs').limit(5).show()\""
    )
