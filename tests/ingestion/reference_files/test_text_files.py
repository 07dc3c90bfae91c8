"""Text side files: recognised by their lines, read in every packing, and bad lines named."""

import bz2
import gzip
import io
import zipfile
from itertools import permutations

import pytest

from ingestion.inputs import InputFile
from ingestion.reference_files import lines, plays
from ingestion.reference_files.formats import MAX_REJECTED
from ingestion.reference_files.read import read_unit
from tests.ingestion.reference_files.files import (
    LINES,
    RECORDS,
    SEP,
    artist,
    listener,
    mismatch,
    song,
    text,
    track,
)

KINDS = sorted(LINES)

AFTER_A_BAD_LINE = {"msd_duplicates": ["%3 One more", track(6)]}
"""One more record, where it is not simply the last line again."""


def zipped(members: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a.txt", "copy of (2).TXT", "b.cls", "unique_tracks.txt"])
def test_the_kind_is_told_by_the_lines_whatever_the_name(read, write, kind, name):
    write(name, text(LINES[kind]))
    result = read()
    assert result.kinds == {name: kind}
    assert result.files[0]["record_count"] == RECORDS[kind]
    assert result.quarantined_inputs == []


@pytest.mark.parametrize("kind", KINDS)
def test_packing_line_ends_and_a_byte_order_mark_change_no_row(read, write, kind):
    content = text(LINES[kind])
    write("plain.txt", content)
    write("dos.txt", text(LINES[kind], "\r\n"))
    write("unended.txt", content.rstrip(b"\n"))
    write("marked.txt", b"\xef\xbb\xbf" + content)
    write("packed.txt.gz", gzip.compress(content))
    write("packed.txt.bz2", bz2.compress(content))
    write("packed and renamed.txt", bz2.compress(content))
    write("packed.zip", zipped({"inner": content, "__MACOSX/x": b"archiver's"}))
    result = read()
    assert set(result.kinds.values()) == {kind} and len(result.files) == 8
    assert result.quarantined_inputs == []
    for name, rows in result.rows.items():
        if rows and name != "files":
            plain = [{key: value for key, value in row.items() if key != "file_path"} for row in rows]
            assert plain == plain[: len(plain) // 8] * 8, name


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_in_another_form_is_named_and_the_others_are_read(read, write, kind):
    whole = LINES[kind]
    write("file.txt", text([*whole, "no such line", *AFTER_A_BAD_LINE.get(kind, whole[-1:])]))
    result = read()
    assert result.files[0]["record_count"] == RECORDS[kind] + 1
    assert result.files[0]["quarantined_count"] == 1
    (bad,) = result.quarantined_inputs
    assert (bad["file_path"], bad["item"], bad["reason"]) == (
        "file.txt",
        f"line {len(whole) + 1}",
        "malformed_line",
    )
    assert f"line {len(whole) + 1} is not" in bad["detail"] and "no such line" in bad["detail"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_that_is_not_utf_8_is_named_and_the_others_are_read(read, write, kind):
    whole = LINES[kind]
    after = text(AFTER_A_BAD_LINE.get(kind, whole[-1:]))
    write("file.txt", text(whole) + b"\xff\xfe bad\n" + after)
    result = read()
    assert result.files[0]["record_count"] == RECORDS[kind] + 1
    assert result.reasons == {f"line {len(LINES[kind]) + 1}": "not_utf8"}


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("unique_tracks", f"{track(9)}{SEP}{song(9)}{SEP}three fields"),
        ("unique_tracks", f"{track(9)}{SEP}{song(9)}{SEP}five{SEP}fields{SEP}here"),
        ("unique_tracks", f"TRAAA{SEP}{song(9)}{SEP}Artist{SEP}Title"),
        ("tracks_per_year", f"19x9{SEP}{track(9)}{SEP}Artist{SEP}Title"),
        ("artist_location", f"{artist(9)}{SEP}north{SEP}1.0{SEP}{track(9)}{SEP}Artist"),
        ("artist_location", f"{artist(9)}{SEP}1.2.3{SEP}1.0{SEP}{track(9)}{SEP}Artist"),
        ("tagtraum_genres", f"{track(9)} Rock"),
        ("tagtraum_genres", f"{track(9)}\tRock\tPop\tJazz"),
        ("mxm_779k_matches", f"{track(9)}{SEP}A{SEP}T{SEP}none{SEP}A{SEP}T"),
        ("train_triplets", f"{listener(9)}\t{song(9)}\tmany"),
        ("train_triplets", f"{listener(9)}\t{song(9)}\t-1"),
        ("train_triplets", f"{listener(9)},{song(9)},1"),
        ("sid_mismatches", f"ERROR: <{song(9)}> A  -  B  !=  C  -  D"),
        ("sid_mismatches", f"ERROR: <{song(9)} {track(9)}> A  -  B"),
        ("msd_duplicates", f"{track(9)}{SEP}{artist(9)}{SEP}1"),
    ],
)
def test_fields_too_many_too_few_or_of_another_kind_are_malformed(read, write, kind, line):
    write("file.txt", text([*LINES[kind], line]))
    result = read()
    assert result.kinds == {"file.txt": kind}
    assert result.reasons == {f"line {len(LINES[kind]) + 1}": "malformed_line"}


def test_many_bad_lines_are_some_named_ones_and_a_number(read, write):
    write("file.txt", text([*LINES["unique_tracks"], *["bad"] * (MAX_REJECTED + 30)]))
    result = read()
    assert result.files[0]["quarantined_count"] == MAX_REJECTED + 30
    assert len(result.quarantined_inputs) == MAX_REJECTED + 1
    assert result.quarantined_inputs[-1]["item"] == "others"
    assert result.quarantined_inputs[-1]["detail"] == "30 more lines or rows like these"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty_file"),
        (b" \n\n", "empty_file"),
        (b"# a comment\n# and another\n", "empty_file"),
        (b"a,b,c\n" * 1000, "unknown_format"),
        (b"\xff\xfe\x00" * 100, "not_utf8"),
        ("unique\n".encode("utf-16"), "not_utf8"),
        (b"\x1f\x8b no gzip", "unreadable_file"),
        (b"PK no zip", "unreadable_file"),
        (gzip.compress(text(LINES["unique_tracks"]), mtime=0)[:20], "unreadable_file"),
        (zipped({"a": b"x", "b": b"y"}), "several_files"),
        (zipped({}), "several_files"),
        (b"BZh91AY&SY no bzip2", "unreadable_file"),
        (bz2.compress(text(LINES["unique_tracks"]))[:-20], "unreadable_file"),
        (gzip.compress(b"SQLite format 3\0 and so on", mtime=0), "packed_database"),
        (bz2.compress(b"SQLite format 3\0 and so on"), "packed_database"),
        (zipped({"a": b"SQLite format 3\0 and so on"}), "packed_database"),
    ],
)
def test_a_file_of_which_nothing_can_be_read_is_one_row(read, write, content, reason):
    write("file.txt", content)
    result = read()
    assert result.reasons == {"": reason}
    assert result.files[0]["record_count"] == 0
    assert [name for name, rows in result.rows.items() if rows] == ["files", "quarantined_inputs"]


def test_what_is_of_no_known_form_is_shown_with_its_line(read, write):
    write("unknown.txt", b"# heading\n\na<SEP>b,c\nmore\n")
    write("utf16.txt", "unique\n".encode("utf-16"))
    details = {row["file_path"]: row["detail"] for row in read().quarantined_inputs}
    assert details["unknown.txt"].startswith("line 3 ") and details["unknown.txt"].endswith(": a<SEP>b,c")
    assert details["utf16.txt"].startswith("line 1 is not UTF-8: ")


@pytest.mark.parametrize(
    ("written", "latitude"),
    [(".5", 0.5), ("-.5", -0.5), ("5.", 5.0), ("+5", 5.0), ("1e-05", 1e-5), ("nan", None), ("-NaN", None)],
)
def test_coordinates_are_read_as_programs_write_numbers(read, write, written, latitude):
    write("file.txt", text([f"{artist(1)}{SEP}{written}{SEP}{written}{SEP}{track(1)}{SEP}Artist"]))
    (row,) = read().artist_locations
    assert (row["latitude"], row["longitude"]) == (latitude, latitude)


def test_an_endless_line_is_refused(read, write, monkeypatch):
    monkeypatch.setattr(lines, "MAX_LINE_BYTES", 1000)
    monkeypatch.setattr(lines, "BLOCK_BYTES", 100)
    write("file.txt", b"x" * 10_000)
    assert read().reasons == {"": "line_too_long"}


def test_a_file_that_is_gone_is_quarantined(tmp_path):
    rows = {
        table.name: batch.to_pylist() for table, batch in read_unit(tmp_path, [InputFile("a.txt", 1, 0)], str)
    }
    (bad,) = rows["quarantined_inputs"]
    assert (bad["item"], bad["reason"], bad["detail"]) == ("", "unreadable_file", "No such file or directory")


@pytest.mark.parametrize("block", [1000, 8 * 2**20])
def test_a_packed_file_that_ends_early_gives_what_it_holds_and_says_so(read, write, monkeypatch, block):
    monkeypatch.setattr(lines, "BLOCK_BYTES", block)
    content = text([f"{track(n)}{SEP}{song(n)}{SEP}A{SEP}{listener(n)}" for n in range(2000)])
    write("cut.txt.gz", gzip.compress(content)[:-5000])
    result = read()
    assert 0 < len(result.unique_tracks) < 2000
    assert result.reasons == {"the rest": "unreadable_file"}


@pytest.mark.parametrize("kind", KINDS)
def test_where_blocks_end_changes_nothing(read, write, monkeypatch, kind):
    write("file.txt", text(LINES[kind] * (1 if kind == "train_triplets" else 3)))
    whole = read().rows
    monkeypatch.setattr(lines, "BLOCK_BYTES", 300)
    assert read().rows == whole


def test_a_line_named_twice_is_two_rows_with_numbers_of_their_own(read, write):
    write("file.txt", text([LINES["unique_tracks"][0]] * 2))
    assert [(row["track_id"], row["line_number"]) for row in read().unique_tracks] == [
        (track(1), 1),
        (track(1), 2),
    ]


def test_values_are_what_the_lines_say(read, write):
    for kind, of_kind in LINES.items():
        write(f"{kind}.txt", text(of_kind))
    result = read()
    assert result.mismatches[0] == {
        "song_id": song(1),
        "track_id": track(1),
        "line_number": 1,
        "song_text": "Björk  -  Jóga",
        "track_text": "Muse  -  Uno",
        "source_system": "msd",
        "terms_of_use": "msd_research",
    }
    assert [(row["song_id"], row["line_number"]) for row in result.accepted_matches] == [
        (song(1), 2),
        (song(3), 5),
    ]
    assert [
        (row["track_id"], row["clique_line_number"], row["clique_text"]) for row in result.duplicates
    ] == [
        (track(1), 2, "1 Two of a kind"),
        (track(2), 2, "1 Two of a kind"),
        (track(3), 5, "2 Three"),
        (track(4), 5, "2 Three"),
        (track(5), 5, "2 Three"),
    ]
    assert (result.unique_tracks[1]["artist_name"], result.unique_tracks[1]["title"]) == (
        "Artist 2",
        "Titel ü 2",
    )
    assert [(row["year"], row["track_id"]) for row in result.track_years] == [
        (1991, track(1)),
        (1992, track(2)),
    ]
    assert [(row["latitude"], row["longitude"]) for row in result.artist_locations] == [
        (1.5, -1.25),
        (2.5, -2.25),
    ]
    assert [(row["genre"], row["minority_genre"]) for row in result.genres] == [("Rock", ""), ("Pop", "RnB")]
    assert result.genres[0]["terms_of_use"] == "tagtraum_research"
    first = result.musixmatch_matches[0]
    assert (first["line_number"], first["musixmatch_track_id"]) == (19, 4711)
    assert (first["title"], first["musixmatch_title"]) == ("Title", "TITLE")
    assert result.listens[0] == {"listener_id": listener(1), "song_id": song(1), "play_count": 3}


def test_a_mismatch_may_have_an_empty_side_and_separators_in_a_title(read, write):
    odd = [mismatch(1, "  -  ", "A  -  B"), mismatch(2, "A  -  B != C", "D  -  E  !=  F")]
    write("file.txt", text(odd))
    assert [(row["song_text"], row["track_text"]) for row in read().mismatches] == [
        ("  -  ", "A  -  B"),
        ("A  -  B != C", "D  -  E  !=  F"),
    ]


def test_a_title_may_hold_a_bracket_and_what_looks_like_a_comment(read, write):
    write("file.txt", text([f"{track(1)}{SEP}{song(1)}{SEP}<3 #1{SEP}a <b> <SE"]))
    (row,) = read().unique_tracks
    assert (row["artist_name"], row["title"]) == ("<3 #1", "a <b> <SE")


def test_a_track_above_the_first_heading_is_in_no_clique(read, write):
    write("file.txt", text([track(9), *LINES["msd_duplicates"]]))
    result = read()
    assert len(result.duplicates) == 5
    assert result.reasons == {"line 1": "malformed_line"}


@pytest.mark.parametrize("heading", ["%3 Björk".encode("latin-1"), b" %3 Other", b"-3 Other", b"\t-3", b"%"])
def test_a_heading_is_known_by_its_first_characters(read, write, heading):
    write("file.txt", text(LINES["msd_duplicates"]) + heading + b"\n" + text([track(6), "", track(7)]))
    result = read()
    assert [(row["track_id"], row["clique_line_number"]) for row in result.duplicates[5:]] == [
        (track(6), 9),
        (track(7), 9),
    ]
    assert result.duplicates[4]["clique_line_number"] == 5
    assert result.reasons == ({"line 9": "not_utf8"} if b"\xf6" in heading else {})


@pytest.mark.parametrize("line", [b"Two of a kind", "Björk".encode("latin-1"), b"TR1"])
@pytest.mark.parametrize("block", [60, 10_000])
def test_after_a_line_that_is_no_heading_tracks_are_in_no_clique(read, write, monkeypatch, line, block):
    monkeypatch.setattr(lines, "BLOCK_BYTES", block)
    after = [track(6), "# a remark", track(7), "%3 Three", track(8)]
    write("file.txt", text(LINES["msd_duplicates"]) + line + b"\n" + text(after))
    result = read()
    assert [row["track_id"] for row in result.duplicates[5:]] == [track(8)]
    assert list(result.reasons) == ["line 9", "line 10", "line 12"]


def test_a_comment_that_is_not_utf_8_ends_no_clique(read, write):
    content = text(LINES["msd_duplicates"]) + "# Björk\n".encode("latin-1") + text([track(6)])
    write("file.txt", content)
    result = read()
    assert (result.duplicates[-1]["track_id"], result.duplicates[-1]["clique_line_number"]) == (track(6), 5)
    assert result.reasons == {"line 9": "not_utf8"}


@pytest.mark.parametrize(
    ("name", "comment", "annotation"),
    [
        ("msd_tagtraum_cd1.cls", "", "cd1"),
        ("msd_tagtraum_cd2.cls", "", "cd2"),
        ("MSD_tagtraum_CD2C (1).cls", "", "cd2c"),
        ("genres.txt", "# the CD2C annotations", "cd2c"),
        ("genres.txt", "# some annotations", ""),
    ],
)
def test_the_annotation_is_told_by_name_or_comment(read, write, name, comment, annotation):
    write(name, text([comment, *LINES["tagtraum_genres"]]))
    assert {row["annotation"] for row in read().genres} == {annotation}


def test_the_annotation_of_a_packed_file_is_told_by_the_name_within(read, write):
    write("download.zip", zipped({"msd_tagtraum_cd2c.cls": text(LINES["tagtraum_genres"])}))
    assert {row["annotation"] for row in read().genres} == {"cd2c"}


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("unique_artists", f"{artist(1)}{SEP}9dfe78a6-6d91{SEP}{track(1)}{SEP}Artist"),
        ("shs_dataset", f"{track(1)}{SEP}{artist(1)}{SEP}-1"),
        ("mxm_dataset", f"{track(1)},4711,1:6,2:4"),
    ],
)
def test_files_that_hold_nothing_new_are_known_and_passed_over(read, write, kind, line):
    write("file.txt", text(["# heading", "%a,b", line]))
    result = read()
    assert result.kinds == {"file.txt": kind}
    assert [name for name, rows in result.rows.items() if rows] == ["files"]


@pytest.mark.parametrize("name", ["unique_terms.txt", "subset_unique_terms.txt", "subset_unique_mbtags.txt"])
def test_lists_of_words_are_known_by_their_names_and_passed_over_with_a_note(read, write, name, caplog):
    caplog.set_level("INFO")
    write(name, b"rock\npop\n")
    write(f"{name}.gz", gzip.compress(b"rock\npop\n"))
    result = read()
    assert set(result.kinds.values()) == {name.removeprefix("subset_").removesuffix(".txt")}
    assert [name for name, rows in result.rows.items() if rows] == ["files"]
    assert f"{name}: passed over, it is {result.files[0]['file_kind']}" in caplog.text


# ---- plays


def digests(result) -> dict[str, tuple[str, str]]:
    """Of each file of listens the digest of its content, and that of its first listen."""
    rows = result.song_plays
    return {row["file_path"]: (row["content_digest"], row["first_listen_digest"]) for row in rows}


def totals(result) -> dict[str, tuple[int, int]]:
    return {row["song_id"]: (row["play_count"], row["listener_count"]) for row in result.song_plays}


LISTENS = [
    (1, 1, 3),
    (1, 2, 1),
    (2, 1, 10),
    (2, 3, 4),
    (3, 1, 7),
]
TOTALS = {song(1): (20, 3), song(2): (1, 1), song(3): (4, 1)}


def listens(rows) -> bytes:
    return text([f"{listener(one)}\t{song(two)}\t{count}" for one, two, count in rows])


def test_plays_and_listeners_are_counted_by_song(read, write):
    write("triplets.txt", listens(LISTENS))
    result = read()
    assert totals(result) == TOTALS
    assert len(result.listens) == 5
    assert {row["file_path"] for row in result.song_plays} == {"triplets.txt"}


@pytest.mark.parametrize("order", list(permutations(range(5)))[::17])
def test_the_order_of_the_listens_changes_no_total(read, write, monkeypatch, order):
    monkeypatch.setattr(lines, "BLOCK_BYTES", 130)
    write("triplets.txt", listens([LISTENS[place] for place in order]))
    assert totals(read()) == TOTALS


@pytest.mark.parametrize("where", range(6))
def test_a_listener_who_names_a_song_twice_is_one_listener(read, write, monkeypatch, where):
    monkeypatch.setattr(lines, "BLOCK_BYTES", 130)
    write("triplets.txt", listens([*LISTENS[:where], (2, 3, 6), *LISTENS[where:]]))
    assert totals(read()) == TOTALS | {song(3): (10, 1)}


def test_totals_are_added_up_as_they_grow(read, write, monkeypatch):
    monkeypatch.setattr(lines, "BLOCK_BYTES", 1000)
    monkeypatch.setattr(plays, "KEPT_ROWS", 7)
    write("triplets.txt", listens([(one, two, one + two) for one in range(40) for two in range(10)]))
    assert totals(read()) == {song(two): (sum(range(40)) + 40 * two, 40) for two in range(10)}


def test_one_listener_in_more_lines_than_are_waited_for_is_counted_right(read, write, monkeypatch):
    monkeypatch.setattr(lines, "BLOCK_BYTES", 130)
    monkeypatch.setattr(plays, "MAX_OPEN_ROWS", 3)
    write("triplets.txt", listens([(1, two, 1) for two in (*range(20), 5)]))
    assert totals(read()) == {song(two): (1 + (two == 5), 1) for two in range(20)}


@pytest.mark.parametrize("twice", [[], [(2, 3, 6)]], ids=["exact", "counted by pairs"])
def test_copies_are_told_by_their_content_and_cut_ones_by_their_first_listen(read, write, twice):
    whole = [*LISTENS, *twice]
    write("whole.txt", listens(whole))
    write("by song.txt", listens(sorted(whole, key=lambda listen: listen[1], reverse=True)))
    write("cut.txt", listens(whole[:4]))
    write("other piece.txt", listens([(8, song, count) for _, song, count in LISTENS]))
    of = digests(read())
    content, first = (dict(zip(of, values, strict=True)) for values in zip(*of.values(), strict=True))
    assert content["whole.txt"] == content["by song.txt"]
    assert len(set(content.values())) == 3
    assert first["whole.txt"] == first["cut.txt"]
    assert len(set(first.values())) == 3


def test_totals_are_of_different_content_where_only_the_listeners_differ(read, write):
    write("one.txt", listens([(1, 1, 3)]))
    write("two.txt", listens([(2, 1, 3)]))
    assert len(set(digests(read()).values())) == 2


@pytest.mark.parametrize("damage", ["cut", "checksum"])
def test_listens_that_cannot_be_read_to_their_end_have_no_totals(read, write, damage):
    packed = bytearray(gzip.compress(listens([(one, one % 7, 1) for one in range(2000)])))
    if damage == "cut":
        del packed[-5000:]
    else:
        packed[-8] ^= 1
    write("triplets.txt.gz", bytes(packed))
    result = read()
    assert result.song_plays == []
    assert result.reasons == {"the rest": "unreadable_file"}
    assert result.files[0]["record_count"] == len(result.listens) > 0
