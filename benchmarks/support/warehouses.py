"""Throw-away warehouses for benchmarks: settings that read no environment."""

from collections.abc import Callable
from pathlib import Path

from ingestion.config import Settings


def scratch_settings(home: Path, lake: Path | None = None) -> Settings:
    """Settings of an empty DuckDB warehouse in the folder `home`; the lake is `home`/lake unless given."""
    return Settings(
        target="duckdb",
        data_dir=home,
        is_sandbox=False,
        source_paths={},
        lake_url=str(lake or home / "lake"),
        hmac_key="benchmark",
    )


def counting(home: Path, tables: list[str]) -> Callable[[], int]:
    """Work that counts the rows of tables (`schema.name`) in the warehouse in `home`: what was committed."""
    import duckdb

    def count() -> int:
        with duckdb.connect(str(scratch_settings(home).warehouse_path), read_only=True) as connection:
            return sum(connection.execute(f"select count(*) from {table}").fetchone()[0] for table in tables)

    return count
