"""The lake: a unit is there as a whole or not at all, on a local disk and in S3 alike."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlencode

import pyarrow as pa
import pytest

from ingestion.errors import ConfigError, LakeError
from ingestion.lake import Lake, shown_url, unit_id
from ingestion.stores import ABANDONED_AFTER_SECONDS
from ingestion.tables import RawTable, columns, key_columns
from tests.support.buckets import s3_server

SONGS = RawTable("songs", pa.schema(key_columns(id=pa.int64()) + columns(title=pa.string())), ("id",))
TERMS = RawTable("terms", pa.schema(key_columns(id=pa.int64())), ("id",))


@pytest.fixture(scope="module")
def s3():
    """A client of an S3 server, and the server's address."""
    with s3_server() as running:
        yield running.client, running.environment["AWS_ENDPOINT_URL"].removeprefix("http://")


class Place:
    """A lake and what lies in it, to be looked at and damaged past the lake."""

    def __init__(self, url: str, folder: Path | None = None, client=None, bucket: str = "") -> None:
        self.lake = Lake(url)
        self._folder, self._client, self._bucket = folder, client, bucket

    def names(self) -> set[str]:
        """Every file, relative to the lake's root; scratch of the local form is left out."""
        if self._folder:
            files = (file.relative_to(self._folder) for file in self._folder.rglob("*") if file.is_file())
            return {file.as_posix() for file in files if file.parts[0] != ".writing"}
        listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix="lake/").get("Contents", [])
        return {item["Key"].removeprefix("lake/") for item in listed if not item["Key"].endswith("/")}

    def versions(self) -> list[str]:
        """Every version of every object, delete markers too; in a folder there is one of each file."""
        if self._folder:
            return sorted(self.names())
        listed = self._client.list_object_versions(Bucket=self._bucket, Prefix="lake/")
        found = [*listed.get("Versions", ()), *listed.get("DeleteMarkers", ())]
        return sorted(item["Key"].removeprefix("lake/") for item in found)

    def remove(self, name: str) -> None:
        if self._folder:
            (self._folder / name).unlink()
        else:
            self._client.delete_object(Bucket=self._bucket, Key=f"lake/{name}")

    def overwrite(self, name: str, change) -> None:
        if self._folder:
            path = self._folder / name
            path.write_bytes(change(path.read_bytes()))
        else:
            key = f"lake/{name}"
            content = self._client.get_object(Bucket=self._bucket, Key=key)["Body"].read()
            self._client.put_object(Bucket=self._bucket, Key=key, Body=change(content))


@pytest.fixture(params=["folder", "file_url", "s3", "versioned_s3"])
def place(request, tmp_path) -> Place:
    if request.param.endswith("s3"):
        client, address = request.getfixturevalue("s3")
        bucket = f"bucket-{abs(hash(request.node.name)):x}"
        client.create_bucket(Bucket=bucket)
        if request.param == "versioned_s3":
            client.put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
        options = urlencode({"endpoint_override": address, "scheme": "http", "region": "us-east-1"})
        return Place(f"s3://test:test@{bucket}/lake?{options}", client=client, bucket=bucket)
    folder = tmp_path / "lake"
    return Place(str(folder) if request.param == "folder" else folder.as_uri(), folder)


def rows(*ids):
    return pa.table({"id": ids, "title": [f"song {id_}" for id_ in ids]}, schema=SONGS.schema)


def write(lake, unit="u1", *ids, inputs=()):
    with lake.write_unit("msd", unit, "1.2.3", list(inputs)) as writer:
        writer.write(SONGS, rows(*(ids or (1, 2))))
        writer.write(SONGS, rows(3))
        writer.write(TERMS, pa.table({"id": [7]}))
    return lake.done_record("msd", unit)


def read(lake, part):
    return pa.Table.from_batches(lake.read_part(part)).to_pylist()


def test_an_empty_lake_has_no_units(place):
    assert place.lake.done_unit_ids("msd") == set()


def test_what_was_written_is_read_again(place):
    before = datetime.now(UTC)
    record = write(place.lake, inputs=[{"path": "a.h5"}])
    assert place.lake.done_unit_ids("msd") == {"u1"}
    assert place.lake.done_unit_ids("other") == set()
    assert (record.source, record.unit_id, record.code_version) == ("msd", "u1", "1.2.3")
    assert record.inputs == [{"path": "a.h5"}]
    assert before <= record.extracted_at <= datetime.now(UTC)
    assert [part.table for part in record.parts] == ["songs", "terms"]
    assert [record.rows(table) for table in ("songs", "terms", "none")] == [3, 1, 0]
    assert record.total_rows == 4
    assert read(place.lake, record.parts[0]) == rows(1, 2, 3).to_pylist()
    ids = pa.Table.from_batches(place.lake.read_columns(record.parts[0], ["id"]))
    assert ids.to_pydict() == {"id": [1, 2, 3]}
    assert place.names() == {"msd/songs/u1.parquet", "msd/terms/u1.parquet", "msd/done/u1.json"}


def test_a_unit_without_rows_is_done_too(place):
    with place.lake.write_unit("msd", "empty", "1", []):
        pass
    assert place.lake.done_record("msd", "empty").parts == []


def test_a_unit_being_written_is_invisible(place):
    with place.lake.write_unit("msd", "u1", "1", []) as writer:
        writer.write(SONGS, rows(1))
        assert place.lake.done_unit_ids("msd") == set()
        assert place.names() == set()
    assert place.lake.done_unit_ids("msd") == {"u1"}


def test_a_unit_that_failed_leaves_nothing_behind(place):
    with pytest.raises(ZeroDivisionError), place.lake.write_unit("msd", "u1", "1", []) as writer:
        writer.write(SONGS, rows(1))
        raise ZeroDivisionError
    assert place.names() == set()
    assert place.lake.done_unit_ids("msd") == set()


def test_the_done_record_comes_last(place):
    """Where the record cannot be put, the parts are there and the unit is not; the next attempt mends it."""
    done = "msd/done/u1.json"
    if place._folder:
        (place._folder / done).mkdir(parents=True)  # in the way of the record
        with pytest.raises(OSError, match=r"u1\.json"):
            write(place.lake)
        (place._folder / done).rmdir()
        assert place.names() == {"msd/songs/u1.parquet", "msd/terms/u1.parquet"}
    else:
        write(place.lake)
        place.remove(done)
    assert place.lake.done_unit_ids("msd") == set()
    record = write(place.lake, "u1", 8, 9)
    assert read(place.lake, record.parts[0]) == rows(8, 9, 3).to_pylist()


def test_other_columns_than_the_table_s_are_refused(place):
    with pytest.raises((ValueError, pa.ArrowInvalid)), place.lake.write_unit("msd", "u", "1", []) as writer:
        writer.write(SONGS, pa.table({"id": [1]}))
    assert place.lake.done_unit_ids("msd") == set()


def test_a_rewritten_unit_is_the_same_unit_with_other_rows_and_nothing_of_the_earlier_stays(place):
    record = write(place.lake, inputs=[{"path": "a.h5"}])
    with place.lake.rewrite_unit(record, inputs=[]) as writer:
        writer.write(SONGS, rows(1))
        writer.keep(record.parts[1])
    assert place.lake.done_unit_ids("msd") == {"u1"}
    assert place.lake.current_revisions("msd") == {"u1": 1}
    (rewritten,) = place.lake.done_records("msd")
    assert rewritten == place.lake.done_record("msd", "u1")
    assert (rewritten.name, rewritten.inputs) == ("u1.1", [])
    assert rewritten.extracted_at == record.extracted_at
    assert {part.table: read(place.lake, part) for part in rewritten.parts} == {
        "songs": rows(1).to_pylist(),
        "terms": [{"id": 7}],
    }
    files = ["msd/done/u1.1.json", "msd/songs/u1.1.parquet", "msd/terms/u1.parquet"]
    assert place.versions() == files
    with place.lake.rewrite_unit(rewritten):
        pass
    assert place.lake.current_revisions("msd") == {"u1": 2}
    assert place.versions() == ["msd/done/u1.2.json"]


def test_a_rewriting_that_failed_leaves_the_unit_as_it_was(place):
    record = write(place.lake)
    before = place.versions()
    with pytest.raises(ZeroDivisionError), place.lake.rewrite_unit(record) as writer:
        writer.write(SONGS, rows(1))
        raise ZeroDivisionError
    assert place.versions() == before
    assert place.lake.done_record("msd", "u1") == record


def test_what_a_rewriting_that_was_cut_short_has_left_is_removed(place):
    """Cut short before its done-record, or after it and before the earlier files were removed."""
    record = write(place.lake)
    other = write(place.lake, "u2")
    with place.lake.rewrite_unit(record) as writer:
        writer.write(SONGS, rows(5))
    latest = place.lake.done_record("msd", "u1")
    write(place.lake)  # the earlier files are there again
    with place.lake.rewrite_unit(other) as writer:
        writer.write(SONGS, rows(6))
    place.remove("msd/done/u2.1.json")
    write(place.lake, "u2")
    assert place.lake.done_record("msd", "u1") == latest
    place.lake.remove_superseded("msd")
    assert place.names() == {
        *("msd/done/u1.1.json", "msd/songs/u1.1.parquet"),
        *("msd/done/u2.json", "msd/songs/u2.parquet", "msd/terms/u2.parquet"),
    }
    assert place.lake.done_record("msd", "u1") == latest
    assert place.lake.current_revisions("msd") == {"u1": 1, "u2": 0}


def test_keys_of_s3_that_are_not_in_the_url_come_from_the_environment(s3, monkeypatch):
    client, address = s3
    client.create_bucket(Bucket="keyless")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    options = urlencode({"endpoint_override": address, "scheme": "http", "region": "us-east-1"})
    place = Place(f"s3://keyless/lake?{options}", client=client, bucket="keyless")
    with place.lake.rewrite_unit(write(place.lake)):
        pass
    assert place.versions() == ["msd/done/u1.1.json"]


def test_old_versions_of_overwritten_and_deleted_objects_can_be_removed(place):
    write(place.lake)
    record = write(place.lake, "u1", 8)
    write(place.lake, "gone")
    for name in ("done/gone.json", "songs/gone.parquet", "terms/gone.parquet"):
        place.remove(f"msd/{name}")
    place.lake.remove_old_versions("msd")
    assert place.versions() == sorted(place.names())
    assert read(place.lake, record.parts[0]) == rows(8, 3).to_pylist()


def test_files_of_a_unit_that_never_was_finished_are_removed_once_they_are_old(place):
    write(place.lake)
    write(place.lake, "u2")
    place.remove("msd/done/u2.json")
    now = datetime.now(UTC)
    assert place.lake.remove_unfinished("msd", now - timedelta(minutes=1)) == 2
    assert "msd/songs/u2.parquet" in place.names()
    assert place.lake.remove_unfinished("msd", now + timedelta(minutes=1)) == 0
    assert place.names() == {"msd/songs/u1.parquet", "msd/terms/u1.parquet", "msd/done/u1.json"}


def test_what_is_said_of_the_whole_lake_is_kept_as_it_was_said_first(place):
    assert place.lake.keep_once("word", "first") == "first"
    assert place.lake.keep_once("word", "second") == "first"
    assert place.names() == {"word"}


def test_attached_files_are_part_of_a_unit(place):
    with place.lake.write_unit("msd", "u1", "1", []) as writer:
        writer.attach("notes/u1.txt", b"one")
        writer.attach("notes/u1.json", b"two")
    record = place.lake.done_record("msd", "u1")
    assert [(part.path, place.lake.read_bytes(part)) for part in record.parts] == [
        ("msd/notes/u1.txt", b"one"),
        ("msd/notes/u1.json", b"two"),
    ]
    assert record.total_rows == 0


def test_an_error_about_a_damaged_part_of_a_rewritten_unit_names_its_own_done_record(place):
    with place.lake.rewrite_unit(write(place.lake)) as writer:
        writer.write(SONGS, rows(1))
    (part,) = place.lake.done_record("msd", "u1").parts
    place.overwrite(part.path, lambda content: content + b"x")
    with pytest.raises(LakeError, match=r"remove msd/done/u1\.1\.json"):
        next(place.lake.read_part(part))


def test_a_missing_part_is_named(place):
    record = write(place.lake)
    place.remove("msd/songs/u1.parquet")
    with pytest.raises(LakeError, match=r"msd/songs/u1\.parquet is missing from the lake"):
        read(place.lake, record.parts[0])


@pytest.mark.parametrize(
    "damage",
    [
        lambda content: content[:-1],
        lambda content: content[:0],
        lambda content: content + b"x",
        lambda content: content[:20] + bytes([content[20] ^ 1]) + content[21:],
    ],
    ids=["cut", "empty", "longer", "one bit"],
)
def test_a_damaged_part_is_named_before_any_row_of_it_is_read(damage, place):
    record = write(place.lake)
    place.overwrite("msd/songs/u1.parquet", damage)
    with pytest.raises(LakeError, match=r"msd/songs/u1\.parquet .* is not what its done-record names"):
        next(place.lake.read_part(record.parts[0]))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("/data/lake", "/data/lake"),
        ("file:///data/lake", "file:///data/lake"),
        ("s3://bucket/lake", "s3://bucket/lake"),
        ("s3://key:se%2Fcret@bucket/lake?region=x&endpoint_override=host", "s3://bucket/lake"),
        ("s3://key:a@b@bucket", "s3://bucket"),
    ],
)
def test_a_url_is_shown_without_the_secret_it_may_hold(url, shown):
    assert shown_url(url) == shown


def test_a_url_that_cannot_be_read_is_told_without_its_secret():
    with pytest.raises(ConfigError) as caught:
        Lake("s3://AKIAX:se/cret@bucket/prefix")
    assert str(caught.value) == "WAREHOUSE_LAKE_URL cannot be read as a URL: s3://bucket/prefix"
    assert caught.value.__suppress_context__  # pyarrow's own message quotes the whole URL


def test_errors_do_not_show_the_secret_in_the_url(place):
    record = write(place.lake)
    place.remove("msd/songs/u1.parquet")
    with pytest.raises(LakeError) as error:
        read(place.lake, record.parts[0])
    assert "test:test" not in str(error.value)


def test_scratch_of_a_killed_extractor_goes_once_it_is_old(tmp_path):
    scratch = tmp_path / "lake/.writing"
    old, young = scratch / "old", scratch / "young"
    for folder in (old, young):
        folder.mkdir(parents=True)
        (folder / "songs").touch()
    os.utime(old, (1, 1))
    write(Lake(str(tmp_path / "lake")))
    assert list(scratch.iterdir()) == [young]
    assert ABANDONED_AFTER_SECONDS > 3600, "an extractor at work must not lose its scratch"


def test_a_unit_id_depends_on_source_reader_and_inputs_and_on_nothing_else():
    one = unit_id("msd", 1, [{"path": "a", "size": 1}])
    assert one == unit_id("msd", 1, [{"size": 1, "path": "a"}])
    assert len(one) == 24
    others = {
        unit_id("other", 1, [{"path": "a", "size": 1}]),
        unit_id("msd", 2, [{"path": "a", "size": 1}]),
        unit_id("msd", 1, [{"path": "a", "size": 2}]),
        unit_id("msd", 1, []),
    }
    assert len(others | {one}) == 5


def test_scratch_that_another_extractor_takes_away_meanwhile_is_no_matter(tmp_path):
    scratch = tmp_path / "lake" / ".writing"
    scratch.mkdir(parents=True)
    (scratch / "gone").symlink_to(scratch / "nothing")  # listed, and not there when it is looked at
    lake = Lake(str(tmp_path / "lake"))
    with lake.write_unit("msd", "unit", "0", []) as writer:
        writer.write(SONGS, SONGS.from_rows([{"id": 1}]))
    assert lake.done_record("msd", "unit").total_rows == 1
