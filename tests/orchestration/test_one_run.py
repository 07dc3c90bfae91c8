"""One run at a time works on a warehouse."""

import pytest

from ingestion.config import load_settings
from ingestion.errors import LoadError
from orchestration import run
from orchestration.warehouse import sole_run


def test_a_second_run_is_refused_at_once_in_one_line_that_says_who_is_at_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path))
    settings = load_settings()
    with sole_run(settings):
        assert run.main() == 1
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert str(settings.warehouse_path) in told and "being built by process" in told
        with pytest.raises(LoadError, match="try again"), sole_run(settings):
            pass
    with sole_run(settings):
        pass
