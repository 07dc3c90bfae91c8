"""SQLite side files: recognised by their tables, read whole, and damage named."""

import sqlite3

import pytest

from ingestion.reference_files import databases
from tests.ingestion.reference_files.files import DATABASES, artist, song, track, write_database

KINDS = sorted(DATABASES)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["a.db", "subset_a.DB", "x.sqlite", "y.txt", "o'k #1?%41.db"])
def test_the_kind_is_told_by_the_tables_whatever_the_name(read, tmp_path, kind, name):
    write_database(tmp_path / name, DATABASES[kind])
    result = read()
    assert result.kinds == {name: kind}
    assert result.quarantined_inputs == []
    assert result.files[0]["record_count"] >= 2


def test_values_are_what_the_tables_say(read, tmp_path):
    for kind, statements in DATABASES.items():
        write_database(tmp_path / f"{kind}.db", statements)
    result = read()
    first, second = result.songs
    assert (first["track_id"], first["song_id"], first["title"], first["year"]) == (
        track(1),
        song(1),
        "Jóga",
        1997,
    )
    assert (first["duration"], first["shs_perf"], first["shs_work"], first["track_7digitalid"]) == (
        300.5,
        -1,
        0,
        77,
    )
    assert (second["artist_familiarity"], second["row_id"]) == (None, 2)
    assert [(row["artist_id"], row["term"]) for row in result.artist_terms] == [
        (artist(1), "pop"),
        (artist(1), "électro"),
    ]
    assert [row["mbtag"] for row in result.artist_mbtags] == ["icelandic"]
    assert [(row["artist_id"], row["similar_artist_id"]) for row in result.similar_artists] == [
        (artist(1), artist(2)),
        (artist(1), artist(3)),
    ]
    assert [(row["track_id"], row["tag_name"], row["value"]) for row in result.track_tags] == [
        (track(1), "rock", 100.0),
        (track(1), "ambiént", 12.5),
        (track(2), "80s", 40.0),
    ]
    assert result.track_tags[0]["terms_of_use"] == "lastfm_research"


def test_where_batches_end_changes_nothing(read, tmp_path, monkeypatch):
    for kind, statements in DATABASES.items():
        write_database(tmp_path / f"{kind}.db", statements)
    whole = read().rows
    monkeypatch.setattr(databases, "BATCH_ROWS", 1)
    assert read().rows == whole


def test_an_older_database_without_some_columns_has_none_of_their_values(read, tmp_path):
    write_database(
        tmp_path / "old.db",
        [
            "create table songs (track_id text, title text, song_id text, artist_id text, year int)",
            f"insert into songs values ('{track(1)}', 'T', '{song(1)}', '{artist(1)}', 1999)",
        ],
    )
    (row,) = read().songs
    assert (row["title"], row["year"], row["duration"], row["shs_work"]) == ("T", 1999, None, None)


def test_values_of_another_type_are_read_as_what_they_should_be(read, tmp_path):
    write_database(
        tmp_path / "odd.db",
        [
            "create table songs (track_id, title, song_id, artist_id, year, duration)",
            f"insert into songs values ('{track(1)}', 1984, '{song(1)}', '{artist(1)}', 'soon', 217)",
            f"insert into songs values ('{track(2)}', cast(x'41ff42' as text), null, '', 1999.0, 'long')",
        ],
    )
    first, second = read().songs
    assert (first["title"], first["year"], first["duration"]) == ("1984", None, 217.0)
    assert (second["title"], second["song_id"], second["year"], second["duration"]) == (
        "A\N{REPLACEMENT CHARACTER}B",
        None,
        1999,
        None,
    )


def test_a_row_whose_id_is_none_is_named_and_the_others_are_read(read, tmp_path):
    statements = [*DATABASES["artist_term"], "insert into artist_term values ('nobody', 'x'), (null, 'y')"]
    statements.append(f"insert into artist_term values ('{artist(2)}', null), ('{artist(2)}', 'rock')")
    write_database(tmp_path / "terms.db", statements)
    result = read()
    assert [row["term"] for row in result.artist_terms] == ["pop", "électro", "rock"]
    assert set(result.reasons) == {f"artist_term row {number}" for number in (3, 4, 5)}
    assert "artist_id is 'nobody'" in result.quarantined_inputs[0]["detail"]
    assert result.files[0]["quarantined_count"] == 3


def test_a_tag_that_refers_to_nothing_is_named(read, tmp_path):
    statements = [*DATABASES["lastfm_tags"], "insert into tid_tag values (1, 99, 5), (77, 1, 5)"]
    write_database(tmp_path / "tags.db", statements)
    result = read()
    assert len(result.track_tags) == 3
    assert set(result.reasons) == {"tid_tag row 4", "tid_tag row 5"}


def test_row_numbers_may_have_gaps(read, tmp_path):
    statements = [*DATABASES["lastfm_tags"], "delete from tags where tag = 'rock'"]
    write_database(tmp_path / "tags.db", statements)
    assert [row["tag_name"] for row in read().track_tags] == ["ambiént", "80s"]


def test_a_row_named_twice_is_two_rows_with_ids_of_their_own(read, tmp_path):
    statements = [*DATABASES["lastfm_tags"], "insert into tid_tag values (1, 1, 100)"]
    write_database(tmp_path / "tags.db", statements)
    assert [row["row_id"] for row in read().track_tags if row["tag_name"] == "rock"] == [1, 4]


def test_tables_that_refer_to_a_missing_one_are_refused(read, tmp_path):
    statements = [one for one in DATABASES["lastfm_tags"] if " tags" not in one]
    write_database(tmp_path / "tags.db", statements)
    assert read().reasons == {"": "missing_table"}


def test_a_database_of_something_else_is_unknown(read, tmp_path):
    write_database(tmp_path / "other.db", ["create table songs (name text)", "create table x (y)"])
    result = read()
    assert result.reasons == {"": "unknown_format"}
    assert result.kinds == {"other.db": None}


def test_an_empty_table_is_known_and_empty(read, tmp_path):
    write_database(tmp_path / "a.db", DATABASES["artist_similarity"][:2])
    result = read()
    assert result.kinds == {"a.db": "artist_similarity"}
    assert result.files[0]["record_count"] == 0
    assert result.quarantined_inputs == []


@pytest.mark.parametrize("size", [16, 50, 100, 4096])
def test_a_truncated_database_is_one_row(read, tmp_path, size):
    path = tmp_path / "a.db"
    write_database(path, DATABASES["track_metadata"])
    path.write_bytes(path.read_bytes()[:size])
    assert read().reasons == {"": "truncated_file"}


@pytest.mark.parametrize("pages", [0, 1_000_000])
def test_a_database_of_an_old_sqlite_does_not_know_its_size(read, tmp_path, pages):
    path = tmp_path / "a.db"
    write_database(path, DATABASES["track_metadata"])
    data = bytearray(path.read_bytes())
    data[28:32] = pages.to_bytes(4)
    data[92:96] = bytes(4)
    path.write_bytes(data)
    assert len(read().songs) == 2


def test_a_damaged_database_is_quarantined(read, tmp_path):
    path = tmp_path / "a.db"
    write_database(path, DATABASES["track_metadata"])
    data = bytearray(path.read_bytes())
    data[4096:8192] = b"\xff" * 4096
    path.write_bytes(data)
    assert read().reasons == {"": "corrupt_file"}


def test_a_database_in_use_is_read_and_not_changed(read, tmp_path):
    path = tmp_path / "a.db"
    write_database(path, DATABASES["track_metadata"])
    before = path.read_bytes()
    path.chmod(0o444)
    writer = sqlite3.connect(path)
    writer.execute("begin exclusive")
    assert len(read().songs) == 2
    writer.rollback()
    writer.close()
    assert path.read_bytes() == before
    assert sorted(one.name for one in tmp_path.iterdir()) == ["a.db"]
