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
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from ingestion.errors import LakeError
from ingestion.stores import SCRATCH, shown_url, store_at
from ingestion.tables import RawTable

BATCH_ROWS = 131_072
"""Rows per Arrow batch handed to the loader: 64k to 250k measured best with dlt."""

PARTITIONS = 16
"""Folders of a partitioned table: with the dataset's 2,000 units, 125 files of some 45 MB in each."""


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
        self._store = store_at(url)

    def done_unit_ids(self, source: str) -> set[str]:
        """Ids of the finished units of a source."""
        return set(self._revisions(source))

    def current_revisions(self, source: str) -> dict[str, int]:
        """The finished units of a source: by id, the revision that counts."""
        return {unit_id: max(revisions) for unit_id, revisions in self._revisions(source).items()}

    def units_with(self, source: str, table: str) -> dict[str, int]:
        """The finished units that have rows of a table: by id, the revision that counts."""
        names = {path.rpartition("/")[2] for path in self._store.files_below(f"{source}/{table}")}
        return {
            unit_id: revision
            for unit_id, revision in self.current_revisions(source).items()
            if f"{revision_name(unit_id, revision)}.parquet" in names
        }

    def done_record(self, source: str, unit_id: str, revision: int | None = None) -> DoneRecord:
        """The done-record of a finished unit; by default, at the price of a listing, the one that counts."""
        if revision is None:
            revision = self.current_revisions(source).get(unit_id, 0)
        record = orjson.loads(self._store.read(_done_path(source, unit_id, revision)))
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
        the earlier revision names. Raises LakeError where there is such a revision, and a listing lacked it.
        """
        self._require_unfinished(unit.source, unit.unit_id, unit.revision + 1)
        return UnitWriter(self, replace(unit, parts=[], revision=unit.revision + 1, **changes), unit)

    def remove_superseded(self, source: str) -> None:
        """Remove what rewritings that were cut short have left: files that no revision that counts names.

        What a listing does not show may be there all the same: whether a revision is finished is asked for
        by the name of its done-record before anything of it is removed.
        """
        revisions = self._revisions(source)
        named = set()
        for unit in self.done_records(source):
            named |= {_done_path(source, unit.unit_id, unit.revision)}
            named |= {part.path for part in unit.parts}
        left = [path for path in self._store.files_below(source) if path not in named]
        left = [path for path in left if _unit_id(path) in revisions]
        for path in left:
            if _revision(path) > max(revisions[_unit_id(path)]):
                self._require_unfinished(source, _unit_id(path), _revision(path))
        # Done-records go last: while they are there it can be seen that something has been left.
        self._store.remove(sorted(left, key=lambda path: path.endswith(".json")))

    def remove_old_versions(self, source: str) -> None:
        """Remove every version of an object but the current one, where a bucket keeps versions."""
        self._store.remove_old_versions(source)

    def remove_unfinished(self, source: str, before: datetime) -> int:
        """Remove the files of units that never became finished and were last written to before then.

        Gives the number of such files that stay because they are younger, scratch included. As above, a
        done-record is asked for by its name before it is taken for missing.
        """
        finished = self._revisions(source)
        left = {
            path: at
            for path, at in self._store.files_below(source).items()
            if _unit_id(path) not in finished
            and not self._store.has(_done_path(source, _unit_id(path), _revision(path)))
        }
        left |= self._store.files_below(SCRATCH)
        old = [path for path, at in left.items() if at < before]
        self._store.remove(old)
        return len(left) - len(old)

    def keep_once(self, name: str, text: str) -> str:
        """The text of a file at the lake's root, which is written where it is not there yet."""
        kept = self.kept(name)
        if kept is not None:
            return kept
        scratch = self._store.scratch_dir()
        (scratch / name).write_text(text)
        self._store.put(scratch / name, name)
        shutil.rmtree(scratch)
        return text

    def kept(self, name: str) -> str | None:
        """The text of a file at the lake's root; None where it is not there."""
        try:
            return self._store.read(name).decode()
        except FileNotFoundError:
            return None

    def read_part(self, part: Part, as_dictionaries: bool = False) -> Iterator[pa.RecordBatch]:
        """The rows of a part. Raises LakeError when the bytes are not those its record names.

        As dictionaries text columns are less work and memory: each text is there once.
        """
        try:
            with self._store.local(part.path) as path, pa.OSFile(str(path)) as file:
                with path.open("rb") as content:
                    if hashlib.file_digest(content, "sha256").hexdigest() != part.sha256:
                        raise self.damaged(part)
                parquet = pq.ParquetFile(file)
                if as_dictionaries:
                    names = [field.name for field in parquet.schema_arrow if pa.types.is_string(field.type)]
                    parquet = pq.ParquetFile(file, metadata=parquet.metadata, read_dictionary=names)
                yield from parquet.iter_batches(batch_size=BATCH_ROWS)
        except FileNotFoundError as error:
            raise self._missing(part) from error

    def read_bytes(self, part: Part) -> bytes:
        """The bytes of a part or attached file. Raises LakeError when they are not those its record names."""
        try:
            content = self._store.read(part.path)
        except FileNotFoundError as error:
            raise self._missing(part) from error
        if hashlib.sha256(content).hexdigest() != part.sha256:
            raise self.damaged(part)
        return content

    def read_columns(self, part: Part, columns: Sequence[str]) -> Iterator[pa.RecordBatch]:
        """Some columns of a part; unchecked, but LakeError where they cannot be read."""
        try:
            with self._store.ranges(part.path) as file:
                yield from pq.ParquetFile(file).iter_batches(batch_size=BATCH_ROWS, columns=list(columns))
        except FileNotFoundError as error:
            raise self._missing(part) from error
        except (OSError, pa.ArrowException) as error:
            raise self.damaged(part) from error

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

    def _require_unfinished(self, source: str, unit_id: str, revision: int) -> None:
        record = _done_path(source, unit_id, revision)
        if self._store.has(record):
            raise LakeError(
                f"the lake {self.url} was listed without {record}, which is there: the listing is not up to "
                "date; nothing was removed, run again"
            )

    def _revisions(self, source: str) -> dict[str, list[int]]:
        """The revisions of each finished unit; more than one where a rewriting was cut short."""
        found = defaultdict(list)
        for path in self._store.files_below(f"{source}/done"):
            name = path.rpartition("/")[2]
            if name.endswith(".json"):
                unit_id, _, revision = name.removesuffix(".json").partition(".")
                found[unit_id].append(int(revision or 0))
        return found

    def _remove_replaced(self, earlier: DoneRecord, latest: DoneRecord) -> None:
        """Remove a revision that another has taken the place of, its done-record last."""
        kept = {part.path for part in latest.parts}
        self._store.remove(part.path for part in earlier.parts if part.path not in kept)
        self._store.remove([_done_path(earlier.source, earlier.unit_id, earlier.revision)])


class UnitWriter(AbstractContextManager):
    """Writes the parts of one unit as they come; at the end brings them in, the done-record last.

    Memory holds one batch per table, however large the unit. `name` is what the unit's files are
    called; `earlier` is the revision that this one takes the place of.
    """

    def __init__(self, lake: Lake, record: DoneRecord, earlier: DoneRecord | None = None) -> None:
        self._lake, self._record, self._earlier = lake, record, earlier
        self.name = record.name
        self._scratch = lake._store.scratch_dir()
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
            lake._store.remove(path for _, path, _ in files)
        parts = list(self._kept)
        for table, path, file in files:
            with file.open("rb") as content:
                sha256 = hashlib.file_digest(content, "sha256").hexdigest()
            parts.append(Part(table, path, self._rows.get(table, 0), file.stat().st_size, sha256))
            lake._store.put(file, path)
        record = replace(self._record, parts=parts)
        file = self._scratch / "done"
        file.write_bytes(orjson.dumps(record))
        lake._store.put(file, _done_path(source, record.unit_id, record.revision))
        if self._earlier is not None:
            lake._remove_replaced(self._earlier, record)


def _unit_id(path: str) -> str:
    """The id of the unit that a file in the lake belongs to."""
    return path.rpartition("/")[2].partition(".")[0]


def _revision(path: str) -> int:
    """The revision that a file in the lake belongs to: `<unit_id>[.<revision>].<suffixes>`."""
    revision = path.rpartition("/")[2].partition(".")[2].partition(".")[0]
    return int(revision) if revision.isdigit() else 0


def _done_path(source: str, unit_id: str, revision: int) -> str:
    return f"{source}/done/{revision_name(unit_id, revision)}.json"


def revision_name(unit_id: str, revision: int) -> str:
    """What the files of a unit's revision are called: the unit's id, and which revision if not the first."""
    return f"{unit_id}.{revision}" if revision else unit_id


def unit_id(source: str, reader_version: int, inputs: Mapping | list) -> str:
    """The id of the unit that these inputs (anything JSON can say) make, 24 hex digits."""
    content = orjson.dumps([source, reader_version, inputs], option=orjson.OPT_SORT_KEYS)
    return hashlib.blake2b(content, digest_size=12).hexdigest()
