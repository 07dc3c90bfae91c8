"""Text files a block at a time: opening them, packed or not, and cutting them into numbered lines.

Knows encodings and archives, and nothing of what a line means.
"""

import bz2
import gzip
import lzma
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pyarrow as pa
import pyarrow.compute as pc

from ingestion.inputs import UnreadableInputError

BLOCK_BYTES = 8 * 2**20
"""Read at a time: about 130,000 lines of train_triplets.txt, as many as a batch for the loader has."""

PIECE_BYTES = 2**18
"""Asked for at a time: what a damaged file holds before the damage is then not lost with the whole block."""

MAX_LINE_BYTES = 2**20
"""A longer line is no line of a side file; without a limit a file without line ends would fill the memory."""

WRITTEN_SEPARATOR, SEPARATOR = b"<SEP>", "\x1f"
"""What the publishers write between fields, and the one character that a pattern can exclude in its place."""

GZIP_MAGIC, BZIP2_MAGIC, ZIP_MAGIC = b"\x1f\x8b", b"BZh", b"PK"

PACKED = (GZIP_MAGIC, BZIP2_MAGIC, ZIP_MAGIC)
"""How the packed files begin that are read without being unpacked."""

BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, NotImplementedError)
"""What reading a damaged, encrypted or strangely packed file raises."""

_ENCRYPTED = 0x1
_UTF8_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True)
class Lines:
    """Some lines of a file, without their ends, SEPARATOR between the fields.

    `first_number` is that of the first line, from 1. Lines that are not UTF-8 are NULL in `texts`;
    `undecodable` has them by their places (from 0), with U+FFFD for what is no character.
    """

    first_number: int
    texts: pa.Array
    undecodable: dict[int, str] = field(default_factory=dict)


@contextmanager
def open_content(path: Path) -> Iterator[tuple[str, BinaryIO]]:
    """The name and the bytes of a file, or of the one file packed in a gzip, bzip2 or zip.

    Raises UnreadableInputError for a zip of several files or with a password, and what BROKEN
    names where the bytes are damaged.
    """
    with path.open("rb") as file:
        magic = file.read(max(map(len, PACKED)))
        file.seek(0)
        if magic.startswith(GZIP_MAGIC):
            with gzip.open(file) as content:
                yield path.stem, content
        elif magic.startswith(BZIP2_MAGIC):
            with bz2.open(file) as content:
                yield path.stem, content
        elif magic.startswith(ZIP_MAGIC):
            with zipfile.ZipFile(file) as archive, archive.open(_only_member(archive)) as content:
                yield PurePosixPath(content.name).name, content
        else:
            yield path.name, file


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not any(part.startswith((".", "__MACOSX")) for part in PurePosixPath(member.filename).parts)
    ]
    if len(members) != 1:
        raise UnreadableInputError("several_files", f"{len(members)} files in the zip, not one: unpack it")
    if members[0].flag_bits & _ENCRYPTED:
        raise UnreadableInputError("encrypted_zip", "a password is needed to read it")
    return members[0]


def read_lines(content: BinaryIO) -> Iterator[Lines]:
    """All lines of a text, a block at a time.

    Raises UnreadableInputError `line_too_long`.
    """
    number = 1
    for block in _whole_lines(content):
        if number == 1:
            block = block.removeprefix(_UTF8_BOM)
        lines = _cut(block, number)
        number += len(lines.texts)
        yield lines


def _whole_lines(content: BinaryIO) -> Iterator[bytes]:
    """The bytes in blocks that end where a line ends."""
    rest = b""
    for block in _blocks(content):
        whole, end, begun = block.rpartition(b"\n")
        if end:
            yield rest + whole + end
            rest = begun
        else:
            rest += block
        if len(rest) > MAX_LINE_BYTES:
            raise UnreadableInputError("line_too_long", f"a line of more than {MAX_LINE_BYTES:,} bytes")
    if rest:
        yield rest


def _blocks(content: BinaryIO) -> Iterator[bytes]:
    """The bytes in blocks of BLOCK_BYTES; where they cannot be read on, first those that came before."""
    while True:
        pieces, wanted = [], BLOCK_BYTES
        try:
            while wanted and (piece := content.read1(min(wanted, PIECE_BYTES))):
                pieces.append(piece)
                wanted -= len(piece)
        except BROKEN:
            if pieces:
                yield b"".join(pieces)
            raise
        if not pieces:
            return
        yield b"".join(pieces)


def _cut(block: bytes, number: int) -> Lines:
    block = block.removesuffix(b"\n").replace(WRITTEN_SEPARATOR, SEPARATOR.encode())
    undecodable = {}
    try:
        texts = pc.split_pattern(pa.array([block.decode()]), "\n").flatten()
    except UnicodeDecodeError:
        lines = block.split(b"\n")
        decoded = [_decoded(line) for line in lines]
        texts = pa.array(decoded, pa.string())
        undecodable = {
            place: lines[place].decode(errors="replace").rstrip("\r")
            for place, text in enumerate(decoded)
            if text is None
        }
    if b"\r" in block:
        texts = pc.utf8_rtrim(texts, "\r")
    return Lines(number, texts, undecodable)


def _decoded(line: bytes) -> str | None:
    try:
        return line.decode()
    except UnicodeDecodeError:
        return None
