"""The loader's Redshift: a dlt pipeline that brings parts to raw by COPY from a staging folder in S3.

Only what differs from the embedded DuckDB stands here; what to load, and in which order, is decided
in `ingestion/load.py` for both.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import Any

import boto3
import dlt
import numpy as np
import psycopg2
import pyarrow as pa
import pyarrow.compute as pc
from botocore.exceptions import BotoCoreError, ClientError

from ingestion.config import RedshiftSettings, Settings
from ingestion.errors import LoadError
from ingestion.lake import DoneRecord
from ingestion.source import Source
from ingestion.stores import Bucket
from ingestion.tables import RawTable

for name in ("botocore", "aiobotocore"):  # each session says where its keys come from
    logging.getLogger(name).setLevel(logging.WARNING)


def redshift_settings(settings: Settings) -> RedshiftSettings:
    """The cluster to load. Raises LoadError where a variable that it takes is not set."""
    redshift = settings.redshift
    if redshift is None:
        raise LoadError("WAREHOUSE_TARGET is redshift, and REDSHIFT_HOST is not set")
    if redshift.staging_url is None:
        raise LoadError(
            "COPY reads from S3: set REDSHIFT_STAGING_URL (s3://bucket/prefix), or have the lake in S3"
        )
    return redshift


def login(redshift: RedshiftSettings) -> tuple[str, str]:
    """User and password: the configured ones, or for a quarter of an hour those that AWS gives for IAM's.

    Which cluster or workgroup, and where, the host's name says. Raises LoadError where it does not, or
    where AWS gives none.
    """
    if redshift.password:
        return redshift.user, redshift.password
    name, *labels = redshift.host.split(".")
    try:
        if labels[-3:-2] == ["redshift-serverless"]:
            given = boto3.client("redshift-serverless", region_name=labels[1]).get_credentials(
                workgroupName=name, dbName=redshift.database
            )
            return given["dbUser"], given["dbPassword"]
        if labels[-3:-2] == ["redshift"]:
            given = boto3.client("redshift", region_name=labels[1]).get_cluster_credentials(
                DbUser=redshift.user, DbName=redshift.database, ClusterIdentifier=name
            )
            return given["DbUser"], given["DbPassword"]
    except (BotoCoreError, ClientError) as error:
        raise LoadError(f"AWS gives no login to {redshift.host}: {error}") from error
    raise LoadError(f"REDSHIFT_PASSWORD is not set, and {redshift.host} is no host of AWS to ask for one")


@contextmanager
def open_pipeline(settings: Settings, source: Source) -> Iterator[dlt.Pipeline]:
    """The source's pipeline into Redshift; nothing is left in the staging folder before it and after it.

    Raises LoadError where settings are missing, LakeError where S3 does not let the folder be emptied.
    """
    redshift = redshift_settings(settings)
    user, password = login(redshift)
    _empty_staging(redshift, source)
    yield dlt.pipeline(
        pipeline_name=source.name,
        destination=dlt.destinations.redshift(
            credentials={
                "host": redshift.host,
                "port": redshift.port,
                "database": redshift.database,
                "username": user,
                "password": password,
                "query": {"sslmode": redshift.sslmode},
            },
            staging_iam_role=redshift.iam_role,
        ),
        staging=dlt.destinations.filesystem(bucket_url=redshift.staging_url),
        dataset_name=source.schema_name,
        pipelines_dir=str(settings.loader_dir),
    )
    _empty_staging(redshift, source)


def _empty_staging(redshift: RedshiftSettings, source: Source) -> None:
    """Remove what was staged, every version of it: rows that leave raw are nowhere else."""
    bucket = Bucket(redshift.staging_url)
    for dataset in (source.schema_name, f"{source.schema_name}_staging"):
        bucket.remove_all(dataset)


def explained(cause: BaseException, settings: Settings) -> LoadError | None:
    """What an error says to an operator, where Redshift cannot be reached or does not let this user."""
    if isinstance(cause, psycopg2.OperationalError):
        return LoadError(f"{settings.warehouse_name}: {cause}".strip())
    if isinstance(cause, psycopg2.errors.InsufficientPrivilege):
        user = settings.redshift.user if settings.redshift else ""
        return LoadError(
            f"{settings.warehouse_name}: {str(cause).strip()}: user {user} lacks a privilege "
            "(docs/redshift.md lists them); nothing of this statement was done, run again once it is granted"
        )
    if isinstance(cause, PermissionError) and settings.redshift:  # how dlt's file system puts it
        return LoadError(
            f"{settings.redshift.staging_url}: {cause}: staging takes s3:PutObject and what else "
            "docs/redshift.md lists; nothing was loaded, run again once it is granted"
        )
    return None


def holds_rows(pipeline: dlt.Pipeline, table: RawTable) -> bool:
    """Whether a raw table holds anything: if not, whatever comes is new to it."""
    with pipeline.sql_client() as client:
        return bool(client.execute_sql(f'select 1 from "{table.name}" limit 1'))


class Session:
    """A session of Redshift for `ingestion/warehouse.py`, whose `Warehouse` says what each method does."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def execute(self, sql: str, *values: Any) -> None:
        """Run a statement; one without values may hold per cent signs."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values or None)

    def rows(self, sql: str, *values: Any) -> list[tuple]:
        """The rows that a query answers."""
        with self._connection.cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchall()

    def batches(self, sql: str, *values: Any) -> Iterator[pa.Table]:
        """The rows that a query answers, by a cursor: else the client would hold them all at once."""
        with self._connection.cursor() as cursor:
            cursor.execute(f"declare answered cursor for {sql}", values)
            is_first = True
            while True:
                cursor.execute(f"fetch forward {FETCHED_AT_ONCE} from answered")
                rows = cursor.fetchall()
                if rows or is_first:
                    yield _table(cursor.description, rows)
                if not rows:
                    break
                is_first = False
            cursor.execute("close answered")

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Changes that are made altogether."""
        self._connection.commit()  # what was read before is no part of it
        with self._connection:
            yield

    def has_table(self, schema: str, name: str) -> bool:
        """Whether there is such a table: information_schema lists those alone that the user may read."""
        return bool(
            self.rows(
                "select 1 from pg_catalog.pg_class as tables "
                "inner join pg_catalog.pg_namespace as schemas on tables.relnamespace = schemas.oid "
                "where schemas.nspname = %s and tables.relname = %s",
                schema,
                name,
            )
        )

    def text_columns(self) -> list[tuple[str, str, str, bool]]:
        """From the catalog, which lists every table, and not those alone that this user may read."""
        return self.rows(
            "select schemas.nspname, tables.relname, columns.attname, not columns.attnotnull "
            "from pg_catalog.pg_attribute as columns "
            "inner join pg_catalog.pg_class as tables on columns.attrelid = tables.oid "
            "inner join pg_catalog.pg_namespace as schemas on tables.relnamespace = schemas.oid "
            "inner join pg_catalog.pg_type as types on columns.atttypid = types.oid "
            "where tables.relkind = 'r' and tables.relowner >= %s and left(schemas.nspname, 3) <> 'pg_' "
            "and columns.attnum > 0 and not columns.attisdropped "
            "and types.typname in ('varchar', 'bpchar', 'text') "
            "order by schemas.nspname, tables.relname, columns.attnum",
            FIRST_USER,
        )


FIRST_USER = 100
"""The number of a cluster's first user: what belongs to a lower one is Redshift's own."""

FETCHED_AT_ONCE = 1_000
"""Rows that a cursor is asked for: a cluster of one node gives no more at once."""

_ARROW_TYPES = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int16(),
    23: pa.int32(),
    701: pa.float64(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
}
"""By the number that PostgreSQL's protocol has for a column's type; all others are fetched as text."""


def _table(description: Sequence[Any], rows: Sequence[tuple]) -> pa.Table:
    schema = pa.schema([(one.name, _ARROW_TYPES.get(one.type_code, pa.string())) for one in description])
    columns = zip(*rows, strict=True) if rows else [[]] * len(schema)
    return pa.table(
        [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)], schema=schema
    )


@contextmanager
def open_session(settings: Settings) -> Iterator[Session]:
    """A session whose days are UTC's. Raises LoadError as `explained` says."""
    redshift = redshift_settings(settings)
    user, password = login(redshift)
    try:
        with closing(
            psycopg2.connect(
                host=redshift.host,
                port=redshift.port,
                dbname=redshift.database,
                user=user,
                password=password,
                sslmode=redshift.sslmode,
            )
        ) as connection:
            session = Session(connection)
            session.execute("set timezone to 'UTC'")
            yield session
    except psycopg2.Error as error:
        told = explained(error, settings)
        if told is None:
            raise
        raise told from error


class LaterRows:
    """The keys in raw that were extracted after some of a package's units, and may not be replaced by them.

    As its namesake for DuckDB, but that Redshift cannot look into Arrow tables: the keys are fetched. There
    are none where units come in the order in which they were extracted.
    """

    def __init__(
        self,
        pipeline: dlt.Pipeline,
        units: Sequence[DoneRecord],
        tables: Mapping[str, RawTable],
    ) -> None:
        self._pipeline, self._oldest, self._tables = pipeline, units[0], tables
        self._keys: dict[str, pa.Table] = {}

    def __enter__(self) -> "LaterRows":
        with self._pipeline.sql_client() as client:
            for name, table in self._tables.items():
                columns = [*table.primary_key, "extracted_at", "lake_unit_id"]
                rows = client.execute_sql(
                    "select "
                    + ", ".join(f'"{column}"' for column in columns)
                    + f' from "{name}" where extracted_at > %s or (extracted_at = %s and lake_unit_id > %s)',
                    self._oldest.extracted_at,
                    self._oldest.extracted_at,
                    self._oldest.unit_id,
                )
                if rows:
                    schema = pa.schema([table.warehouse_schema.field(column) for column in columns])
                    arrays = [
                        pa.array(values, field.type)
                        for values, field in zip(zip(*rows, strict=True), schema, strict=True)
                    ]
                    self._keys[name] = pa.table(arrays, schema=schema)
        return self

    def __exit__(self, *exception: object) -> None:
        self._keys.clear()

    def leave_out(self, table: RawTable, unit: DoneRecord, rows: pa.Table) -> pa.Table:
        """The rows of a unit without those whose key raw holds from a unit extracted later."""
        keys = self._keys.get(table.name)
        if keys is None:
            return rows
        at = pa.scalar(unit.extracted_at, keys["extracted_at"].type)
        is_later = pc.or_(
            pc.greater(keys["extracted_at"], at),
            pc.and_(pc.equal(keys["extracted_at"], at), pc.greater(keys["lake_unit_id"], unit.unit_id)),
        )
        later = keys.filter(is_later).select(table.primary_key)
        found = pa.table(
            [*(_plain(rows[name]) for name in table.primary_key), pa.array(range(rows.num_rows))],
            names=[*table.primary_key, "row_number"],
        ).join(later, keys=list(table.primary_key), join_type="left semi")
        is_current = np.ones(rows.num_rows, bool)
        is_current[found["row_number"].to_numpy()] = False
        return rows.filter(pa.array(is_current))


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column without its dictionary, which joins do not read."""
    return column.cast(column.type.value_type) if pa.types.is_dictionary(column.type) else column
