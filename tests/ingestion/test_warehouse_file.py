"""The file of the embedded warehouse: the space of removed rows is given back once it is worth a copy."""

import subprocess
import sys

import pytest

from ingestion.config import Settings, load_settings
from ingestion.errors import LoadError
from ingestion.warehouse_file import compact, compact_where_worthwhile, open_file


@pytest.fixture
def settings(tmp_path) -> Settings:
    settings = load_settings({"WAREHOUSE_DATA_DIR": str(tmp_path), "WAREHOUSE_LAKE_URL": str(tmp_path)})
    with open_file(settings) as warehouse:
        for table in ("kept", "removed"):
            warehouse.execute(f"create table {table} as select uuid() as id from range(300000)")
        warehouse.execute("create view seen as select count(*) as rows from kept")
    return settings


def test_a_file_that_is_mostly_free_is_copied_without_what_went(settings):
    with open_file(settings) as warehouse:
        warehouse.execute("delete from removed")
    size = settings.warehouse_path.stat().st_size
    compact_where_worthwhile(settings)
    assert settings.warehouse_path.stat().st_size < 0.7 * size
    with open_file(settings) as warehouse:
        assert warehouse.sql("select * from seen").fetchall() == [(300000,)]
        assert warehouse.sql("select * from removed").fetchall() == []


def test_a_file_with_little_to_give_back_stays(settings):
    with open_file(settings) as warehouse:
        warehouse.execute("delete from removed where cast(id as varchar) < '01'")
    file = settings.warehouse_path.stat().st_ino
    compact_where_worthwhile(settings)
    assert settings.warehouse_path.stat().st_ino == file


def test_a_warehouse_that_another_process_holds_is_named(settings):
    hold = (
        "import duckdb, sys; held = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(settings.warehouse_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout.readline() == "held\n"
        for action in (open_file, compact):
            with pytest.raises(LoadError, match="is open in another process: close it"):
                action(settings)
        other.stdin.close()
