"""The login that AWS gives in place of a password. Serverless is botocore's own stub: moto has none."""

from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from ingestion.config import RedshiftSettings
from ingestion.errors import LoadError
from ingestion.redshift import login

CLUSTER = "warehouse.abc123.eu-west-1.redshift.amazonaws.com"
WORKGROUP = "analysts.123456789012.eu-west-1.redshift-serverless.amazonaws.com"


def redshift(host: str, password: str | None = None) -> RedshiftSettings:
    return RedshiftSettings(host, 5439, "music_warehouse", "loader", password)


@pytest.fixture
def aws(stand_in, monkeypatch):
    for name, value in stand_in.environment.items():
        if name.startswith("AWS_"):
            monkeypatch.setenv(name, value)


def test_a_password_is_used_as_it_is():
    assert login(redshift(CLUSTER, "secret")) == ("loader", "secret")


@pytest.mark.usefixtures("aws")
def test_a_cluster_gives_a_login_for_the_user():
    client = boto3.client("redshift", region_name="eu-west-1")
    client.create_cluster(
        ClusterIdentifier="warehouse",
        NodeType="ra3.large",
        MasterUsername="admin",
        MasterUserPassword="Secret-1",
    )
    user, password = login(redshift(CLUSTER))
    assert user == "IAM:loader"
    assert password
    client.delete_cluster(ClusterIdentifier="warehouse", SkipFinalClusterSnapshot=True)


def test_a_workgroup_gives_a_login_of_the_role(monkeypatch):
    client = boto3.client(
        "redshift-serverless", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
    )
    asked = {"workgroupName": "analysts", "dbName": "music_warehouse"}
    answer = {"dbUser": "IAMR:loader", "dbPassword": "short-lived", "expiration": datetime.now(UTC)}
    with Stubber(client) as stub:
        stub.add_response("get_credentials", answer, asked)
        monkeypatch.setattr(boto3, "client", lambda *_, **__: client)
        assert login(redshift(WORKGROUP)) == ("IAMR:loader", "short-lived")


@pytest.mark.usefixtures("aws")
def test_a_cluster_that_is_not_there_is_named():
    with pytest.raises(LoadError, match=CLUSTER):
        login(redshift(CLUSTER))


def test_a_host_that_is_not_of_aws_needs_a_password():
    with pytest.raises(LoadError, match="REDSHIFT_PASSWORD is not set"):
        login(redshift("localhost"))
