"""The server that clients of Redshift connect to: it relays their messages to PostgreSQL, translated.

One backend session per client. Text of statements (Query and Parse messages) is translated; all
other messages pass. A statement that is refused reaches PostgreSQL as one that raises the refusal,
so that a transaction fails as it would.
"""

import asyncio
import re
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from typing import Any

from dbt_project.lint.redshift.tokens import Token, keys_of, statements, words
from tests.redshift_standin import protocol
from tests.redshift_standin.copy_command import copy_from_csv, parse_copy, read_rows, write_csv
from tests.redshift_standin.errors import CopyFailed, NotRecognised, StandInError, complete
from tests.redshift_standin.translation import password_given, translate

SERVER_VERSION = "8.0.2"
"""What Redshift says that it is."""

REDSHIFT_PARAMETERS = words("""
    client_protocol_version driver_version os_version driver_discovery_version plugin_name idp_type
    provider_name token_type identity_namespace idc_client_display_name
""")
"""Start-up parameters of Redshift's drivers, which PostgreSQL does not know."""

_BYTES_CONSTRAINT = re.compile(r"bytes_\d+_(\d+)")
_MISSING_COLUMN = re.compile(r'column "(\w+)" does not exist')


class Proxy:
    """Takes clients on a port of 127.0.0.1 and gives each a session of PostgreSQL behind a Unix socket."""

    def __init__(
        self,
        *,
        postgres_socket: Path,
        users: dict[str, str | None],
        s3: Callable[[], Any],
        copy_folder: Path,
        on_error: Callable[[str, StandInError], None],
        on_copy: Callable[[str], None],
    ) -> None:
        self.postgres_socket, self.users = postgres_socket, users
        self.s3, self.copy_folder = s3, copy_folder
        self.on_error, self.on_copy = on_error, on_copy
        self._sessions: set[asyncio.Task] = set()

    async def start(self) -> int:
        """Listen; returns the port, which is free and its own."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """End every session and listen no more."""
        self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        self._sessions.add(task)
        session = _Session(self, reader, writer)
        # The client or the server closing the connection ends a session, in whatever state it is.
        with suppress(asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            await session.run()
        await session.close()
        self._sessions.discard(task)


class _Session:
    """One client and its backend."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy, self._reader, self._writer = proxy, reader, writer
        self._backend_writer: asyncio.StreamWriter | None = None
        self._is_idle = asyncio.Event()
        self._own_answer: asyncio.Future[list[tuple[str | None, ...]]] | None = None
        self._own_rows: list[tuple[str | None, ...]] = []
        self._files: list[Path] = []
        self._answers: asyncio.Task | None = None
        self._is_pipelined = False
        self._sql, self._aliases = "", frozenset[str]()

    async def run(self) -> None:
        """Start the session, then relay until the client goes."""
        parameters = await self._client_start()
        if parameters is None or not await self._is_password_right(parameters["user"]):
            return
        self._backend, self._backend_writer = await asyncio.open_unix_connection(self._proxy.postgres_socket)
        self._backend_writer.write(protocol.startup_message(parameters))
        self._answers = asyncio.create_task(self._relay_answers())
        while True:
            kind, body = await protocol.read_message(self._reader)
            if kind in (b"Q", b"P") and self._is_pipelined:
                raise ConnectionError(
                    "a statement before the last one's Sync: no client of Redshift sends that"
                )
            if kind == b"Q":
                body = (await self._translated(body[:-1].decode())).encode() + b"\0"
            elif kind == b"P":
                name, text, types = body.split(b"\0", 2)
                body = b"\0".join([name, (await self._translated(text.decode())).encode(), types])
            if kind != b"H":
                self._is_pipelined = kind in (b"P", b"B", b"D", b"E", b"C")
                self._is_idle.clear()
            self._backend_writer.write(protocol.message(kind, body))
            await self._backend_writer.drain()
            if kind == b"X":
                return

    async def close(self) -> None:
        """Close both ends."""
        if self._answers:
            self._answers.cancel()
            with suppress(asyncio.CancelledError):
                await self._answers
        for writer in (self._writer, self._backend_writer):
            if writer:
                writer.close()
        self._remove_files()

    async def _client_start(self) -> dict[str, str] | None:
        """The parameters of the client's session; None where it only wanted to cancel another one."""
        while True:
            code, body = await protocol.read_startup(self._reader)
            if code in (protocol.SSL_REQUEST, protocol.GSS_REQUEST):
                self._writer.write(b"N")  # the stand-in speaks no TLS
            elif code == protocol.CANCEL_REQUEST:
                return None
            else:
                break
        parameters = protocol.startup_parameters(body)
        return {name: value for name, value in parameters.items() if name not in REDSHIFT_PARAMETERS}

    async def _is_password_right(self, user: str) -> bool:
        self._writer.write(protocol.message(b"R", b"\0\0\0\x03"))  # in clear text
        _, body = await protocol.read_message(self._reader)
        if self._proxy.users.get(user) == body.rstrip(b"\0").decode():
            return True
        self._writer.write(
            protocol.error_message("28000", f'password authentication failed for user "{user}"')
        )
        await self._writer.drain()
        return False

    async def _relay_answers(self) -> None:
        """Everything from PostgreSQL to the client, but for what the stand-in itself asked."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, body = await protocol.read_message(self._backend)
                if kind == b"Z":
                    self._is_idle.set()
                if self._own_answer is not None:
                    self._take_own_answer(kind, body)
                    continue
                if kind == b"S" and not self._is_reported(body):
                    continue
                if kind == b"S" and body.startswith(b"server_version\0"):
                    body = f"server_version\0{SERVER_VERSION}\0".encode()
                elif kind == b"T":
                    body = protocol.without_text_type(body)
                elif kind == b"E":
                    self._writer.write(self._as_redshift_says(body))
                    continue
                self._writer.write(protocol.message(kind, body))
                await self._writer.drain()
        self._writer.close()

    @staticmethod
    def _is_reported(parameter: bytes) -> bool:
        """Redshift does not report how it reads backslashes: drivers then take them for escapes."""
        return not parameter.startswith((b"standard_conforming_strings\0", b"in_hot_standby\0"))

    async def _ask(self, sql: str) -> list[tuple[str | None, ...]]:
        """Rows that the stand-in itself needs, in the client's session; none where its transaction failed."""
        await self._is_idle.wait()
        self._is_idle.clear()
        self._own_answer, self._own_rows = asyncio.get_running_loop().create_future(), []
        self._backend_writer.write(protocol.message(b"Q", sql.encode() + b"\0"))
        return await self._own_answer

    def _take_own_answer(self, kind: bytes, body: bytes) -> None:
        if kind == b"D":
            self._own_rows.append(protocol.data_row(body))
        elif kind == b"Z":
            answer, self._own_answer = self._own_answer, None
            answer.set_result(self._own_rows)

    async def _translated(self, sql: str) -> str:
        self._remove_files()
        self._sql, self._aliases = sql, frozenset()
        translations = []
        try:
            with complete():
                texts = list(statements(sql))
            for statement in texts:
                self._aliases |= {name.key for word, name in pairwise(statement) if word.is_word("as")}
                translations.append(await self._translation(statement))
        except StandInError as error:
            self._proxy.on_error(sql, error)
            state, text = error.sqlstate, str(error).replace("'", "''").replace("\\", "\\\\")
            translations.append(f"select rs.refuse('{state}', '{text}')")
        return ";\n".join(translations)

    async def _translation(self, statement: list[Token]) -> str:
        if keys_of(statement, 1) == ("copy",):
            return await self._copy(statement)
        if given := password_given(statement):
            self._proxy.users.update([given])
        views = {}
        if _may_read(statement):
            texts = await self._ask("select schema_name, view_name, text from rs.late_binding_view_texts")
            views = {(schema, name): text for schema, name, text in texts}
        return translate(statement, views)

    async def _copy(self, statement: list[Token]) -> str:
        with complete():
            command = parse_copy(statement)
        name = ".".join('"' + part.replace('"', '""') + '"' for part in command.table)
        columns = await self._ask(
            "select attname, format_type(atttypid, atttypmod) from pg_catalog.pg_attribute "
            f"where attrelid = to_regclass('{name}') and attnum > 0 and not attisdropped order by attnum"
        )
        if not columns:
            raise CopyFailed(f"Cannot COPY into nonexistent table {command.table[-1]}")
        rows = await asyncio.to_thread(read_rows, command, columns, self._proxy.s3())
        self._files.append(write_csv(rows, self._proxy.copy_folder))
        self._proxy.on_copy(f"s3://{command.bucket}/{command.prefix}")
        return copy_from_csv(command, self._files[-1])

    def _as_redshift_says(self, body: bytes) -> bytes:
        """PostgreSQL's error as a message for the client."""
        fields = protocol.error_fields(body)
        if too_long := _BYTES_CONSTRAINT.fullmatch(fields.get("n", "")):
            return protocol.error_message(
                "22001", f"value too long for type character varying({too_long[1]})"
            )
        missing = _MISSING_COLUMN.fullmatch(fields.get("M", ""))
        if missing and missing[1] in self._aliases:
            error = NotRecognised(f"{missing[1]}: an alias beside its own definition is not translated")
            self._proxy.on_error(self._sql, error)
            return protocol.error_message(error.sqlstate, str(error))
        return protocol.message(b"E", body)

    def _remove_files(self) -> None:
        for path in self._files:
            path.unlink(missing_ok=True)
        self._files.clear()


def _may_read(statement: list[Token]) -> bool:
    """Whether a statement may name a late-binding view."""
    return statement[0].key not in ("begin", "commit", "rollback", "set", "start", "end", "drop", "grant")
