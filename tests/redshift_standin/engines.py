"""What the whole warehouse is tested on: the stand-in, or a real Redshift if a variable names one."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import redshift_connector

VARIABLE = "REDSHIFT_TEST_URL"
"""redshift://USER:PASSWORD@HOST:PORT/DATABASE?staging_url=s3://...&iam_role=arn:...[&sslmode=...]"""


@dataclass(frozen=True)
class Redshift:
    """A Redshift by the variables that the loader, dbt and boto3 find it by, a login among them.

    `errors` holds what a stand-in did not take; a real Redshift only answers.
    """

    environment: Mapping[str, str]
    errors: Sequence[tuple[str, Exception]] = field(default_factory=list)

    def as_user(self, user: str, password: str) -> "Redshift":
        """The same database with another login."""
        login = {"REDSHIFT_USER": user, "REDSHIFT_PASSWORD": password}
        return replace(self, environment={**self.environment, **login})

    def connect(self) -> Any:
        """A connection as dbt-redshift opens it, in which each statement is a transaction of its own."""
        connection = redshift_connector.connect(
            host=self.environment["REDSHIFT_HOST"],
            port=int(self.environment["REDSHIFT_PORT"]),
            database=self.environment["REDSHIFT_DATABASE"],
            user=self.environment["REDSHIFT_USER"],
            password=self.environment["REDSHIFT_PASSWORD"],
            ssl=self.environment["REDSHIFT_SSLMODE"] != "disable",
        )
        connection.autocommit = True
        return connection


def real_redshift(url: str) -> Redshift:
    """The Redshift that REDSHIFT_TEST_URL names, with the keys of AWS that this process has.

    Raises KeyError where the URL names no staging_url.
    """
    parts = urlsplit(url)
    given = dict(parse_qsl(parts.query))
    aws = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    home = Path.home() / ".aws"
    return Redshift(
        {
            "AWS_CONFIG_FILE": str(home / "config"),
            "AWS_SHARED_CREDENTIALS_FILE": str(home / "credentials"),
            **aws,
            "WAREHOUSE_TARGET": "redshift",
            "REDSHIFT_HOST": parts.hostname,
            "REDSHIFT_PORT": str(parts.port or 5439),
            "REDSHIFT_DATABASE": parts.path.lstrip("/"),
            "REDSHIFT_USER": unquote(parts.username),
            "REDSHIFT_PASSWORD": unquote(parts.password),
            "REDSHIFT_SSLMODE": given.get("sslmode", "require"),
            "REDSHIFT_STAGING_URL": given["staging_url"],
            **({"REDSHIFT_IAM_ROLE": given["iam_role"]} if "iam_role" in given else {}),
        }
    )
