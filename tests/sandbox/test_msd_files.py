"""The song files: what h5py and PyTables read from them, and how they compare with genuine ones."""

import dataclasses
import os
from pathlib import Path

import h5py
import numpy as np
import pytest
import tables
from h5py import h5d, h5f, h5o, h5s

from sandbox.msd_files import ARRAYS, EMPTY_SONG, song_path, write_song_file
from sandbox.sound import song_arrays

GROUPS = ("metadata", "analysis", "musicbrainz")


def expected_row(song, names):
    """The song's values as the file holds them; idx_* columns are 0 in a file of one song."""
    columns = song.columns()
    values = (columns.get(name, 0) for name in names)
    return [value.encode() if isinstance(value, str) else value for value in values]


def test_there_is_one_file_for_each_song_in_the_folders_its_id_names(world, paths):
    found = {path.relative_to(paths.msd).as_posix() for path in paths.msd.rglob("*") if path.is_file()}
    assert found == {
        f"{song.track_id[2]}/{song.track_id[3]}/{song.track_id[4]}/{song.track_id}.h5" for song in world.songs
    }


def test_h5py_reads_every_scalar_of_every_song(world, paths):
    with h5py.File(song_path(paths.msd, world.songs[0].track_id)) as file:
        row_types = {group: file[f"{group}/songs"].dtype for group in GROUPS}
    for song in world.songs:
        # The low-level interface: the other one takes 16 s for all files.
        file = h5f.open(bytes(song_path(paths.msd, song.track_id)), h5f.ACC_RDONLY)
        for group, row_type in row_types.items():
            table = h5d.open(file, f"/{group}/songs".encode())
            assert table.shape == (1,)
            assert table.dtype == row_type
            row = np.empty(1, row_type)
            table.read(h5s.ALL, h5s.ALL, row, table.get_type())
            expected = np.array([tuple(expected_row(song, row_type.names))], dtype=row_type)
            # By bytes, where NaN equals NaN.
            assert row.tobytes() == expected.tobytes()


def test_pytables_opens_every_file(world, paths):
    for song in world.songs:
        with tables.open_file(str(song_path(paths.msd, song.track_id))) as file:
            assert file.title == "H5 Song File"
            assert file.format_version == "2.0"
            assert set(file.root._v_groups) == set(GROUPS)


def test_pytables_and_h5py_read_the_worlds_values(world, paths):
    for song in world.songs[::60]:
        path = song_path(paths.msd, song.track_id)
        arrays = song_arrays(song)
        assert arrays.keys() == set(ARRAYS)
        with tables.open_file(str(path)) as file:
            for group in GROUPS:
                table = file.get_node(f"/{group}/songs")
                assert isinstance(table, tables.Table)
                row = table.read()[0]
                np.testing.assert_equal(row.item(), tuple(expected_row(song, table.colnames)))
            for array_path, values in arrays.items():
                assert isinstance(file.get_node(array_path), tables.EArray)
                np.testing.assert_array_equal(file.get_node(array_path).read(), values)
        with h5py.File(path) as file:
            for array_path, values in arrays.items():
                np.testing.assert_array_equal(file[array_path][:], values)


def test_arrays_of_one_unit_have_one_length_and_their_times_rise(world):
    for song in world.songs[::10]:
        arrays = song_arrays(song)
        segments = {len(values) for path, values in arrays.items() if "/segments_" in path}
        assert len(segments) == 1
        assert arrays["/analysis/segments_pitches"].shape == (*segments, 12)
        for unit in ("segments", "sections", "beats", "bars", "tatums"):
            starts = arrays[f"/analysis/{unit}_start"]
            assert len(starts) == len(arrays[f"/analysis/{unit}_confidence"])
            assert np.all(np.diff(starts) > 0)
            assert not len(starts) or starts[-1] < song.duration
        assert len(arrays["/metadata/similar_artists"]) <= 100


def test_a_text_too_long_is_cut_at_the_columns_bytes(world, tmp_path):
    song = dataclasses.replace(world.songs[0], title="x" + "é" * 600)
    write_song_file(song, tmp_path / "song.h5")
    with h5py.File(tmp_path / "song.h5") as file:
        assert file["metadata/songs"][0]["title"] == song.title.encode()[:1024]


def test_the_file_that_all_start_as_says_nothing():
    with h5py.File(EMPTY_SONG) as file:
        for group in GROUPS:
            (row,) = file[f"{group}/songs"][:]
            assert not any(row.tobytes())
        for array_path in ARRAYS:
            assert len(file[array_path]) == 0


@pytest.fixture(scope="module")
def genuine():
    """Paths of the genuine song files, where this machine has any."""
    samples = os.environ.get("GENUINE_SAMPLES")
    if not samples:
        pytest.skip("GENUINE_SAMPLES is not set: no genuine song file to compare with")
    found = sorted((Path(samples) / "msd").rglob("*.h5"))
    assert found
    return found


def attributes(node) -> dict[str, object]:
    """Attributes by name: value and type; EXTDIM, which holds chance bytes in genuine files, by type."""
    found = {}
    for name in node.attrs:
        attribute = node.attrs.get_id(name)
        file_type = attribute.get_type()
        value = None if name == "EXTDIM" else node.attrs[name].tobytes()
        found[name] = (value, file_type.get_class(), file_type.get_size(), attribute.shape)
    return found


def layout(path: Path) -> dict[str, object]:
    """Everything about a song file but its values."""
    found: dict[str, object] = {}
    with h5py.File(path) as file:
        found["/"] = attributes(file)

        def visit(name, node):
            found[name] = attributes(node)
            if isinstance(node, h5py.Dataset):
                create = node.id.get_create_plist()
                filters = [create.get_filter(number) for number in range(create.get_nfilters())]
                found[f"{name} type"] = node.id.get_type()
                found[f"{name} shape"] = (node.ndim, node.shape[1:], node.maxshape, node.chunks)
                found[f"{name} filters"] = filters
                found[f"{name} fill"] = (create.get_fill_time(), create.get_alloc_time())

        file.visititems(visit)
    return found


def header_addresses(path: Path, names) -> list[int]:
    with h5py.File(path) as file:
        return [h5o.get_info(file[name].id).addr for name in names]


def test_a_files_structure_equals_a_genuine_ones(world, paths, genuine):
    ours = layout(song_path(paths.msd, world.songs[0].track_id))
    for path in genuine:
        theirs = layout(path)
        assert ours.keys() == theirs.keys()
        for name in theirs:
            assert ours[name] == theirs[name], f"{name} of {path.name}"


def test_everything_lies_where_it_lies_in_a_genuine_file(world, paths, genuine):
    names = [*(f"/{group}/songs" for group in GROUPS), *ARRAYS]
    theirs = header_addresses(genuine[0], names)
    for song in world.songs[::50]:
        assert header_addresses(song_path(paths.msd, song.track_id), names) == theirs


def test_the_file_that_all_start_as_holds_nothing_but_what_every_genuine_file_holds(genuine):
    ours = EMPTY_SONG.read_bytes()
    undefined = b"\xff" * 8  # address of the chunks of an array that has none
    for path in genuine:
        theirs = path.read_bytes()
        different = [at for at, byte in enumerate(ours) if byte and byte != theirs[at]]
        assert all(40 <= at < 48 or undefined in ours[at - 7 : at + 8] for at in different)
