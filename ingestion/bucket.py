"""Making the S3 bucket that a lake is to lie in: private and encrypted, or not at all."""

import logging
from http import HTTPStatus

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from ingestion.errors import LakeError

log = logging.getLogger(__name__)

PERMISSIONS = "s3:CreateBucket, s3:PutBucketPublicAccessBlock, s3:PutEncryptionConfiguration, s3:DeleteBucket"
"""What making a bucket takes; one that is there already is only looked at (s3:ListBucket)."""

NO_PUBLIC_ACCESS = {
    "BlockPublicAcls": True,
    "IgnorePublicAcls": True,
    "BlockPublicPolicy": True,
    "RestrictPublicBuckets": True,
}

ENCRYPTED = {"Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]}


def make_bucket_if_missing(name: str) -> bool:
    """Make the bucket, public access blocked and encrypted, where there is none; whether it was made.

    Account, region and endpoint are boto3's (AWS_PROFILE, AWS_DEFAULT_REGION, AWS_ENDPOINT_URL, ...). A
    bucket that exists stays as it is. Raises LakeError where it belongs to somebody else or a permission
    is missing.
    """
    try:
        s3 = boto3.client("s3")
        if _exists(s3, name):
            return False
        region = s3.meta.region_name
        place = {} if region in (None, "us-east-1") else {"LocationConstraint": region}
        s3.create_bucket(Bucket=name, **({"CreateBucketConfiguration": place} if place else {}))
        try:
            s3.put_public_access_block(Bucket=name, PublicAccessBlockConfiguration=NO_PUBLIC_ACCESS)
            s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration=ENCRYPTED)
        except ClientError:
            s3.delete_bucket(Bucket=name)  # the next attempt would take it for one that was there before
            raise
    except (ClientError, BotoCoreError) as error:
        raise LakeError(f"bucket {name}: {error}; making one takes {PERMISSIONS}") from None
    log.info("made bucket %s: no public access, encrypted", name)
    return True


def _exists(s3, name: str) -> bool:
    try:
        s3.head_bucket(Bucket=name)
    except ClientError as error:
        status = error.response["ResponseMetadata"]["HTTPStatusCode"]
        if status == HTTPStatus.NOT_FOUND:
            return False
        if status == HTTPStatus.FORBIDDEN:
            raise LakeError(
                f"bucket {name} is somebody else's, or this account may not look at it (s3:ListBucket)"
            ) from None
        raise
    return True
