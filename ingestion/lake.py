"""The lake: Parquet parts and done-records, in a local folder or in S3.

Layout below the lake's root, for each source:

    <source>/<table>/<unit_id>.parquet     a part: the rows of one table from one unit
    <source>/done/<unit_id>.json           the done-record: inputs, rows, sha256 of each part

A unit is what is extracted as a whole. Its id carries a hash of its inputs, so the same
input is the same unit and changed input is another. The done-record is written last: a
part that no done-record names does not exist, and is overwritten by the next attempt.
Nothing here knows what a row means, and nothing here knows the warehouse.
"""

import hashlib
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from ingestion.errors import ConfigError, LakeError
from ingestion.tables import RawTable

BATCH_ROWS = 131_072
"""Rows per Arrow batch handed to the loader: 64k to 250k measured best with dlt."""

ABANDONED_AFTER_SECONDS = 24 * 3600
"""Scratch of a killed extractor is removed once it is this old: longer than a unit takes to write."""


@dataclass(frozen=True)
class Part:
    """One Parquet object of a unit; `path` is relative to the lake's root."""

    table: str
    path: str
    rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class DoneRecord:
    """What a finished unit consists of."""

    source: str
    unit_id: str
    extracted_at: datetime
    code_version: str
    inputs: list[dict]
    parts: list[Part]

    def rows(self, table: str) -> int:
        """Rows of one table in this unit."""
        return sum(part.rows for part in self.parts if part.table == table)

    @property
    def total_rows(self) -> int:
        """Rows of all tables in this unit."""
        return sum(part.rows for part in self.parts)


class Lake:
    """A lake at a URL: a folder path, `file://...` or `s3://bucket/prefix`."""

    def __init__(self, url: str) -> None:
        self.url = shown_url(url)
        if "://" in url:
            try:
                self._fs, self._root = fs.FileSystem.from_uri(url)
            except (pa.ArrowException, ValueError):  # their text quotes the URL, secret and all
                raise ConfigError(f"WAREHOUSE_LAKE_URL cannot be read as a URL: {self.url}") from None
        else:
            self._fs, self._root = fs.LocalFileSystem(), url
        self._root = self._root.rstrip("/")
        self._is_local = isinstance(self._fs, fs.LocalFileSystem)

    def done_unit_ids(self, source: str) -> set[str]:
        """Ids of the finished units of a source."""
        selector = fs.FileSelector(self._path(source, "done"), allow_not_found=True)
        return {
            info.base_name.removesuffix(".json")
            for info in self._fs.get_file_info(selector)
            if info.is_file and info.base_name.endswith(".json")
        }

    def done_record(self, source: str, unit_id: str) -> DoneRecord:
        """The done-record of a finished unit."""
        with self._fs.open_input_stream(self._path(source, "done", f"{unit_id}.json")) as stream:
            record = orjson.loads(stream.read())
        return DoneRecord(
            source=record["source"],
            unit_id=record["unit_id"],
            extracted_at=datetime.fromisoformat(record["extracted_at"]),
            code_version=record["code_version"],
            inputs=record["inputs"],
            parts=[Part(**part) for part in record["parts"]],
        )

    def write_unit(self, source: str, unit_id: str, code_version: str, inputs: list[dict]) -> "UnitWriter":
        """A writer for one unit; leaving it without an error writes the done-record."""
        return UnitWriter(self, source, unit_id, code_version, inputs)

    def read_part(self, part: Part) -> Iterator[pa.RecordBatch]:
        """The rows of a part. Raises LakeError when the bytes are not those its record names."""
        digest = hashlib.sha256()
        for chunk in self._chunks(part):
            digest.update(chunk)
        if digest.hexdigest() != part.sha256:
            raise self.damaged(part)
        with self._fs.open_input_file(self._path(part.path)) as file:
            yield from pq.ParquetFile(file).iter_batches(batch_size=BATCH_ROWS)

    def read_bytes(self, part: Part) -> bytes:
        """The bytes of a part or attached file. Raises LakeError when they are not those its record names."""
        content = b"".join(self._chunks(part))
        if hashlib.sha256(content).hexdigest() != part.sha256:
            raise self.damaged(part)
        return content

    def read_columns(self, part: Part, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Some columns of a part; unchecked, but LakeError where they cannot be read."""
        try:
            with self._fs.open_input_file(self._path(part.path)) as file:
                yield from pq.ParquetFile(file).iter_batches(batch_size=BATCH_ROWS, columns=list(columns))
        except FileNotFoundError as error:
            raise self._missing(part) from error
        except (OSError, pa.ArrowException) as error:
            raise self.damaged(part) from error

    def _chunks(self, part: Part) -> Iterator[bytes]:
        try:
            with self._fs.open_input_stream(self._path(part.path), compression=None) as stream:
                while chunk := stream.read(1 << 20):
                    yield chunk
        except FileNotFoundError as error:
            raise self._missing(part) from error

    def _missing(self, part: Part) -> LakeError:
        return LakeError(f"{part.path} is missing from the lake {self.url}")

    def damaged(self, part: Part) -> LakeError:
        """The error to raise for a part that is not what its record says."""
        source, *_, file_name = part.path.split("/")
        done_record = f"{source}/done/{file_name.partition('.')[0]}.json"
        return LakeError(
            f"{part.path} in the lake {self.url} is not what its done-record names: remove {done_record} "
            "to have the unit extracted again"
        )

    def _path(self, *names: str) -> str:
        return "/".join((self._root, *names))

    def _scratch_dir(self) -> Path:
        """A new folder to write a unit in: in the lake itself where a move from there is a rename."""
        if not self._is_local:
            return Path(tempfile.mkdtemp(prefix="lake-unit-"))
        scratch = Path(self._root) / ".writing"
        scratch.mkdir(parents=True, exist_ok=True)
        for left_behind in scratch.iterdir():
            with suppress(FileNotFoundError):  # another extractor has just finished with it
                if left_behind.stat().st_mtime < time.time() - ABANDONED_AFTER_SECONDS:
                    shutil.rmtree(left_behind, ignore_errors=True)
        return Path(tempfile.mkdtemp(dir=scratch))

    def _put(self, file: Path, path: str) -> None:
        """Bring a finished local file into the lake: readers see the whole of it or nothing."""
        if self._is_local:
            self._fs.create_dir(path.rpartition("/")[0], recursive=True)
            file.replace(path)
        else:
            fs.copy_files(str(file), path, destination_filesystem=self._fs)


class UnitWriter(AbstractContextManager):
    """Writes the parts of one unit as they come; at the end brings them in, the done-record last.

    Memory holds one batch per table, however large the unit.
    """

    def __init__(self, lake: Lake, source: str, unit_id: str, code_version: str, inputs: list[dict]) -> None:
        self._lake, self._source, self._unit_id = lake, source, unit_id
        self._code_version, self._inputs = code_version, inputs
        self._extracted_at = datetime.now(UTC)
        self._scratch = lake._scratch_dir()
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._rows: dict[str, int] = {}
        self._attached: dict[str, bytes] = {}

    def write(self, table: RawTable, batch: pa.Table) -> None:
        """Add rows to the unit's part of a table. Raises ValueError or ArrowInvalid for other columns."""
        name = table.name
        if name not in self._writers:
            self._writers[name] = pq.ParquetWriter(
                self._scratch / name, table.schema, compression="zstd", compression_level=1
            )
            self._rows[name] = 0
        self._writers[name].write_table(batch.cast(table.schema))
        self._rows[name] += batch.num_rows

    def attach(self, path: str, content: bytes) -> None:
        """Add a file that is no part of a table; `path` is below the source's folder. It has no rows."""
        self._attached[path] = content

    def __exit__(self, kind, error, traceback) -> None:
        try:
            for writer in self._writers.values():
                writer.close()
            if error is None:
                self._finish()
        finally:
            shutil.rmtree(self._scratch)

    def _finish(self) -> None:
        parts = []
        for table, rows in self._rows.items():
            file = self._scratch / table
            with file.open("rb") as content:
                sha256 = hashlib.file_digest(content, "sha256").hexdigest()
            path = f"{self._source}/{table}/{self._unit_id}.parquet"
            parts.append(Part(table, path, rows, file.stat().st_size, sha256))
            self._lake._put(file, self._lake._path(path))
        for name, content in self._attached.items():
            path = f"{self._source}/{name}"
            file = self._scratch / "attached"
            file.write_bytes(content)
            parts.append(Part("", path, 0, len(content), hashlib.sha256(content).hexdigest()))
            self._lake._put(file, self._lake._path(path))
        record = DoneRecord(
            self._source, self._unit_id, self._extracted_at, self._code_version, self._inputs, parts
        )
        file = self._scratch / "done"
        file.write_bytes(orjson.dumps(record))
        self._lake._put(file, self._lake._path(self._source, "done", f"{self._unit_id}.json"))


def shown_url(url: str) -> str:
    """A lake's URL as it may be shown: without the key, the secret and the options it can hold."""
    scheme, separator, rest = url.partition("://")
    if not separator:
        return url
    return f"{scheme}://{rest.partition('?')[0].rpartition('@')[2]}"


def unit_id(source: str, reader_version: int, inputs: Mapping | list) -> str:
    """The id of the unit that these inputs (anything JSON can say) make, 24 hex digits."""
    content = orjson.dumps([source, reader_version, inputs], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=12).hexdigest()
