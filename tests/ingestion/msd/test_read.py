"""The two ways to read song files give equal values, and each file goes the way it should."""

import random
import re
import struct
import subprocess
import sys
import zlib
from collections import Counter
from pathlib import Path

import h5py
import numpy as np
import pytest
import tables

from ingestion.inputs import UnreadableInputError
from ingestion.msd import fixed_offsets, hdf5
from ingestion.msd.content import FIRST_BYTES, HeldBytes, LocalFile
from ingestion.msd.layout import ARRAYS, UNDEFINED
from ingestion.msd.read import SongsRead, Unreadable, read_songs
from ingestion.msd.songs import ARRAYS_OF, SCALARS, Tier
from sandbox import generate_world
from sandbox.msd_files import song_path, write_msd_files
from tests.support.msd_files import (
    make_full_size_song,
    make_song,
    write_genuine_song,
    write_song,
    write_songs,
)

GROUP_OF = {
    name: group
    for group, names in {
        "metadata": ("similar_artists", "artist_terms", "artist_terms_freq", "artist_terms_weight"),
        "musicbrainz": ("artist_mbtags", "artist_mbtags_count"),
    }.items()
    for name in names
}
"""Group of each array that is not in /analysis."""


class Recorded:
    """A content that notes what is read of it."""

    def __init__(self, content):
        self.content = content
        self.size_bytes, self.path = content.size_bytes, content.path
        self.reads = []

    def read(self, start, length):
        self.reads.append((start, length))
        return self.content.read(start, length)


def local(paths):
    for path in paths:
        with LocalFile(path) as content:
            yield path, content


def by_file(read):
    """{file: (way, scalars by name, arrays by name)} of single-song files."""
    found = {}
    for part in read:
        assert isinstance(part, SongsRead), part
        for song, file in enumerate(part.files):
            rows = {name: values[song] for name, values in part.songs.rows.items()}
            arrays = {name: array.of(song) for name, array in part.songs.arrays.items()}
            found[file] = (part.read_by, rows, arrays)
    return found


def assert_equal(first, second):
    """The values are equal, NaN to NaN, and arrays have the same type."""
    assert first.keys() == second.keys()
    for name, value in first.items():
        np.testing.assert_array_equal(value, second[name], err_msg=name, strict=True)


def read_with_hdf5(path, tier):
    with LocalFile(path) as content:
        (songs,) = hdf5.read(content, tier)
    return (
        {name: values[0] for name, values in songs.rows.items()},
        {name: array.of(0) for name, array in songs.arrays.items()},
    )


def read_with_pytables(path, tier):
    # Neither attributes nor a cache: without them it takes three quarters of the time.
    with tables.open_file(path, pytables_sys_attrs=False, node_cache_slots=0) as h5:
        rows = {}
        for group in ("metadata", "analysis", "musicbrainz"):
            (row,) = h5.get_node(f"/{group}/songs").read()
            rows |= {name: row[name] for name in row.dtype.names}
        arrays = {
            name: h5.get_node(f"/{GROUP_OF.get(name, 'analysis')}/{name}").read() for name in ARRAYS_OF[tier]
        }
    return {name: rows[name] for name in SCALARS}, arrays


@pytest.fixture(scope="module")
def sandbox_files(tmp_path_factory):
    """Every song file of the sandbox."""
    folder = tmp_path_factory.mktemp("msd")
    world = generate_world()
    write_msd_files(world, folder)
    return [song_path(folder, song.track_id) for song in world.songs]


def test_every_file_of_the_sandbox_is_read_at_fixed_offsets_as_with_hdf5_and_pytables(sandbox_files):
    for paths in (sandbox_files[start : start + 50] for start in range(0, len(sandbox_files), 50)):
        found = {tier: by_file(read_songs(local(paths), tier)) for tier in Tier}
        for path in paths:
            for read in (read_with_hdf5, read_with_pytables):
                expected_rows, expected_arrays = read(path, Tier.ARRAYS)
                for tier in Tier:
                    way, rows, arrays = found[tier][path]
                    assert way == "fixed_offsets"
                    assert_equal(rows, expected_rows)
                    assert_equal(arrays, {name: expected_arrays[name] for name in ARRAYS_OF[tier]})


@pytest.mark.parametrize("tier", Tier)
def test_every_genuine_sample_is_read_at_fixed_offsets_as_with_hdf5_and_pytables(tier, genuine_samples):
    samples = sorted((genuine_samples / "msd").rglob("*.h5"))
    assert samples
    for path, (way, rows, arrays) in by_file(read_songs(local(samples), tier)).items():
        assert way == "fixed_offsets"
        for expected_rows, expected_arrays in (read_with_hdf5(path, tier), read_with_pytables(path, tier)):
            assert_equal(rows, expected_rows)
            assert_equal(arrays, expected_arrays)


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("write", [write_song, write_genuine_song])
def test_a_file_of_any_layout_gives_its_songs_values(write, tier, tmp_path):
    song = make_full_size_song(3)
    path = write(tmp_path, song)
    (way, rows, arrays) = by_file(read_songs(local([path]), tier))[path]
    assert way == ("hdf5" if write is write_song else "fixed_offsets")
    for name, value in song.scalars.items():
        assert rows[name] == (value.encode() if isinstance(value, str) else value) or value != value
    assert list(arrays) == list(ARRAYS_OF[tier])
    for name, array in arrays.items():
        path_in_file = f"{GROUP_OF.get(name, 'analysis')}/{name}"
        expected = np.array(song.arrays[path_in_file], array.dtype)
        np.testing.assert_array_equal(array, expected)


def test_more_segments_than_one_b_tree_node_can_name_are_left_to_hdf5(tmp_path):
    ways = {}
    for segments in (64 * 85, 64 * 85 + 1):
        song = make_full_size_song(1)
        for name in [name for name in song.arrays if name.startswith("analysis/segments_")]:
            song.arrays[name] = np.resize(song.arrays[name], (segments, *song.arrays[name].shape[1:]))
        path = write_genuine_song(tmp_path, song, name=f"{segments}.h5")
        ways[segments], _, arrays = by_file(read_songs(local([path]), Tier.ARRAYS))[path]
        np.testing.assert_array_equal(arrays["segments_pitches"], song.arrays["analysis/segments_pitches"])
    assert ways == {5440: "fixed_offsets", 5441: "hdf5"}


@pytest.mark.parametrize("tier", Tier)
def test_a_rewritten_file_goes_to_hdf5_and_gives_the_same(tier, tmp_path, sandbox_files):
    old = sandbox_files[0]
    new = tmp_path / old.name
    with tables.open_file(old) as h5:
        h5.copy_file(str(new))
    found = by_file(read_songs(local([old, new]), tier))
    assert [way for way, _, _ in found.values()] == ["fixed_offsets", "hdf5"]
    assert_equal(found[old][1], found[new][1])
    assert_equal(found[old][2], found[new][2])


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("write", [write_song, write_genuine_song])
def test_bytes_that_are_no_local_file_are_read_the_same_way(write, tier, tmp_path):
    path = write(tmp_path, make_song(7))
    held = HeldBytes(path.read_bytes())
    from_disk = by_file(read_songs(local([path]), tier))[path]
    from_memory = by_file(read_songs([("held", held)], tier))["held"]
    assert from_memory[0] == from_disk[0]
    assert_equal(from_memory[1], from_disk[1])
    assert_equal(from_memory[2], from_disk[2])


def test_songs_of_an_aggregate_in_memory_are_given_their_own_arrays(tmp_path):
    songs = [make_song(number) for number in range(9)]
    content = HeldBytes(write_songs(tmp_path / "aggregate.h5", songs).read_bytes())
    (read,) = read_songs([("aggregate", content)])
    assert read.read_by == "hdf5"
    assert read.files == ["aggregate"] * 9
    for number, song in enumerate(songs):
        terms = read.songs.arrays["artist_terms"].of(number).tolist()
        assert [term.decode() for term in terms] == song.arrays["metadata/artist_terms"]


@pytest.mark.parametrize(
    ("tier", "tags", "has_second_range"),
    [(Tier.SCALARS, 3, False), (Tier.ARTISTS, 0, False), (Tier.ARTISTS, 3, True), (Tier.ARRAYS, 3, False)],
)
def test_a_second_range_is_read_only_for_tags_at_the_files_end(tier, tags, has_second_range, tmp_path):
    song = make_full_size_song(1)
    song.arrays["musicbrainz/artist_mbtags"] = [f"tag {i}" for i in range(tags)]
    song.arrays["musicbrainz/artist_mbtags_count"] = list(range(tags))
    with LocalFile(write_genuine_song(tmp_path, song)) as file:
        content = Recorded(file)
        (read,) = read_songs([("song", content)], tier)
        assert read.read_by == "fixed_offsets"
        first, *others = content.reads
        assert first == (0, file.size_bytes if tier is Tier.ARRAYS else FIRST_BYTES)
        assert bool(others) == has_second_range
        assert all(start >= FIRST_BYTES and length <= 16 * 1024 for start, length in others)


def test_songs_and_errors_come_in_the_order_of_the_files(tmp_path):
    def contents():
        for number in range(8):
            if number == 3:
                yield number, UnreadableInputError("missing_file", "gone")
            elif number == 5:
                yield number, HeldBytes(b"no song")
            else:
                write = write_song if number == 6 else write_genuine_song
                with LocalFile(write(tmp_path, make_song(number))) as content:
                    yield number, content

    read = list(read_songs(contents()))
    assert [part.file if isinstance(part, Unreadable) else part.files for part in read] == [
        [0, 1, 2],
        3,
        [4],
        5,
        [6],
        [7],
    ]
    assert [part.error.reason for part in read if isinstance(part, Unreadable)] == [
        "missing_file",
        "not_hdf5",
    ]


@pytest.mark.parametrize("tier", Tier)
def test_a_changed_bit_is_left_to_hdf5_or_changes_what_hdf5_reads_too(tier, tmp_path):
    path = write_genuine_song(tmp_path, make_song(7))
    original = path.read_bytes()
    rows, arrays = fixed_offsets.read(HeldBytes(original), tier)
    unchanged = (rows, [array.tobytes() for array in arrays])
    rng = random.Random(tier)
    outcomes = Counter()
    for at in range(len(original)):
        changed = bytearray(original)
        changed[at] ^= 1 << rng.randrange(8)
        raw_song = fixed_offsets.read(HeldBytes(bytes(changed)), tier)
        if not raw_song:  # the next test reads some of them with HDF5
            outcomes["declined"] += 1
        elif (raw_song[0], [array.tobytes() for array in raw_song[1]]) == unchanged:
            outcomes["the same"] += 1
        else:  # an array's length
            outcomes["different"] += 1
            path.write_bytes(changed)
            songs = fixed_offsets.decode([raw_song], tier)
            rows, arrays = read_with_hdf5(path, tier)
            assert_equal({name: values[0] for name, values in songs.rows.items()}, rows)
            assert_equal({name: array.of(0) for name, array in songs.arrays.items()}, arrays)
    assert outcomes["declined"] > 1000
    assert outcomes["the same"] > 1000
    assert bool(outcomes["different"]) == bool(ARRAYS_OF[tier])


READ_CHANGED = """
import resource, sys
from ingestion.msd.content import HeldBytes
from ingestion.msd.read import Unreadable, read_songs
from ingestion.msd.songs import Tier

def values(content):
    (read,) = read_songs([("song", HeldBytes(content))], Tier.ARRAYS)
    if isinstance(read, Unreadable):
        return read.error.reason, {}
    arrays = {name: (a.values.tobytes(), a.counts.tolist()) for name, a in read.songs.arrays.items()}
    return None, arrays | {name: row.tobytes() for name, row in read.songs.rows.items()}

limit = 2**30  # reading a song takes a few hundred MB of addresses, nearly all of them for libraries
resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
original = open(sys.argv[1], "rb").read()
_, expected = values(original)
for line in sys.stdin:
    at, bit = map(int, line.split())
    content = bytearray(original)
    content[at] ^= 1 << bit
    reason, found = values(bytes(content))
    print(reason or ",".join(name for name in expected if found[name] != expected[name]) or "the same")
"""


def read_changed(path, changes):
    """What comes of reading the file with each of these bits changed: (address, bit)."""
    read = subprocess.run(
        [sys.executable, "-c", READ_CHANGED, path],
        input="".join(f"{at} {bit}\n" for at, bit in changes),
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return read.stdout.split("\n")[:-1]


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("write", [write_song, write_genuine_song])
def test_what_is_no_local_file_and_large_is_read_in_parts(write, tier, tmp_path):
    part_bytes = 8 * 2**20
    path = write(tmp_path, make_song(3))
    expected = by_file(read_songs(local([path]), tier))[path]
    with path.open("r+b") as file:
        file.truncate(64 * 2**20 + 1)
    with LocalFile(path) as file:
        content = Recorded(file)
        content.path = None  # as an object in a bucket
        found = by_file(read_songs([("object", content)], tier))["object"]
    assert found[0] == expected[0]
    assert_equal(found[1], expected[1])
    assert_equal(found[2], expected[2])
    assert max(length for _, length in content.reads) == (part_bytes if write is write_song else FIRST_BYTES)
    if write is write_song:
        assert content.reads[1:] == [(number * part_bytes, part_bytes) for number in range(9)]


@pytest.mark.skipif(not Path("/proc/self/mem").exists(), reason="no file here that fails to be read")
def test_a_disk_that_fails_under_the_library_says_nothing_about_the_file():
    with LocalFile(Path("/proc/self/mem")) as file, pytest.raises(UnreadableInputError) as caught:
        list(hdf5.read(file, Tier.SCALARS))
    assert caught.value.reason == "unreadable_file"


def test_a_file_that_takes_more_memory_than_there_is_is_quarantined(tmp_path):
    path = write_song(tmp_path, make_song(3))
    rows = 10**6
    with h5py.File(path, "a") as h5:
        del h5["metadata/similar_artists"]
        array = h5.create_dataset(
            "metadata/similar_artists", (100 * rows,), "S20", chunks=(rows,), compression=1
        )
        packed = zlib.compress(bytes(20 * rows))
        for chunk in range(100):  # 2 GB, which the file holds in 2 MB
            array.id.write_direct_chunk((chunk * rows,), packed)
    last = path.stat().st_size
    path.write_bytes(path.read_bytes() + bytes(1))
    assert read_changed(path, [(last, 0)]) == ["out_of_memory"]


DAMAGED = {"corrupt_file", "wrong_layout", "missing_table", "missing_array", "truncated_file", "not_hdf5"}


def places_of_chunks(content):
    """Where a file of the genuine layout says which rows of an array the first chunks have."""
    for array in ARRAYS.values():
        (btree,) = struct.unpack_from("<Q", content, array.btree_at)
        if btree != UNDEFINED:  # its head, the first key, and after the chunk's address the second
            key_bytes = 16 + 8 * array.dimensions
            yield from range(btree, btree + 24 + key_bytes)
            yield from range(btree + 32 + key_bytes, btree + 32 + 2 * key_bytes)


@pytest.mark.parametrize("write", [write_song, write_genuine_song])
@pytest.mark.parametrize(
    ("shorter", "other"),
    [
        ("analysis/segments_timbre", "segments_start"),
        ("analysis/segments_loudness_max_time", "segments_start"),
        ("analysis/beats_confidence", "beats_start"),
        ("analysis/tatums_confidence", "tatums_start"),
        ("metadata/artist_terms_weight", "artist_terms"),
    ],
)
def test_arrays_of_a_unit_that_differ_in_length_are_quarantined(shorter, other, write, tmp_path):
    song = make_full_size_song(3)
    song.arrays[shorter] = song.arrays[shorter][:-1]
    (read,) = read_songs(local([write(tmp_path, song)]), Tier.ARRAYS)
    assert read.error.reason == "wrong_layout"
    assert read.error.detail == f"{shorter.split('/')[1]} and {other} differ in length"


def test_an_aggregate_that_gives_a_song_more_confidences_than_beats_is_quarantined(tmp_path):
    songs = [make_full_size_song(number) for number in range(3)]
    path = write_songs(tmp_path / "aggregate.h5", songs)
    with h5py.File(path, "a") as h5:
        rows = h5["analysis/songs"][:]
        rows["idx_beats_confidence"][1] += 1
        h5["analysis/songs"][:] = rows
    (read,) = read_songs(local([path]), Tier.ARRAYS)
    assert read.error.reason == "wrong_layout"
    assert "beats_confidence" in read.error.detail


@pytest.mark.parametrize("tier", Tier)
@pytest.mark.parametrize("write", [write_song, write_genuine_song])
def test_a_file_without_some_of_the_arrays_is_quarantined_and_they_are_named(write, tier, tmp_path):
    missing = {
        "one.h5": ["analysis/segments_timbre"],
        "those of the artist.h5": [f"{group}/{name}" for name, group in GROUP_OF.items()],
    }
    for file, arrays in missing.items():
        path = write(tmp_path, make_song(3)).rename(tmp_path / file)
        with h5py.File(path, "a") as h5:
            for array in arrays:
                del h5[array]
        (read,) = read_songs(local([path]), tier)
        assert read.error.reason == "missing_array"
        assert set(re.findall(r"\w+_\w+", read.error.detail)) == {array.split("/")[1] for array in arrays}


def test_a_changed_bit_is_found_or_changes_nothing_in_whatever_way_the_file_is_read(tmp_path):
    path = write_genuine_song(tmp_path, make_full_size_song(7))
    content = path.read_bytes()
    rng = random.Random(0)
    changes = [(array.length_at + bit // 8, bit % 8) for array in ARRAYS.values() for bit in range(64)]
    changes += [(at, rng.randrange(8)) for at in places_of_chunks(content)]
    changes += [(at, rng.randrange(8)) for at in range(0, 36_000, 50)]  # nearly all structure
    outcomes = read_changed(path, changes)
    unexpected = {
        change: outcome
        for change, outcome in zip(changes, outcomes, strict=True)
        if outcome not in DAMAGED | {"the same"}
    }
    # Similar artists are an array by itself, and up to 409 one chunk: nothing else says how many there are.
    length_at = ARRAYS["similar_artists"].length_at
    within_a_chunk = {(length_at, bit) for bit in range(8)} | {(length_at + 1, 0)}
    assert unexpected == dict.fromkeys(within_a_chunk, "similar_artists")


READ_WITHOUT = """
import hashlib, sys
for name in sys.argv[2:]:
    sys.modules[name] = None  # as if it were not installed
from ingestion.msd import inflate
from ingestion.msd.content import HeldBytes
from ingestion.msd.read import read_songs
from ingestion.msd.songs import Tier
(read,) = read_songs([("song", HeldBytes(open(sys.argv[1], "rb").read()))], Tier.ARRAYS)
assert len(read.songs.arrays) == 21
values = [*read.songs.rows.values(), *(array.values for array in read.songs.arrays.values())]
digest = hashlib.sha256(b"".join(value.tobytes() for value in values)).hexdigest()
print(inflate.LIBRARY, read.read_by, digest)
"""


def test_without_a_faster_library_zlib_does_the_same(tmp_path):
    path = write_genuine_song(tmp_path, make_full_size_song(2))
    outputs = [
        subprocess.run(
            [sys.executable, "-c", READ_WITHOUT, path, *missing], check=True, capture_output=True, text=True
        ).stdout.split()
        for missing in ([], ["deflate"], ["deflate", "isal"])
    ]
    assert outputs[0][0] == "libdeflate"
    assert outputs[-1][0] == "zlib"
    assert {way for _, way, _ in outputs} == {"fixed_offsets"}
    assert len({digest for _, _, digest in outputs}) == 1
