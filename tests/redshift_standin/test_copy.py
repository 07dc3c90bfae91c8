"""COPY from S3 into the stand-in, as Redshift does it."""

import gzip
import io
from datetime import UTC, date, datetime

import psycopg2
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import redshift_connector

from tests.redshift_standin.clients import rows_of, run
from tests.redshift_standin.server import BUCKET, IAM_ROLE

CLIENT_ERRORS = (psycopg2.Error, redshift_connector.Error)
ADDRESS = f"s3://{BUCKET}/test_copy"
BY_ROLE = f"iam_role '{IAM_ROLE}'"

ROWS = pa.table(
    {
        "a": pa.array([1, None], pa.int64()),
        "b": pa.array(["", 'it\'s "quoted", ä\n'], pa.string()),
        "c": pa.array([1.5, None], pa.float64()),
        "d": pa.array([True, False]),
        "e": pa.array([datetime(2020, 1, 2, 3, 4, 5, 678901, UTC), None], pa.timestamp("us", "UTC")),
        "f": pa.array([date(2020, 1, 2), None]),
        "g": pa.array([7, None], pa.int32()),
    }
)


@pytest.fixture
def put(stand_in):
    def put(name: str, content: pa.Table | bytes) -> None:
        if isinstance(content, pa.Table):
            buffer = io.BytesIO()
            pq.write_table(content, buffer)
            content = buffer.getvalue()
        stand_in.s3().put_object(Bucket=BUCKET, Key=f"test_copy/{name}", Body=content)

    yield put
    for item in stand_in.s3().list_objects_v2(Bucket=BUCKET, Prefix="test_copy/").get("Contents", []):
        stand_in.s3().delete_object(Bucket=BUCKET, Key=item["Key"])


@pytest.fixture
def table(connection):
    run(
        connection,
        "create table lab.t (one bigint, two varchar(max), three double precision, four boolean, "
        "five timestamp with time zone, six date, seven integer)",
    )
    return connection


def test_parquet_is_read_by_the_position_of_its_columns(table, put):
    put("rows.parquet", ROWS)
    run(table, f"copy lab.t from '{ADDRESS}/rows.parquet' parquet {BY_ROLE} maxerror 0")
    assert rows_of(table, "select * from lab.t order by one") == [
        tuple(row.values()) for row in ROWS.to_pylist()
    ]


def test_every_object_below_the_prefix_is_read(table, put):
    put("many/1.parquet", ROWS)
    put("many/2.parquet", ROWS)
    run(table, f"copy lab.t from '{ADDRESS}/many/' format as parquet {BY_ROLE}")
    assert rows_of(table, "select count(*) from lab.t") == [(4,)]


def test_json_lines_are_read_by_their_names(table, put):
    put("rows.jsonl.gz", gzip.compress(b'{"two": "b", "one": 1, "four": true, "more": []}\n{"one": 2}\n'))
    run(
        table,
        f"copy lab.t from '{ADDRESS}/rows.jsonl.gz' format as json 'auto' dateformat 'auto' "
        "timeformat 'auto' gzip credentials 'aws_access_key_id=a;aws_secret_access_key=b' region 'us-east-1'",
    )
    assert rows_of(table, "select one, two, four from lab.t order by one") == [
        (1, "b", True),
        (2, None, None),
    ]


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("copy lab.t from '{address}/rows.parquet' parquet", "needs IAM_ROLE or CREDENTIALS"),
        ("copy lab.t from '{address}/rows.parquet' parquet iam_role 'me'", "IAM_ROLE is not of the form"),
        ("copy lab.t from '{address}/none' parquet {role}", "S3 prefix 'test_copy/none' does not exist"),
        ("copy lab.none from '{address}/rows.parquet' parquet {role}", "nonexistent table none"),
        ("copy lab.t (one) from '{address}/rows.parquet' parquet {role}", "COPY other than"),
        ("copy lab.t from '{address}/rows.parquet' csv {role}", "COPY ... csv"),
        ("copy lab.t from '/etc/passwd'", "only s3://"),
        ("copy lab.t from '{address}/few.parquet' parquet {role}", "Unmatched number of columns"),
        (
            "copy lab.t from '{address}/wrong.parquet' parquet {role}",
            "incompatible Parquet schema for column 'one'",
        ),
    ],
)
def test_is_not_copied(table, put, statement, reason):
    put("rows.parquet", ROWS)
    put("few.parquet", ROWS.select(["a", "b"]))
    put("wrong.parquet", ROWS.set_column(0, "a", pa.array([1, 2], pa.int32())))
    with pytest.raises(CLIENT_ERRORS, match=reason):
        run(table, statement.format(address=ADDRESS, role=BY_ROLE))
    assert rows_of(table, "select count(*) from lab.t") == [(0,)]


def test_a_text_that_is_too_long_stops_a_copy(connection, put):
    put("long.parquet", pa.table({"name": ["abc", "ääb"]}))
    run(connection, "create table lab.short (name varchar(4))")
    with pytest.raises(CLIENT_ERRORS, match=r"value too long for type character varying\(4\)"):
        run(connection, f"copy lab.short from '{ADDRESS}/long.parquet' parquet {BY_ROLE}")


def test_a_copy_is_part_of_its_transaction(table, put):
    put("rows.parquet", ROWS)
    table.autocommit = False
    run(table, f"copy lab.t from '{ADDRESS}/rows.parquet' parquet {BY_ROLE}")
    table.rollback()
    assert rows_of(table, "select count(*) from lab.t") == [(0,)]
