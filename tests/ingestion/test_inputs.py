"""Input files: what is found, and how it is grouped into units."""

import errno
import os
from collections import Counter
from datetime import UTC, datetime

import pytest

from ingestion.inputs import LARGE_FILE_BYTES, InputFile, find_inputs, group_into_units, source_root

MEAN = 10
MANY = [InputFile(f"{number:05}.h5", 1, 1) for number in range(2000)]


def units(inputs):
    return {tuple(unit) for unit in group_into_units(inputs, MEAN)}


def touch(folder, *paths):
    for path in paths:
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()


def found(path, *suffixes):
    return [file.path for file in find_inputs(path, suffixes or (".h5",))]


def test_files_are_found_at_every_depth_in_the_order_of_their_paths(tmp_path):
    touch(tmp_path, "b/c/d.h5", "a.h5", "b.h5", "b/a.H5", "note.txt", "h5")
    assert found(tmp_path) == ["a.h5", "b.h5", "b/a.H5", "b/c/d.h5"]


def test_files_come_in_the_order_of_their_whole_paths(tmp_path):
    paths = ["a-b/x.h5", "a.h5", "a/b.h5", "a/b/c.h5", "a0.h5", "a/b-.h5", "ab/x.h5", "a/b.h5.h5"]
    touch(tmp_path, *paths)
    assert found(tmp_path) == sorted(paths)


def test_links_to_files_are_followed_and_links_to_folders_are_not(tmp_path, caplog):
    touch(tmp_path, "elsewhere/a.h5", "songs/b.h5")
    (tmp_path / "songs/linked.h5").symlink_to(tmp_path / "elsewhere/a.h5")
    (tmp_path / "songs/folder").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "songs/nowhere.h5").symlink_to(tmp_path / "gone.h5")
    assert found(tmp_path / "songs") == ["b.h5", "linked.h5"]
    assert (
        "2 links and the like passed over, to folders or to nothing, such as folder, nowhere.h5"
        in caplog.text
    )


def test_what_the_system_says_nothing_of_is_an_input_all_the_same(tmp_path):
    touch(tmp_path, "a.h5", "c.h5")
    (tmp_path / "b.h5").symlink_to("b.h5")
    assert found(tmp_path) == ["a.h5", "b.h5", "c.h5"]


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
@pytest.mark.parametrize(("rights", "seen"), [(0, "dir"), (0o444, "dir/a.h5")])
def test_a_folder_that_may_not_be_looked_into_is_an_input_and_the_rest_is_found(rights, seen, tmp_path):
    touch(tmp_path, "dir/a.h5", "open/b.h5")
    (tmp_path / "dir").chmod(rights)
    assert found(tmp_path) == [seen, "open/b.h5"]
    (tmp_path / "dir").chmod(0o755)


def test_a_folder_that_cannot_be_listed_is_an_input_and_the_rest_is_found(tmp_path, monkeypatch, caplog):
    touch(tmp_path, "broken/a.h5", "whole/b.h5")
    scandir = os.scandir

    def failing(path):
        if str(path).endswith("broken"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", failing)
    assert found(tmp_path) == ["broken", "whole/b.h5"]
    assert f"{tmp_path}/broken cannot be listed: Input/output error" in caplog.text


def test_hidden_files_and_folders_are_passed_over(tmp_path):
    touch(tmp_path, ".hidden.h5", "seen/._a.h5", ".git/a.h5", "seen/.cache/a.h5", "seen/a.h5")
    assert found(tmp_path) == ["seen/a.h5"]


def test_a_source_inside_a_hidden_folder_is_found(tmp_path):
    touch(tmp_path, ".data/a.h5")
    assert found(tmp_path / ".data") == ["a.h5"]


def test_a_folder_named_like_a_file_is_no_input(tmp_path):
    touch(tmp_path, "folder.h5/a.h5")
    assert found(tmp_path) == ["folder.h5/a.h5"]


def test_a_single_file_is_found_whatever_its_name(tmp_path):
    touch(tmp_path, "one.h5", "two.h5", "odd.name")
    assert found(tmp_path / "one.h5") == ["one.h5"]
    assert found(tmp_path / "odd.name") == ["odd.name"]
    assert source_root(tmp_path / "one.h5") == source_root(tmp_path) == tmp_path


@pytest.mark.parametrize("name", ["nowhere", "empty"])
def test_a_path_without_files_is_an_error_and_not_an_empty_source(name, tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=name):
        list(find_inputs(tmp_path / name, (".h5",)))


def test_size_and_time_come_from_the_file(tmp_path):
    path = tmp_path / "a.h5"
    path.write_bytes(b"abc")
    os.utime(path, ns=(0, 1_700_000_000_123_456_789))
    (file,) = find_inputs(tmp_path, (".h5",))
    assert file.size_bytes == 3
    assert file.modified_at == datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)


def test_units_hold_every_file_once_and_are_neither_huge_nor_tiny():
    grouped = list(group_into_units(MANY, MEAN))
    assert [file for unit in grouped for file in unit] == MANY
    assert max(map(len, grouped)) <= 4 * MEAN
    assert MEAN / 2 < len(MANY) / len(grouped) < 2 * MEAN


@pytest.mark.parametrize("place", [0, 7, 1000, 1999])
def test_a_file_that_goes_changes_the_unit_it_was_in_and_its_neighbour_at_most(place):
    before = units(MANY)
    after = units(MANY[:place] + MANY[place + 1 :])
    assert len(before - after) <= 2
    assert len(after - before) <= 2


@pytest.mark.parametrize("path", ["00000.a.h5", "01000.a.h5", "09999.h5"])
def test_a_file_that_comes_changes_the_unit_it_falls_into_and_no_other(path):
    before = units(MANY)
    after = units(sorted([*MANY, InputFile(path, 1, 1)]))
    assert len(before - after) <= 1
    assert len(after - before) <= 2


def test_a_file_that_changes_changes_its_own_unit_only():
    changed = [InputFile(file.path, file.size_bytes, 2) if file is MANY[700] else file for file in MANY]
    assert len(units(MANY) - units(changed)) == 1


def test_a_large_file_is_a_unit_of_its_own():
    large = InputFile("00500.large.h5", LARGE_FILE_BYTES, 1)
    grouped = list(group_into_units(sorted([*MANY, large]), MEAN))
    assert [large] in grouped
    assert Counter(file for unit in grouped for file in unit)[large] == 1
    assert all(grouped)
    assert list(group_into_units([large], MEAN)) == [[large]]


def test_no_files_make_no_units():
    assert list(group_into_units([], MEAN)) == []
