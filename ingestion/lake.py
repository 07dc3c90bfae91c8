"""The lake: Parquet parts and done-records, in a local folder or in S3.

Layout below the lake's root, for each source:

    <source>/<table>/<unit_id>.parquet     a part: the rows of one table from one unit; where a table is
                                           partitioned, in a folder `shard=N` below it
    <source>/done/<unit_id>.json           the done-record: inputs, rows, sha256 of each part

and beside the sources' folders what is said of the lake as a whole (`hash_key.py`).

A unit is what is extracted as a whole. Its id carries a hash of its inputs, so the same
input is the same unit and changed input is another. The done-record is written last: a
part that no done-record names does not exist, and is overwritten by the next attempt.

A unit can be rewritten: its next revision has the same id and time, and files of its own named
`<unit_id>.<revision>`. The highest revision counts; once its done-record is there, the files of the
earlier one go, in S3 with all versions of them.

Nothing here knows what a row means, and nothing here knows the warehouse.
"""

import hashlib
import shutil
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import fs

from ingestion.errors import ConfigError, LakeError
from ingestion.object_versions import remove_all_versions, remove_noncurrent_versions, s3_client
from ingestion.tables import RawTable

BATCH_ROWS = 131_072
"""Rows per Arrow batch handed to the loader: 64k to 250k measured best with dlt."""

ABANDONED_AFTER_SECONDS = 24 * 3600
"""Scratch of a killed extractor is removed once it is this old: longer than a unit takes to write."""


PARTITIONS = 16
"""Folders of a partitioned table: with the dataset's 2,000 units, 125 files of some 45 MB in each."""

SCRATCH = ".writing"
"""Below a local lake's root: where units are written before their files are moved into place."""


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
    revision: int = 0

    @property
    def name(self) -> str:
        """What this revision's files are called; no two revisions share a name."""
        return revision_name(self.unit_id, self.revision)

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
        self._secret_url = url
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
        return set(self._revisions(source))

    def current_revisions(self, source: str) -> dict[str, int]:
        """The finished units of a source: by id, the revision that counts."""
        return {unit_id: max(revisions) for unit_id, revisions in self._revisions(source).items()}

    def units_with(self, source: str, table: str) -> dict[str, int]:
        """The finished units that have rows of a table: by id, the revision that counts."""
        names = {path.rpartition("/")[2] for path in self._files_below(self._path(source, table))}
        return {
            unit_id: revision
            for unit_id, revision in self.current_revisions(source).items()
            if f"{revision_name(unit_id, revision)}.parquet" in names
        }

    def done_record(self, source: str, unit_id: str, revision: int | None = None) -> DoneRecord:
        """The done-record of a finished unit; by default, at the price of a listing, the one that counts."""
        if revision is None:
            revision = self.current_revisions(source).get(unit_id, 0)
        with self._fs.open_input_stream(self._done_path(source, unit_id, revision)) as stream:
            record = orjson.loads(stream.read())
        return DoneRecord(
            **{
                **record,
                "extracted_at": datetime.fromisoformat(record["extracted_at"]),
                "parts": [Part(**part) for part in record["parts"]],
            }
        )

    def done_records(self, source: str) -> Iterator[DoneRecord]:
        """The done-records that count, in the order of the units' ids."""
        for unit_id, revision in sorted(self.current_revisions(source).items()):
            yield self.done_record(source, unit_id, revision)

    def write_unit(self, source: str, unit_id: str, code_version: str, inputs: list[dict]) -> "UnitWriter":
        """A writer for one unit; leaving it without an error writes the done-record."""
        return UnitWriter(self, DoneRecord(source, unit_id, datetime.now(UTC), code_version, inputs, []))

    def rewrite_unit(self, unit: DoneRecord, **changes) -> "UnitWriter":
        """A writer for the unit's next revision, `changes` being those of its done-record.

        Leaving it without an error writes the done-record, and then removes the files that only
        the earlier revision names.
        """
        return UnitWriter(self, replace(unit, parts=[], revision=unit.revision + 1, **changes), unit)

    def remove_superseded(self, source: str) -> None:
        """Remove what rewritings that were cut short have left: files that no revision that counts names."""
        revisions = self._revisions(source)
        named = set()
        for unit in self.done_records(source):
            named |= {self._done_path(source, unit.unit_id, unit.revision)}
            named |= {self._path(part.path) for part in unit.parts}
        left = [path for path in self._files(source) if path not in named and _unit_id(path) in revisions]
        # Done-records go last: while they are there it can be seen that something has been left.
        self._remove(sorted(left, key=lambda path: path.endswith(".json")))

    def remove_old_versions(self, source: str) -> None:
        """Remove every version of an object but the current one, where a bucket keeps versions."""
        if self._fs.type_name == "s3":
            bucket, _, prefix = self._path(source, "").partition("/")
            remove_noncurrent_versions(self._s3, bucket, prefix)

    def remove_unfinished(self, source: str, before: datetime) -> int:
        """Remove the files of units that never became finished and were last written to before then.

        Gives the number of such files that stay because they are younger, scratch included.
        """
        finished = self._revisions(source)
        left = {path: at for path, at in self._files(source).items() if _unit_id(path) not in finished}
        if self._is_local:
            left |= self._files_below(self._path(SCRATCH))
        old = [path for path, at in left.items() if at < before]
        self._remove(old)
        return len(left) - len(old)

    def keep_once(self, name: str, text: str) -> str:
        """The text of a file at the lake's root, which is written where it is not there yet."""
        path = self._path(name)
        try:
            with self._fs.open_input_stream(path) as stream:
                return stream.read().decode()
        except FileNotFoundError:
            scratch = self._scratch_dir()
            (scratch / name).write_text(text)
            self._put(scratch / name, path)
            shutil.rmtree(scratch)
            return text

    def read_part(self, part: Part, as_dictionaries: bool = False) -> Iterator[pa.RecordBatch]:
        """The rows of a part. Raises LakeError when the bytes are not those its record names.

        As dictionaries text columns are less work and memory: each text is there once.
        """
        digest = hashlib.sha256()
        for chunk in self._chunks(part):
            digest.update(chunk)
        if digest.hexdigest() != part.sha256:
            raise self.damaged(part)
        with self._fs.open_input_file(self._path(part.path)) as file:
            parquet = pq.ParquetFile(file)
            if as_dictionaries:
                names = [field.name for field in parquet.schema_arrow if pa.types.is_string(field.type)]
                parquet = pq.ParquetFile(file, metadata=parquet.metadata, read_dictionary=names)
            yield from parquet.iter_batches(batch_size=BATCH_ROWS)

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
        done_record = f"{source}/done/{file_name.removesuffix('.parquet').removesuffix('.jsonl.zst')}.json"
        return LakeError(
            f"{part.path} in the lake {self.url} is not what its done-record names: remove {done_record} "
            "to have the unit extracted again"
        )

    def _path(self, *names: str) -> str:
        return "/".join((self._root, *names))

    def _done_path(self, source: str, unit_id: str, revision: int) -> str:
        return self._path(source, "done", f"{revision_name(unit_id, revision)}.json")

    def _revisions(self, source: str) -> dict[str, list[int]]:
        """The revisions of each finished unit; more than one where a rewriting was cut short."""
        found = defaultdict(list)
        for path in self._files_below(self._path(source, "done")):
            name = path.rpartition("/")[2]
            if name.endswith(".json"):
                unit_id, _, revision = name.removesuffix(".json").partition(".")
                found[unit_id].append(int(revision or 0))
        return found

    def _files(self, source: str) -> dict[str, datetime]:
        return self._files_below(self._path(source))

    def _files_below(self, folder: str) -> dict[str, datetime]:
        """The files below a folder, and when each was last written to."""
        selector = fs.FileSelector(folder, recursive=True, allow_not_found=True)
        return {info.path: info.mtime for info in self._fs.get_file_info(selector) if info.is_file}

    @cached_property
    def _s3(self) -> Any:
        return s3_client(self._secret_url)

    def _remove_replaced(self, earlier: DoneRecord, latest: DoneRecord) -> None:
        """Remove a revision that another has taken the place of, its done-record last."""
        kept = {part.path for part in latest.parts}
        self._remove(self._path(part.path) for part in earlier.parts if part.path not in kept)
        self._remove([self._done_path(earlier.source, earlier.unit_id, earlier.revision)])

    def _remove(self, paths: Iterable[str]) -> None:
        """Remove files; those that are not there are passed over."""
        if self._fs.type_name == "s3":
            if paths := list(paths):
                bucket = paths[0].partition("/")[0]
                keys = [path.partition("/")[2] for path in paths]
                remove_all_versions(self._s3, bucket, keys)
            return
        for path in paths:
            with suppress(FileNotFoundError):
                self._fs.delete_file(path)

    def _scratch_dir(self) -> Path:
        """A new folder to write a unit in: in the lake itself where a move from there is a rename."""
        if not self._is_local:
            return Path(tempfile.mkdtemp(prefix="lake-unit-"))
        scratch = Path(self._root) / SCRATCH
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

    Memory holds one batch per table, however large the unit. `name` is what the unit's files are
    called; `earlier` is the revision that this one takes the place of.
    """

    def __init__(self, lake: Lake, record: DoneRecord, earlier: DoneRecord | None = None) -> None:
        self._lake, self._record, self._earlier = lake, record, earlier
        self.name = record.name
        self._scratch = lake._scratch_dir()
        self._tables: dict[str, RawTable] = {}
        self._writers: dict[str, pq.ParquetWriter] = {}
        self._rows: dict[str, int] = {}
        self._kept: list[Part] = []
        self._attached: dict[str, bytes] = {}

    def write(self, table: RawTable, batch: pa.Table) -> None:
        """Add rows to the unit's part of a table. Raises ValueError or ArrowInvalid for other columns."""
        name = table.name
        if name not in self._writers:
            self._tables[name] = table
            self._writers[name] = pq.ParquetWriter(
                self._scratch / name,
                table.schema,
                compression="zstd",
                compression_level=1,
                use_dictionary=not table.split_bytes,
                use_byte_stream_split=list(table.split_bytes),
            )
            self._rows[name] = 0
        self._writers[name].write_table(batch.cast(table.schema))
        self._rows[name] += batch.num_rows

    def keep(self, part: Part) -> None:
        """Take over a part or an attached file of the earlier revision as it is."""
        self._kept.append(part)

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

    def _folder(self, table: RawTable) -> str:
        if not table.is_partitioned:
            return table.name
        return f"{table.name}/shard={int(self._record.unit_id, 16) % PARTITIONS:02}"

    def _finish(self) -> None:
        source, lake = self._record.source, self._lake
        files = [
            (name, f"{source}/{self._folder(table)}/{self.name}.parquet", self._scratch / name)
            for name, table in self._tables.items()
        ]
        for number, (name, content) in enumerate(self._attached.items()):
            file = self._scratch / f".attached-{number}"
            file.write_bytes(content)
            files.append(("", f"{source}/{name}", file))
        if self._earlier is not None:  # an attempt that was cut short may have left versions of them
            lake._remove([lake._path(path) for _, path, _ in files])
        parts = list(self._kept)
        for table, path, file in files:
            with file.open("rb") as content:
                sha256 = hashlib.file_digest(content, "sha256").hexdigest()
            parts.append(Part(table, path, self._rows.get(table, 0), file.stat().st_size, sha256))
            lake._put(file, lake._path(path))
        record = replace(self._record, parts=parts)
        file = self._scratch / "done"
        file.write_bytes(orjson.dumps(record))
        lake._put(file, lake._done_path(source, record.unit_id, record.revision))
        if self._earlier is not None:
            lake._remove_replaced(self._earlier, record)


def _unit_id(path: str) -> str:
    """The id of the unit that a file in the lake belongs to."""
    return path.rpartition("/")[2].partition(".")[0]


def revision_name(unit_id: str, revision: int) -> str:
    """What the files of a unit's revision are called: the unit's id, and which revision if not the first."""
    return f"{unit_id}.{revision}" if revision else unit_id


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
