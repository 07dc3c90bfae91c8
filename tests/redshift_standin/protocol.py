"""Messages of the PostgreSQL protocol, version 3, which Redshift speaks too."""

import asyncio
import struct
from collections.abc import Mapping

PROTOCOL_3 = 196_608
CANCEL_REQUEST, SSL_REQUEST, GSS_REQUEST = 80_877_102, 80_877_103, 80_877_104

TEXT_OID, VARCHAR_OID = 25, 1043


def message(kind: bytes, body: bytes = b"") -> bytes:
    """A message with its kind and length; the start-up messages have no kind."""
    return kind + struct.pack("!I", len(body) + 4) + body


async def read_message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    """The next message's kind and body. Raises IncompleteReadError at the end of the stream."""
    header = await reader.readexactly(5)
    (length,) = struct.unpack("!I", header[1:])
    return header[:1], await reader.readexactly(length - 4)


async def read_startup(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """The code and body of a start-up message."""
    length, code = struct.unpack("!II", await reader.readexactly(8))
    return code, await reader.readexactly(length - 8)


def startup_parameters(body: bytes) -> dict[str, str]:
    """The parameters that a client starts a session with."""
    texts = body.rstrip(b"\0").decode().split("\0")
    return dict(zip(texts[::2], texts[1::2], strict=False))


def startup_message(parameters: Mapping[str, str]) -> bytes:
    """The message that starts a session with these parameters."""
    texts = "".join(f"{name}\0{value}\0" for name, value in parameters.items()) + "\0"
    return message(b"", struct.pack("!I", PROTOCOL_3) + texts.encode())


def error_message(sqlstate: str, text: str) -> bytes:
    """An error as the server reports it."""
    fields = {"S": "ERROR", "V": "ERROR", "C": sqlstate, "M": text}
    return message(b"E", "".join(f"{kind}{value}\0" for kind, value in fields.items()).encode() + b"\0")


def error_fields(body: bytes) -> dict[str, str]:
    """An error's fields by their letter: C is the SQLSTATE, M the text, n a constraint."""
    return {part[:1].decode(): part[1:].decode() for part in body.rstrip(b"\0").split(b"\0") if part}


def data_row(body: bytes) -> tuple[str | None, ...]:
    """The values of a row in text format."""
    (count,) = struct.unpack("!H", body[:2])
    values: list[str | None] = []
    place = 2
    for _ in range(count):
        (length,) = struct.unpack("!i", body[place : place + 4])
        place += 4
        values.append(None if length < 0 else body[place : place + length].decode())
        place += max(length, 0)
    return tuple(values)


def without_text_type(body: bytes) -> bytes:
    """A row description in which what PostgreSQL calls text is a varchar: Redshift has no text."""
    (count,) = struct.unpack("!H", body[:2])
    pieces: list[bytes] = [body[:2]]
    place = 2
    for _ in range(count):
        end = body.index(b"\0", place) + 1
        table, column, oid, size, modifier, format_ = struct.unpack("!IHIhih", body[end : end + 18])
        oid = VARCHAR_OID if oid == TEXT_OID else oid
        pieces += [body[place:end], struct.pack("!IHIhih", table, column, oid, size, modifier, format_)]
        place = end + 18
    return b"".join(pieces)
