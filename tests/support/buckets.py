"""A server that answers as S3 does, and song files put into it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from moto.server import ThreadedMotoServer


@dataclass
class S3:
    """A running server: a client of it, and the environment that leads others to it."""

    client: Any
    environment: dict[str, str]

    def put(self, bucket: str, prefix: str, folder: Path) -> None:
        """All files below a folder as objects below a prefix, into a bucket that is made if it is missing."""
        self.client.create_bucket(Bucket=bucket)
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                key = f"{prefix}{file.relative_to(folder).as_posix()}"
                self.client.put_object(Bucket=bucket, Key=key, Body=file.read_bytes())


@contextmanager
def s3_server() -> Iterator[S3]:
    """Such a server, on a port of its own, until the end of the block."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environment = {
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    client = boto3.client(
        "s3",
        endpoint_url=environment["AWS_ENDPOINT_URL"],
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    try:
        yield S3(client, environment)
    finally:
        server.stop()
