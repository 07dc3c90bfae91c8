"""Raw rows of song files: equal to PyTables on good files; bad ones go to quarantine alone."""

import struct
from collections import defaultdict
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pytest
import tables

from ingestion.msd import MSD, hdf5
from tests.support.msd_files import (
    make_full_size_song,
    make_song,
    write_genuine_song,
    write_song,
    write_song_files,
    write_songs,
)

LAYOUTS = {"genuine layout": write_genuine_song, "other layout": write_song}
"""Ways to write a single-song file: as the dataset's own writer laid it out, and as h5py does it today."""

ARRAYS = {
    "artist_terms": ("metadata", ["artist_terms", "artist_terms_weight", "artist_terms_freq"]),
    "similar_artists": ("metadata", ["similar_artists"]),
    "artist_mbtags": ("musicbrainz", ["artist_mbtags", "artist_mbtags_count"]),
}
"""Child table -> where its arrays lie, in the order of its columns after the key."""


def read(path: Path) -> dict[str, list[dict]]:
    """All rows by table name."""
    rows = defaultdict(list)
    for table, batch in MSD.read(path, hash_user=str):
        rows[table.name] += batch.to_pylist()
    return rows


def track_ids(rows) -> set[str]:
    return {row["track_id"] for row in rows["songs"]}


def quarantined(rows) -> dict[str, str]:
    return {row["file_path"]: row["reason"] for row in rows["quarantined_inputs"]}


def read_with_pytables(path: Path) -> dict[str, list[dict]]:
    """What PyTables reads of a file with arrays, put into the shape of the raw tables."""
    rows = defaultdict(list)
    with tables.open_file(path) as h5:
        songs = [h5.get_node(f"/{group}/songs").read() for group in ("metadata", "analysis", "musicbrainz")]
        for number in range(len(songs[0])):
            row = {name: table[name][number] for table in songs for name in table.dtype.names}
            rows["songs"].append({n: plain(v) for n, v in row.items() if not n.startswith("idx_")})
            for name, (group, arrays) in ARRAYS.items():
                table = songs[0] if group == "metadata" else songs[2]
                index = table[f"idx_{arrays[0]}"]
                stop = index[number + 1] if number + 1 < len(index) else None
                columns = [h5.get_node(f"/{group}/{array}")[index[number] : stop] for array in arrays]
                rows[name] += [
                    (plain(row["track_id"]), position, *map(plain, values))
                    for position, values in enumerate(zip(*columns, strict=True))
                ]
    return rows


def plain(value):
    value = value.item()
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return None if value != value else value


def assert_equal_to_pytables(rows, path: Path) -> None:
    expected = read_with_pytables(path)
    assert expected["songs"]
    own = {"is_summary", "file_path", "source_system", "terms_of_use"}
    assert [{n: v for n, v in row.items() if n not in own} for row in rows["songs"]] == expected["songs"]
    for name in ARRAYS:
        assert [tuple(row.values()) for row in rows[name]] == expected[name]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_column_and_array_of_a_song_is_as_pytables_reads_it(layout, tmp_path):
    path = LAYOUTS[layout](tmp_path, make_song(7))
    rows = read(path)
    assert len(rows["artist_terms"]) == 3
    assert_equal_to_pytables(rows, path)


def test_an_aggregate_gives_each_song_its_own_part_of_the_arrays(tmp_path):
    path = write_songs(tmp_path / "aggregate.h5", [make_song(number) for number in range(25)])
    rows = read(path)
    assert len(rows["songs"]) == 25
    assert_equal_to_pytables(rows, path)


@pytest.mark.parametrize("at_once", [1, 7, 24, 25])
def test_an_aggregate_read_in_several_goes_gives_the_same(at_once, tmp_path, monkeypatch):
    path = write_songs(tmp_path / "aggregate.h5", [make_song(number) for number in range(25)])
    monkeypatch.setattr(hdf5, "SONGS_AT_ONCE", at_once)
    assert_equal_to_pytables(read(path), path)


def test_a_summary_beside_the_song_files_takes_nothing_from_them(tmp_path):
    songs = [make_song(number) for number in range(3)]
    (tmp_path / "AdditionalFiles").mkdir()
    write_songs(tmp_path / "AdditionalFiles" / "summary.h5", songs, with_arrays=False)
    write_song_files(tmp_path / "data", range(3))
    rows = read(tmp_path)
    assert rows["quarantined_inputs"] == []
    assert sorted((row["track_id"], row["is_summary"]) for row in rows["songs"]) == [
        (song.track_id, is_summary) for song in songs for is_summary in (False, True)
    ]
    assert len(rows["artist_terms"]) == sum(len(song.arrays["metadata/artist_terms"]) for song in songs)


def test_a_summary_file_gives_songs_and_no_children(tmp_path):
    songs = [make_song(number) for number in range(5)]
    rows = read(write_songs(tmp_path / "summary.h5", songs, with_arrays=False))
    assert track_ids(rows) == {song.track_id for song in songs}
    assert not any(rows[name] for name in ARRAYS)
    assert not rows["quarantined_inputs"]


def test_a_file_without_songs_is_read_and_counted(tmp_path):
    rows = read(write_songs(tmp_path / "empty.h5", []))
    assert [row["record_count"] for row in rows["files"]] == [0]
    assert not rows["quarantined_inputs"]


def test_every_file_is_accounted_for(tmp_path):
    write_song_files(tmp_path, range(3))
    write_songs(tmp_path / "aggregate.h5", [make_song(number) for number in range(10, 15)])
    (tmp_path / "bad.h5").touch()
    rows = read(tmp_path)
    counts = {Path(r["file_path"]).stem: (r["record_count"], r["quarantined_count"]) for r in rows["files"]}
    assert counts == {"aggregate": (5, 0), "bad": (0, 1)} | {make_song(n).track_id: (1, 0) for n in range(3)}
    assert {row["file_path"] for row in rows["songs"]} <= {row["file_path"] for row in rows["files"]}
    assert {(row["source_system"], row["terms_of_use"]) for row in rows["songs"]} == {("msd", "msd_research")}


def test_batches_have_exactly_the_declared_columns(tmp_path):
    write_song_files(tmp_path, range(2))
    for table, batch in MSD.read(tmp_path, hash_user=str):
        assert batch.cast(table.schema).schema == table.schema


@pytest.mark.parametrize("layout", LAYOUTS)
def test_nan_is_null_and_other_missing_values_stay_as_they_are(layout, tmp_path):
    song = make_song(1, artist_latitude=float("nan"), year=0, artist_playmeid=-1, genre="", energy=0.0)
    (row,) = read(LAYOUTS[layout](tmp_path, song))["songs"]
    assert [row[name] for name in ("artist_latitude", "year", "artist_playmeid", "genre", "energy")] == [
        *(None, 0, -1, "", 0.0)
    ]


@pytest.mark.parametrize("layout", LAYOUTS)
def test_text_cut_inside_a_character_is_kept_with_a_mark(layout, tmp_path):
    cut = "ü".encode() * 512 + b"\xc3"
    (row,) = read(LAYOUTS[layout](tmp_path, make_song(1, title=cut[1:1025])))["songs"]
    assert row["title"].endswith("ü\ufffd")
    assert row["title"].startswith("\ufffdü")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_nul_inside_a_text_is_left_out(layout, tmp_path):
    LAYOUTS[layout](tmp_path, make_song(1, title="one\0two"))
    LAYOUTS[layout](tmp_path, make_song(2, title="plain"))
    assert [row["title"] for row in read(tmp_path)["songs"]] == ["onetwo", "plain"]


def as_it_is(path):
    pass


def with_user_block(path):
    path.unlink()
    write_song(path.parents[3], make_song(1), user_block_bytes=512)


def with_trailing_bytes(path):
    path.write_bytes(path.read_bytes() + b"trailing" * 100)


def with_f4_and_i2(path):
    retyped({"duration": "<f4", "year": "<i2"})(path)


def big_endian(path):
    retyped({"duration": ">f8", "year": ">i4"})(path)


def uncompressed(path):
    with h5py.File(path, "a") as h5:
        for name in ("metadata/songs", "metadata/artist_terms"):
            rows = h5[name][:]
            del h5[name]
            h5[name] = rows


def rewritten_by_pytables(path):
    path.rename(path.with_suffix(".old"))
    with tables.open_file(path.with_suffix(".old")) as old:
        old.copy_file(str(path))


def with_an_unfiltered_chunk(path):
    """A writer may skip the filters of a chunk that would not shrink."""
    artist_id = b"AR0000000000000001\0\0"
    with h5py.File(path, "a") as h5:
        del h5["metadata/similar_artists"]
        array = h5.create_dataset(
            "metadata/similar_artists", (1,), "S20", chunks=(1,), shuffle=True, compression=1
        )
        array.id.write_direct_chunk((0,), artist_id, filter_mask=3)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize(
    "change",
    [
        as_it_is,
        with_user_block,
        with_trailing_bytes,
        with_f4_and_i2,
        big_endian,
        uncompressed,
        rewritten_by_pytables,
        with_an_unfiltered_chunk,
    ],
    ids=lambda change: change.__name__,
)
def test_an_unusual_file_is_good(change, layout, tmp_path):
    change(LAYOUTS[layout](tmp_path, make_song(1)))
    rows = read(tmp_path)
    assert not rows["quarantined_inputs"]
    (row,) = rows["songs"]
    expected = make_song(1).scalars
    assert row["title"] == expected["title"]
    assert row["year"] == expected["year"]
    assert row["duration"] == pytest.approx(expected["duration"], rel=1e-6)
    assert [term["term"] for term in rows["artist_terms"]] == ["term 1.0"]


def changed(change):
    """The file with other bytes."""

    def spoil(path):
        path.write_bytes(change(path.read_bytes()))

    return spoil


def holding(content):
    """These bytes and nothing else."""

    def spoil(path):
        path.write_bytes(content)

    return spoil


def retyped(types):
    """The file with other types for some columns; None leaves the column out."""

    def spoil(path):
        with h5py.File(path, "a") as h5:
            for group in ("metadata", "analysis", "musicbrainz"):
                rows = h5[group]["songs"][:]
                kept = [n for n in rows.dtype.names if types.get(n, "kept") is not None]
                other = np.zeros(len(rows), [(n, types.get(n, rows.dtype[n])) for n in kept])
                for name in kept:
                    kinds = {other.dtype[name].kind, rows.dtype[name].kind}
                    if len(kinds) == 1 or "S" not in kinds:
                        other[name] = rows[name]
                del h5[group]["songs"]
                h5[group].create_dataset("songs", data=other, chunks=(1,), compression=1, shuffle=True)

    return spoil


def without(name):
    def spoil(path):
        with h5py.File(path, "a") as h5:
            del h5[name]

    return spoil


def lengthened(name):
    """The file says that the array has 2**40 rows more: memory for them is nowhere."""

    def spoil(path):
        content = path.read_bytes()
        with h5py.File(path) as h5:
            length, address = len(h5[name]), h5py.h5o.get_info(h5[name].id).addr
        says_length = struct.pack("<QQ", length, 2**64 - 1)  # and that it can grow
        at = content.index(says_length, address)
        path.write_bytes(content[:at] + struct.pack("<Q", length + 2**40) + content[at + 8 :])

    return spoil


def replaced(name, value):
    def spoil(path):
        with h5py.File(path, "a") as h5:
            del h5[name]
            if value is None:
                h5.create_group(name)
            else:
                h5[name] = value

    return spoil


def chunk_of(path, name):
    with h5py.File(path) as h5:
        return h5[name].id.get_chunk_info(0)


def corrupt_chunk(name):
    def spoil(path):
        chunk = chunk_of(path, name)
        content = bytearray(path.read_bytes())
        middle = chunk.byte_offset + chunk.size // 2
        content[middle : middle + 8] = b"\xff" * 8
        path.write_bytes(content)

    return spoil


def filter_mask(name, mask):
    """The file says of a chunk that it skips filters which it went through: HDF5 would read noise."""

    def spoil(path):
        chunk = chunk_of(path, name)
        content = path.read_bytes()
        sought = struct.pack("<II", chunk.size, 0)
        address = struct.pack("<Q", chunk.byte_offset)
        place = next(
            i
            for i in range(len(content))
            if content.startswith(sought, i) and content.startswith(address, i + 24)
        )
        path.write_bytes(content[:place] + struct.pack("<II", chunk.size, mask) + content[place + 8 :])
        assert chunk_of(path, name).filter_mask == mask

    return spoil


def nameless(path):
    path.unlink()
    return LAYOUTS["genuine layout"](path.parents[3], make_song(1, track_id=""), name="nameless.h5")


def named_as_another(path):
    return path.rename(path.with_name(f"{make_song(2).track_id}.h5"))


BAD_FILES = {
    "zero length": (holding(b""), "empty_file"),
    "not HDF5": (holding(b"<html>" * 1000), "not_hdf5"),
    "signature only": (changed(lambda content: content[:8]), "corrupt_file"),
    "cut early": (changed(lambda content: content[:2000]), "truncated_file"),
    "cut in the middle": (
        changed(lambda content: content[: len(content) // 2]),
        "truncated_file",
    ),
    "cut late": (changed(lambda content: content[:-1]), "truncated_file"),
    "corrupt superblock": (
        changed(lambda content: content[:9] + b"\xff" * 8 + content[17:]),
        "corrupt_file",
    ),
    "corrupt root header": (
        changed(lambda content: content[:96] + b"\xff" * 60 + content[156:]),
        "corrupt_file",
    ),
    "corrupt chunk": (corrupt_chunk("metadata/songs"), "corrupt_file"),
    "corrupt chunk of an array": (corrupt_chunk("metadata/artist_terms"), "corrupt_file"),
    "filter mask, deflate": (filter_mask("metadata/songs", 2), "corrupt_file"),
    "filter mask, shuffle": (filter_mask("analysis/songs", 1), "corrupt_file"),
    "filter mask, both": (filter_mask("musicbrainz/songs", 3), "corrupt_file"),
    "filter mask, array": (filter_mask("metadata/artist_terms", 3), "corrupt_file"),
    "no metadata table": (without("metadata/songs"), "missing_table"),
    "no analysis table": (without("analysis/songs"), "missing_table"),
    "no musicbrainz table": (without("musicbrainz/songs"), "missing_table"),
    "no metadata group": (without("metadata"), "missing_table"),
    "no terms": (without("metadata/artist_terms"), "missing_array"),
    "no analysis array": (without("analysis/segments_timbre"), "missing_array"),
    "a length that no chunks have": (lengthened("metadata/similar_artists"), "corrupt_file"),
    "table without columns": (replaced("metadata/songs", np.zeros(1)), "wrong_layout"),
    "scalar in place of a table": (replaced("metadata/songs", 1), "wrong_layout"),
    "group in place of a table": (replaced("metadata/songs", None), "wrong_layout"),
    "group in place of an array": (replaced("metadata/artist_terms", None), "wrong_layout"),
    "tables differ in length": (replaced("musicbrainz/songs", np.zeros(2, "i4,i4")), "wrong_layout"),
    "text column of numbers": (retyped({"title": "<i4"}), "wrong_layout"),
    "number column of text": (retyped({"year": "S4"}), "wrong_layout"),
    "integers too wide": (retyped({"year": "<i8"}), "wrong_layout"),
    "fractions for integers": (retyped({"year": "<f8"}), "wrong_layout"),
    "column missing": (retyped({"song_id": None}), "wrong_layout"),
    "weights of text": (replaced("metadata/artist_terms_weight", np.array([b"x"])), "wrong_layout"),
    "terms of numbers": (replaced("metadata/artist_terms", np.zeros(1)), "wrong_layout"),
    "arrays differ in length": (replaced("metadata/artist_terms_freq", np.zeros(9)), "wrong_layout"),
    "no track id": (nameless, "missing_track_id"),
    "file name is another track": (named_as_another, "track_id_differs"),
}
"""Every kind of bad file that was seen or made, and some more: what makes a good one bad, and the reason."""


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", BAD_FILES)
def test_a_bad_file_is_quarantined_with_its_reason_and_the_others_are_read(kind, layout, tmp_path):
    spoil, reason = BAD_FILES[kind]
    path = LAYOUTS[layout](tmp_path, make_song(1))
    path = spoil(path) or path
    bad = path.relative_to(tmp_path).as_posix()
    good = [make_song(10), make_song(11)]
    for song in good:
        LAYOUTS[layout](tmp_path, song)
    rows = read(tmp_path)
    assert quarantined(rows) == {bad: reason}
    (row,) = rows["quarantined_inputs"]
    assert row["detail"]
    assert row["item"] == ""
    assert row["size_bytes"] == path.stat().st_size
    assert track_ids(rows) == {song.track_id for song in good}
    assert {row["track_id"] for row in rows["artist_terms"]} <= track_ids(rows)
    assert {row["file_path"]: row["quarantined_count"] for row in rows["files"]}[bad] == 1


@pytest.mark.parametrize("kilobytes", [20, 44, 48, 200])
def test_a_file_of_full_size_cut_anywhere_is_quarantined_though_its_scalars_may_be_whole(kilobytes, tmp_path):
    path = write_genuine_song(tmp_path, make_full_size_song(1))
    content = path.read_bytes()
    assert len(content) > 200_000
    path.write_bytes(content[: kilobytes * 1000])
    rows = read(tmp_path)
    assert list(quarantined(rows).values()) == ["truncated_file"]
    assert not rows["songs"]


def test_of_two_files_with_one_track_id_the_second_is_quarantined(tmp_path):
    write_songs(tmp_path / "a.h5", [make_song(5)])
    write_songs(tmp_path / "b.h5", [make_song(5)])
    rows = read(tmp_path)
    assert quarantined(rows) == {"b.h5": "duplicate_track_id"}
    assert len(rows["songs"]) == 1
    assert len(rows["artist_terms"]) == 1


def test_a_bad_song_in_an_aggregate_is_quarantined_alone_and_its_children_with_it(tmp_path):
    songs = [make_song(3), make_song(7, track_id=""), make_song(11), make_song(3)]
    rows = read(write_songs(tmp_path / "aggregate.h5", songs))
    assert track_ids(rows) == {songs[0].track_id, songs[2].track_id}
    assert [(row["item"], row["reason"]) for row in rows["quarantined_inputs"]] == [
        ("song 1", "missing_track_id"),
        ("song 3", "duplicate_track_id"),
    ]
    terms = [f"term {number}.{i}" for number in (3, 11) for i in range(3)]
    assert [row["term"] for row in rows["artist_terms"]] == terms


@pytest.mark.parametrize("index", [[0, 1, 99, 6, 6], [0, 3, 1, 6, 6], [-1, 0, 1, 2, 3]])
def test_an_aggregate_whose_index_leads_astray_is_quarantined(index, tmp_path):
    path = write_songs(tmp_path / "aggregate.h5", [make_song(number) for number in range(5)])
    with h5py.File(path, "a") as h5:
        rows = h5["metadata/songs"][:]
        rows["idx_artist_terms"] = index
        h5["metadata/songs"][:] = rows
    assert quarantined(read(tmp_path)) == {"aggregate.h5": "wrong_layout"}


def test_a_file_that_is_gone_when_its_turn_comes_is_quarantined(tmp_path):
    write_song_files(tmp_path, range(2))
    place = MSD.place(tmp_path)
    (unit,) = MSD.units(place)
    (tmp_path / unit[0].path).unlink()
    rows = {table.name: batch for table, batch in MSD.read_unit(place, unit, str)}
    assert rows["quarantined_inputs"]["reason"].to_pylist() == ["missing_file"]
    assert rows["songs"].num_rows == 1
    assert isinstance(rows["songs"], pa.Table)
