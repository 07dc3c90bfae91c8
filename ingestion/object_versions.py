"""Removing objects from S3 for good: with every version that a versioned bucket keeps of them.

pyarrow, through which the lake is read and written, knows no versions; boto3 does. It is given what the
lake's URL gives pyarrow; without a key in the URL both look in the same places (environment, profile, role).
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import boto3
from botocore.config import Config

from ingestion.errors import LakeError

AT_ONCE = 1000
"""Versions removed by one request: the most that S3 allows."""


def s3_client(url: str, **config: Any) -> Any:
    """A boto3 client for the S3 that `url` (s3://[key:secret@]bucket/...[?options]) leads pyarrow to.

    `config` as botocore's Config takes it.
    """
    parts = urlsplit(url, allow_fragments=False)  # a key can hold a #
    options = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    endpoint = options.get("endpoint_override")
    if endpoint and "://" not in endpoint:
        endpoint = f"{options.get('scheme', 'https')}://{endpoint}"
    return boto3.client(
        "s3",
        aws_access_key_id=unquote(parts.username) if parts.username else None,
        aws_secret_access_key=unquote(parts.password) if parts.password else None,
        region_name=options.get("region"),
        endpoint_url=endpoint,
        verify=options.get("tls_ca_file_path"),
        config=Config(**config),
    )


def remove_all_versions(client: Any, bucket: str, keys: Iterable[str]) -> None:
    """Remove these objects and every version of them; those that are not there are passed over.

    Needs s3:ListBucketVersions and s3:DeleteObjectVersion, as does what follows. Raises LakeError
    where a version stays.
    """
    _remove(
        client, bucket, (one for key in keys for one in _versions(client, bucket, key) if one["Key"] == key)
    )


def remove_all_below(client: Any, bucket: str, prefix: str) -> None:
    """Remove everything below a prefix, with every version."""
    _remove(client, bucket, _versions(client, bucket, prefix))


def remove_noncurrent_versions(client: Any, bucket: str, prefix: str) -> None:
    """Remove what versioning keeps below a prefix of objects overwritten or deleted."""
    _remove(client, bucket, (one for one in _versions(client, bucket, prefix) if not one["IsCurrent"]))


def _versions(client: Any, bucket: str, prefix: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator("list_object_versions").paginate(Bucket=bucket, Prefix=prefix):
        for one in page.get("Versions", ()):
            yield {"Key": one["Key"], "VersionId": one["VersionId"], "IsCurrent": one["IsLatest"]}
        for one in page.get("DeleteMarkers", ()):
            yield {"Key": one["Key"], "VersionId": one["VersionId"], "IsCurrent": False}


def _remove(client: Any, bucket: str, versions: Iterator[dict[str, Any]]) -> None:
    while batch := list(islice(versions, AT_ONCE)):
        objects = [{"Key": one["Key"], "VersionId": one["VersionId"]} for one in batch]
        answer = client.delete_objects(Bucket=bucket, Delete={"Objects": objects, "Quiet": True})
        for failed in answer.get("Errors", ()):
            raise LakeError(f"{failed['Key']} could not be removed from S3: {failed.get('Message')}")
