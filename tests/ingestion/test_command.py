"""The command: exit status, and one line that says why."""

import pytest

from ingestion.__main__ import main
from tests.support.msd_files import write_song_files


@pytest.fixture(autouse=True)
def data_dir(tmp_path, monkeypatch):
    monkeypatch.setenv("WAREHOUSE_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def status(*arguments) -> int:
    """The exit status, also where the parser ends the process."""
    try:
        return main(arguments)
    except SystemExit as end:
        return end.code


def test_help_lists_the_commands(capsys):
    assert status("--help") == 0
    shown = capsys.readouterr().out
    assert all(
        command in shown for command in ("msd", "playlist-files", "reference-files", "load", "prepare")
    )


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("unknown",),
        ("msd", "--shard", "0/2"),
        ("msd", "--shard", "3/2"),
        ("msd", "--shard", "1"),
        ("msd", "--shard", "a/b"),
        ("msd", "--shard", "1/2/3"),
        ("load", "now"),
    ],
)
def test_a_wrong_command_line_ends_with_status_2_and_the_usage(arguments, capsys, data_dir):
    assert status(*arguments) == 2
    assert "usage: python -m ingestion" in capsys.readouterr().err
    assert not data_dir.exists()


def test_a_wrong_shard_is_named(capsys):
    assert status("msd", "--shard", "3/2") == 2
    assert "'3/2' is not I/N with 1 <= I <= N" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("msd", "/nowhere"), "PATH is /nowhere, which does not exist"),
        (("msd",), "give a PATH, or set MSD_PATH"),
        (("playlist-files",), "give a PATH, or set PLAYLIST_FILES_PATH"),
        (("reference-files",), "give a PATH, or set REFERENCE_FILES_PATH"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(arguments, reason, capsys):
    assert status(*arguments) == 1
    assert capsys.readouterr().err == f"error: {reason}\n"


def test_a_folder_without_files_is_said_in_one_line(tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    assert status("msd", str(tmp_path / "empty")) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line == f"error: no .h5 or .hdf5 file at or below {tmp_path / 'empty'}"


def test_a_wrong_setting_is_said_in_one_line(monkeypatch, capsys):
    monkeypatch.setenv("WAREHOUSE_TARGET", "oracle")
    assert status("load") == 1
    assert capsys.readouterr().err.startswith("error: WAREHOUSE_TARGET is 'oracle'")


def test_files_go_to_the_lake_and_on_to_the_warehouse(tmp_path, data_dir, capsys):
    write_song_files(tmp_path / "songs", range(3))
    assert status("msd", str(tmp_path / "songs"), "--shard", "1/1") == 0
    shown = capsys.readouterr().out
    assert "msd: 3 files in 1 units, 0 done before" in shown
    assert "           3  songs" in shown
    assert shown.endswith("next: python -m ingestion load\n")
    assert status("load") == 0
    shown = capsys.readouterr().out
    assert "raw_msd: 1 new units" in shown
    assert shown.endswith(f"warehouse: {data_dir}/warehouse.duckdb\n")


@pytest.mark.parametrize(("limit", "expected"), [("0.25", 0), ("0.2", 1), (None, 1)])
def test_too_many_bad_files_end_with_status_1_and_all_others_are_kept(
    limit, expected, tmp_path, monkeypatch, capsys
):
    write_song_files(tmp_path / "songs", range(3))
    (tmp_path / "songs/bad.h5").touch()
    if limit:
        monkeypatch.setenv("MSD_MAX_BAD_SHARE", limit)
    for new in (3, 0):  # what was quarantined by an earlier run counts as well
        assert status("msd", str(tmp_path / "songs")) == expected
        shown = capsys.readouterr()
        assert "quarantined: 1 files (25.00%)" in shown.out
        assert ("           3  songs" in shown.out) == bool(new)
        assert ("error: msd: 1 of 4 song files are in quarantine (25.00%)" in shown.err) == bool(expected)
    assert status("load") == 0
    assert "           3  songs" in capsys.readouterr().out


def test_a_share_that_is_none_is_named(monkeypatch, capsys):
    monkeypatch.setenv("MSD_MAX_BAD_SHARE", "1.5")
    assert status("load") == 1
    assert capsys.readouterr().err == "error: MSD_MAX_BAD_SHARE is '1.5'; it may be a share from 0 to 1\n"
