"""A lake in S3 that answers with faults: a few are waited out, and what stays is told plainly."""

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest

from ingestion.errors import LakeError
from ingestion.lake import DoneRecord, Lake
from ingestion.stores import ATTEMPTS
from ingestion.tables import RawTable, columns, key_columns
from tests.support.buckets import S3, s3_server
from tests.support.faulty_s3 import RESET, FaultyS3, Request, faulty_s3

SONGS = RawTable("songs", pa.schema(key_columns(id=pa.int64()) + columns(cover=pa.binary())), ("id",))

BUCKET, SECRET = "lake-with-faults", "s3cr3t-k3y"

MULTIPART_BYTES = 20_000_000
"""Of a part that goes up in three pieces: boto3 cuts from 8 MB on, into pieces of 8 MB."""


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with s3_server() as running:
        running.client.create_bucket(Bucket=BUCKET)
        yield running


@pytest.fixture(scope="module")
def faulty_server(s3) -> Iterator[FaultyS3]:
    with faulty_s3(s3.environment["AWS_ENDPOINT_URL"]) as running:
        yield running


@pytest.fixture
def faulty(faulty_server, monkeypatch, pauses) -> FaultyS3:  # noqa: ARG001
    """The server, with the usual variables leading there."""
    faulty_server.clear()
    monkeypatch.setenv("AWS_ENDPOINT_URL", faulty_server.url)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    return faulty_server


@pytest.fixture
def pauses(monkeypatch) -> list[float]:
    """The pauses between attempts, in seconds, which nobody waits for here."""
    taken = []
    monkeypatch.setattr("botocore.endpoint.time.sleep", taken.append)
    return taken


@pytest.fixture
def lake(faulty, request) -> Lake:  # noqa: ARG001
    """A lake of the test's own."""
    return Lake(f"s3://{BUCKET}/{abs(hash(request.node.name)):x}")


def write(lake: Lake, unit: str = "u1", cover: bytes = b"x") -> DoneRecord:
    with lake.write_unit("msd", unit, "1", []) as writer:
        writer.write(SONGS, pa.table({"id": [1], "cover": [cover]}, schema=SONGS.schema))
    return lake.done_record("msd", unit, 0)


def rewrite(lake: Lake) -> None:
    with lake.rewrite_unit(lake.done_record("msd", "u1", 0)) as writer:
        writer.write(SONGS, pa.table({"id": [2], "cover": [b"y"]}, schema=SONGS.schema))


def read(lake: Lake) -> list[dict]:
    (part,) = lake.done_record("msd", "u1", 0).parts
    return pa.Table.from_batches(lake.read_part(part)).to_pylist()


def read_ids(lake: Lake) -> list:
    (part,) = lake.done_record("msd", "u1", 0).parts
    return [batch.to_pydict() for batch in lake.read_columns(part, ["id"])]


def is_(method: str, part: str = "") -> object:
    return lambda request: request.method == method and part in request.target


WORK = {
    "a part is written": (write, is_("PUT", "songs"), "s3:PutObject"),
    "a done-record is written": (write, is_("PUT", "done"), "s3:PutObject"),
    "units are listed": (lambda lake: lake.done_unit_ids("msd"), is_("GET", "list-type"), "s3:ListBucket"),
    "a done-record is read": (read, is_("GET", "done"), "s3:GetObject"),
    "a part is read": (read, is_("GET", "songs"), "s3:GetObject"),
    "columns are read": (read_ids, is_("GET", "songs"), "s3:GetObject"),
    "an earlier revision is removed": (rewrite, is_("POST", "delete"), "s3:DeleteObject"),
    "versions are listed": (rewrite, is_("GET", "versions"), "s3:ListBucketVersions"),
}


@pytest.mark.parametrize("fault", ["SlowDown", "InternalError", RESET])
@pytest.mark.parametrize("work", WORK)
def test_a_few_faults_are_waited_out(work, fault, lake, faulty, pauses):
    do, where, _ = WORK[work]
    undisturbed_lake = Lake(f"{lake.url}_undisturbed")
    write(undisturbed_lake)
    undisturbed = do(undisturbed_lake)
    write(lake)
    faulty.fail(fault, where, times=2)
    result = do(lake)
    assert len(faulty.failed) == 2
    assert len(pauses) >= 2
    if not isinstance(result, DoneRecord):  # which says when it was written
        assert result == undisturbed


@pytest.mark.parametrize("work", WORK)
def test_an_answer_that_stays_away_is_told_with_what_is_safe_and_how_to_go_on(work, lake, faulty):
    do, where, permission = WORK[work]
    write(lake)
    faulty.fail("SlowDown", where)
    with pytest.raises(LakeError) as told:
        do(lake)
    assert len(faulty.failed) == ATTEMPTS
    text = str(told.value)
    assert text.startswith(f"s3://{BUCKET}/")
    for part in (
        f"{ATTEMPTS} attempts",
        "SlowDown",
        permission,
        "Units that are finished stay",
        "run the same again",
    ):
        assert part in text


@pytest.mark.parametrize("work", WORK)
def test_a_missing_permission_is_named(work, lake, faulty):
    do, where, permission = WORK[work]
    write(lake)
    faulty.fail("AccessDenied", where)
    with pytest.raises(LakeError) as told:
        do(lake)
    assert len(faulty.failed) == 1, "asking again does not help"
    for part in ("access denied", permission, f"for s3://{BUCKET}/", "grant it, and run the same again"):
        assert part in str(told.value)


@pytest.mark.parametrize("code", ["InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken"])
def test_credentials_that_are_not_taken_are_told_and_not_shown(code, lake, faulty):
    faulty.fail(code, lambda _: True)
    with pytest.raises(LakeError, match=f"takes no such credentials .{code}") as told:
        lake.done_unit_ids("msd")
    assert SECRET not in str(told.value)
    assert "AKIAEXAMPLE" not in str(told.value)
    assert told.value.__suppress_context__


def test_a_secret_in_the_url_is_not_shown(faulty):
    lake = Lake(f"s3://AKIAEXAMPLE:{SECRET}@{BUCKET}/below?endpoint_override={faulty.address}&scheme=http")
    faulty.fail("SignatureDoesNotMatch", lambda _: True)
    with pytest.raises(LakeError) as told:
        write(lake)
    assert SECRET not in str(told.value)
    assert "AKIAEXAMPLE" not in str(told.value)


def test_without_credentials_that_is_said(faulty, monkeypatch, tmp_path):  # noqa: ARG001
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setattr("boto3.DEFAULT_SESSION", None)
    with pytest.raises(LakeError, match=r"none were found.*AWS_PROFILE"):
        Lake(f"s3://{BUCKET}/below").done_unit_ids("msd")


@pytest.mark.parametrize("do", [write, read, lambda lake: lake.done_unit_ids("msd")])
def test_a_bucket_that_is_not_there_is_no_empty_lake(do, faulty):  # noqa: ARG001
    with pytest.raises((LakeError, FileNotFoundError), match="no-such-bucket"):
        do(Lake("s3://no-such-bucket/lake"))


def test_a_large_part_goes_up_in_pieces_and_a_piece_that_failed_again(lake, faulty):
    cover = os.urandom(MULTIPART_BYTES)  # nothing can be compressed
    faulty.fail("SlowDown", is_("PUT", "partNumber=2"), times=2)
    write(lake, cover=cover)
    pieces = [one for one in faulty.requests if "partNumber=" in one.target]
    assert len(pieces) == 3 + 2
    assert read(lake) == [{"id": 1, "cover": cover}]


def test_a_large_part_that_does_not_get_there_leaves_no_pieces_and_no_unit(lake, faulty, s3):
    faulty.fail("SlowDown", is_("PUT", "partNumber=2"))
    with pytest.raises(LakeError, match="run the same again"):
        write(lake, cover=os.urandom(MULTIPART_BYTES))
    assert "Uploads" not in s3.client.list_multipart_uploads(Bucket=BUCKET)
    assert lake.done_unit_ids("msd") == set()


def test_a_listing_that_lacks_a_done_record_only_delays(lake, faulty):
    write(lake)
    faulty.hidden.add(key_of(lake, "msd/done/u1.json"))
    assert lake.done_unit_ids("msd") == set()
    faulty.hidden.clear()
    assert lake.done_unit_ids("msd") == {"u1"}


def test_nothing_of_a_finished_revision_is_removed_because_a_listing_lacks_its_done_record(lake, faulty):
    write(lake)
    rewrite(lake)
    write(lake)  # as if the rewriting had been killed before it removed the earlier revision
    faulty.hidden.add(key_of(lake, "msd/done/u1.1.json"))
    with pytest.raises(LakeError, match=r"listed without msd/done/u1\.1\.json, which is there"):
        lake.remove_superseded("msd")
    faulty.hidden.clear()
    lake.remove_superseded("msd")
    assert [record.revision for record in lake.done_records("msd")] == [1]
    (part,) = lake.done_record("msd", "u1").parts
    assert pa.Table.from_batches(lake.read_part(part)).to_pylist() == [{"id": 2, "cover": b"y"}]


def test_a_revision_that_a_listing_lacks_is_not_written_again(lake, faulty):
    write(lake)
    rewrite(lake)
    write(lake)
    faulty.hidden.add(key_of(lake, "msd/done/u1.1.json"))
    with pytest.raises(LakeError, match=r"listed without msd/done/u1\.1\.json, which is there"):
        rewrite(lake)


def test_no_finished_unit_is_removed_as_unfinished_because_a_listing_lacks_its_done_record(lake, faulty):
    write(lake)
    faulty.hidden.add(key_of(lake, "msd/done/u1.json"))
    assert lake.remove_unfinished("msd", datetime.now(UTC) + timedelta(hours=1)) == 0
    assert read(lake) == [{"id": 1, "cover": b"x"}]


def key_of(lake: Lake, path: str) -> str:
    return f"{lake.url.removeprefix(f's3://{BUCKET}/')}/{path}"


def test_a_request_is_what_s3_gets(faulty, lake):
    """The server in between is transparent."""
    write(lake)
    assert Request("GET", f"/{BUCKET}/{key_of(lake, 'msd/done/u1.json')}") in faulty.requests
