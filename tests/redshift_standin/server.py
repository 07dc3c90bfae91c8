"""The stand-in as one thing to start: PostgreSQL, moto's S3 server and the proxy, on ports of their own.

Run as a module it runs until it is interrupted, and prints the variables by which it is found.
"""

import asyncio
import logging
import signal
import threading
from collections.abc import Mapping
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pgserver
import psycopg2
from moto.server import ThreadedMotoServer

from tests.redshift_standin.copy_command import s3_client
from tests.redshift_standin.errors import StandInError
from tests.redshift_standin.proxy import Proxy

CATALOG = Path(__file__).with_name("catalog.sql")

DATABASE, USER, PASSWORD = "music_warehouse", "loader", "Pass-word-1"
ADMINISTRATOR = "administrator"
"""A superuser, with the same password."""

IAM_ROLE = "arn:aws:iam::123456789012:role/warehouse-copy"
BUCKET = "stand-in"

MAXIMUM_SESSIONS = 150
"""For a hundred clients at once, and a few more."""

_SETTINGS = {
    "enable_nestloop": "off",  # without statistics PostgreSQL would join tables row by row
    "max_connections": MAXIMUM_SESSIONS,
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "jit": "off",
    "max_parallel_workers_per_gather": 0,
    "standard_conforming_strings": "off",
    "escape_string_warning": "off",
    "timezone": "UTC",
}
"""Of PostgreSQL: nothing here outlives a test, and text is read as Redshift reads it."""


@dataclass
class RedshiftStandIn:
    """A stand-in for Redshift that runs within a `with`; `folder` holds what it needs.

    `errors` holds what was refused or not recognised: (statement, error); `copied` the addresses that
    were copied from.
    """

    folder: Path
    errors: list[tuple[str, StandInError]] = field(default_factory=list)
    copied: list[str] = field(default_factory=list)
    port: int = 0
    s3_endpoint: str = ""

    def __enter__(self) -> "RedshiftStandIn":
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self.folder.mkdir(parents=True, exist_ok=True)
        self._postgres = pgserver.get_server(self.folder / "postgres")
        self._restart_with_settings()
        self.add_database(DATABASE)
        self._s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._s3.start()
        host, port = self._s3.get_host_and_port()
        self.s3_endpoint = f"http://{host}:{port}"
        self.s3().create_bucket(Bucket=BUCKET)
        self._start_proxy()
        return self

    def __exit__(self, *exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self._proxy.stop(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._s3.stop()
        self._postgres.cleanup()

    def s3(self) -> Any:
        """A client of the S3 server."""
        return s3_client(self.s3_endpoint)

    def add_database(self, name: str) -> None:
        """Make an empty database."""
        with closing(self._superuser("postgres")) as connection, connection.cursor() as cursor:
            cursor.execute(
                f"create database {name} template template0 encoding utf8 lc_collate 'C' lc_ctype 'C.UTF-8'"
            )
            cursor.execute(f"grant all on database {name} to {USER}")
        with closing(self._superuser(name)) as connection, connection.cursor() as cursor:
            cursor.execute(CATALOG.read_text())
            cursor.execute(f"grant all on schema public to {USER}")

    @property
    def environment(self) -> Mapping[str, str]:
        """The variables by which the loader, dbt and boto3 find the stand-in."""
        return {
            "WAREHOUSE_TARGET": "redshift",
            "REDSHIFT_HOST": "127.0.0.1",
            "REDSHIFT_PORT": str(self.port),
            "REDSHIFT_DATABASE": DATABASE,
            "REDSHIFT_USER": USER,
            "REDSHIFT_PASSWORD": PASSWORD,
            "REDSHIFT_SSLMODE": "disable",
            "REDSHIFT_IAM_ROLE": IAM_ROLE,
            "REDSHIFT_STAGING_URL": f"s3://{BUCKET}/staging",
            "AWS_ENDPOINT_URL": self.s3_endpoint,
            "AWS_ACCESS_KEY_ID": "stand-in",
            "AWS_SECRET_ACCESS_KEY": "stand-in",
            "AWS_DEFAULT_REGION": "us-east-1",
        }

    def _restart_with_settings(self) -> None:
        with closing(self._superuser("postgres")) as connection, connection.cursor() as cursor:
            for name, value in _SETTINGS.items():
                cursor.execute(f"alter system set {name} = '{value}'")
            cursor.execute(f"create role {USER} login; grant pg_read_server_files to {USER}")
            cursor.execute(f"create role {ADMINISTRATOR} login superuser")
        pgserver.pg_ctl(
            ["-w", "-m", "fast", "stop"], pgdata=self._postgres.pgdata, user=self._postgres.system_user
        )
        self._postgres.ensure_postgres_running()

    def _superuser(self, database: str) -> Any:
        connection = psycopg2.connect(self._postgres.get_uri(database))
        connection.autocommit = True
        return connection

    @property
    def _socket(self) -> Path:
        return Path(self._postgres.get_postmaster_info().socket_dir) / ".s.PGSQL.5432"

    def _start_proxy(self) -> None:
        copies = self._postgres.pgdata / "copies"  # PostgreSQL reads it by a path relative to its folder
        copies.mkdir(mode=0o755, exist_ok=True)
        self._proxy = Proxy(
            postgres_socket=self._socket,
            users={USER: PASSWORD, ADMINISTRATOR: PASSWORD},
            s3=self.s3,
            copy_folder=copies,
            on_error=lambda sql, error: self.errors.append((sql, error)),
            on_copy=self.copied.append,
        )
        self._loop = asyncio.new_event_loop()
        self.port = self._loop.run_until_complete(self._proxy.start())
        self._thread = threading.Thread(target=self._loop.run_forever, name="redshift stand-in", daemon=True)
        self._thread.start()


if __name__ == "__main__":
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.default_int_handler)
    with TemporaryDirectory(prefix="redshift_stand_in_") as folder, RedshiftStandIn(Path(folder)) as stand_in:
        for name, value in stand_in.environment.items():
            print(f"export {name}={value}", flush=True)
        print(f"# or, with every right: REDSHIFT_USER={ADMINISTRATOR}", flush=True)
        with suppress(KeyboardInterrupt):
            threading.Event().wait()
