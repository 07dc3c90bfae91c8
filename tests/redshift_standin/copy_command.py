"""COPY from S3: Parquet by the position of its columns, JSON lines by their names, from moto's server.

The rows go through a CSV file that PostgreSQL reads, so that a COPY stays one statement in the
client's transaction. Redshift's rules: credentials or a role, as many columns as the table has, and
the types that its columns ask for.
"""

import gzip
import json
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

from dbt_project.lint.redshift.tokens import Token, qualified_name
from tests.redshift_standin.errors import CopyFailed, NotRecognised

_ROLE = re.compile(r"arn:aws:iam::\d{12}:role/[\w+=,.@/-]+")
_CREDENTIALS = re.compile(r"aws_access_key_id=[^;]+;aws_secret_access_key=[^;]+(;token=[^;]+)?")


@dataclass(frozen=True)
class CopyCommand:
    """COPY of the objects below an S3 address into a table."""

    table: tuple[str, ...]
    bucket: str
    prefix: str
    is_parquet: bool
    is_gzipped: bool


def parse_copy(tokens: Sequence[Token]) -> CopyCommand:
    """What a COPY asks for. Raises NotRecognised for other formats and options than the loader's."""
    table, place = qualified_name(tokens, 1)
    if not tokens[place].is_word("from") or tokens[place + 1].kind != "string":
        raise NotRecognised("COPY other than COPY table FROM 's3://...'")
    address = _content(tokens[place + 1])
    match = re.fullmatch(r"s3://([^/]+)/(.+)", address)
    if match is None:
        raise NotRecognised(f"COPY FROM {address!r}: only s3://bucket/key is translated")
    formats, is_gzipped, is_authorised = [], False, False
    place += 2
    while place < len(tokens):
        word = tokens[place].key
        argument = tokens[place + 1] if place + 1 < len(tokens) else Token("symbol", "")
        if word in ("format", "as"):
            place += 1
        elif word == "parquet":
            formats.append(word)
            place += 1
        elif word == "gzip":
            is_gzipped = True
            place += 1
        elif word in ("json", "dateformat", "timeformat", "region"):
            if word != "region" and argument.text != "'auto'":
                raise NotRecognised(f"COPY ... {word.upper()} {argument.text}")
            if word == "json":
                formats.append(word)
            place += 2
        elif word in ("iam_role", "credentials"):
            pattern = _ROLE if word == "iam_role" else _CREDENTIALS
            is_default_role = word == "iam_role" and argument.is_word("default")
            if not is_default_role and not pattern.fullmatch(_content(argument)):
                raise CopyFailed(f"COPY: {word.upper()} is not of the form that Redshift takes")
            is_authorised = True
            place += 2
        elif word == "maxerror" and argument.text == "0":
            place += 2
        else:
            raise NotRecognised(f"COPY ... {tokens[place].text}")
    if len(formats) != 1:
        raise NotRecognised("COPY of another format than PARQUET or JSON 'auto'")
    if not is_authorised:
        raise CopyFailed("COPY needs IAM_ROLE or CREDENTIALS")
    return CopyCommand(table, match[1], match[2], formats == ["parquet"], is_gzipped)


def _content(string: Token) -> str:
    return string.text[1:-1].replace("''", "'")


def read_rows(command: CopyCommand, columns: Sequence[tuple[str, str]], s3: Any) -> pa.Table:
    """The rows of every object whose key starts with the prefix, in the order of the table's columns.

    `columns` are the table's names and types. Raises CopyFailed where Redshift would.
    """
    listed = s3.list_objects_v2(Bucket=command.bucket, Prefix=command.prefix)
    keys = [item["Key"] for item in listed.get("Contents", [])]
    if not keys:
        raise CopyFailed(f"The specified S3 prefix '{command.prefix}' does not exist")
    read = _read_parquet if command.is_parquet else _read_json
    return pa.concat_tables(
        read(s3.get_object(Bucket=command.bucket, Key=key)["Body"].read(), command, columns, key)
        for key in keys
    )


def _read_parquet(body: bytes, _: CopyCommand, columns: Sequence[tuple[str, str]], key: str) -> pa.Table:
    rows = _without_dictionaries(pyarrow.parquet.read_table(pa.BufferReader(body)))
    if rows.num_columns != len(columns):
        raise CopyFailed(
            f"Unmatched number of columns between table and file. Table columns: {len(columns)}, "
            f"Data columns: {rows.num_columns}, File name: {key}"
        )
    for (name, type_), field in zip(columns, rows.schema, strict=True):
        if not _fits(field.type, type_):
            raise CopyFailed(
                f"file {key} has an incompatible Parquet schema for column {name!r}. "
                f"Column type: {type_}, Parquet: {field.type}"
            )
    return rows.rename_columns([name for name, _ in columns])


def _read_json(body: bytes, command: CopyCommand, columns: Sequence[tuple[str, str]], _: str) -> pa.Table:
    """JSON 'auto': a line's values by the columns' names. PostgreSQL reads them as texts."""
    text = gzip.decompress(body) if command.is_gzipped else body
    lines = [json.loads(line) for line in text.splitlines() if line.strip()]
    rows = [{name: _json_text(line.get(name)) for name, _ in columns} for line in lines]
    return pa.Table.from_pylist(rows, schema=pa.schema([(name, pa.string()) for name, _ in columns]))


def _json_text(value: Any) -> str | None:
    return value if value is None or isinstance(value, str) else json.dumps(value)


def _without_dictionaries(rows: pa.Table) -> pa.Table:
    """The rows as any reader of Parquet sees them: dictionaries are Arrow's own note on its writing."""
    fields = [
        field.with_type(field.type.value_type) if pa.types.is_dictionary(field.type) else field
        for field in rows.schema
    ]
    return rows.cast(pa.schema(fields))


def _fits(parquet: pa.DataType, column: str) -> bool:
    """Whether a Parquet type goes into a column: COPY converts nothing."""
    match column.split("(")[0]:
        case "character varying" | "character":
            return pa.types.is_string(parquet) or pa.types.is_large_string(parquet)
        case "smallint":
            return pa.types.is_int16(parquet)
        case "integer":
            return pa.types.is_int32(parquet)
        case "bigint":
            return pa.types.is_int64(parquet)
        case "real":
            return pa.types.is_float32(parquet)
        case "double precision":
            return pa.types.is_float64(parquet)
        case "boolean":
            return pa.types.is_boolean(parquet)
        case "date":
            return pa.types.is_date32(parquet)
        case "numeric":
            return pa.types.is_decimal128(parquet)
        case "timestamp with time zone" | "timestamp without time zone":
            return pa.types.is_timestamp(parquet)
        case _:
            return False


def write_csv(rows: pa.Table, folder: Path) -> Path:
    """The rows as a file that PostgreSQL's own COPY reads: NULL is nothing, an empty text is quoted."""
    with tempfile.NamedTemporaryFile(dir=folder, suffix=".csv", delete=False) as file:
        pyarrow.csv.write_csv(rows, file, pyarrow.csv.WriteOptions(include_header=False))
    path = Path(file.name)
    path.chmod(0o644)
    return path


def copy_from_csv(command: CopyCommand, path: Path) -> str:
    """The statement that takes the place of the COPY."""
    name = ".".join('"' + part.replace('"', '""') + '"' for part in command.table)
    return f"copy {name} from '{path.parent.name}/{path.name}' (format csv)"


def s3_client(endpoint: str) -> Any:
    """A client of moto's server."""
    return boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id="stand-in",
        aws_secret_access_key="stand-in",
        region_name="us-east-1",
    )
