"""Users, roles, grants and the label of a session, as Redshift knows them."""

import psycopg2
import pytest
import redshift_connector

from tests.redshift_standin.clients import rows_of, run, sqlstate
from tests.redshift_standin.server import ADMINISTRATOR, DATABASE, PASSWORD

CLIENT_ERRORS = (psycopg2.Error, redshift_connector.Error)


def login(stand_in, user: str, password: str = PASSWORD):
    connection = psycopg2.connect(
        host="127.0.0.1", port=stand_in.port, dbname=DATABASE, user=user, password=password
    )
    connection.autocommit = True
    return connection


@pytest.fixture(scope="module")
def administrator(stand_in):
    """A superuser in a database with a user, a role of the same name, and a table in a schema `shop`."""
    connection = login(stand_in, ADMINISTRATOR)
    run(
        connection,
        f"create user clerk password '{PASSWORD}'",
        "create user visitor password disable",
        "create role clerk",
        "create schema if not exists shop authorization clerk",
        "create table shop.sales (id integer)",
    )
    yield connection
    connection.close()


@pytest.fixture
def clerk(administrator, stand_in):  # noqa: ARG001 - it makes the user
    connection = login(stand_in, "clerk")
    yield connection
    connection.close()


def test_a_password_can_be_disabled_and_changed(administrator, stand_in):
    with pytest.raises(psycopg2.OperationalError, match="password"):
        login(stand_in, "visitor")
    run(administrator, "alter user visitor password 'Other-1'")
    login(stand_in, "visitor", "Other-1").close()


def test_a_user_has_what_its_roles_are_granted_and_a_role_is_no_user(administrator, clerk):
    reads = "select count(*) from shop.sales"
    with pytest.raises(CLIENT_ERRORS) as denied:
        rows_of(clerk, reads)
    assert sqlstate(denied.value) == "42501"
    run(administrator, "grant select on table shop.sales to role clerk")
    with pytest.raises(CLIENT_ERRORS):
        rows_of(clerk, reads)
    run(administrator, "grant role clerk to clerk")
    assert rows_of(clerk, reads) == [(0,)]
    run(administrator, "revoke select on table shop.sales from role clerk")
    with pytest.raises(CLIENT_ERRORS):
        rows_of(clerk, reads)


def test_privileges_are_listed_with_what_holds_them(administrator):
    run(
        administrator,
        "create group guests",
        "grant select on shop.sales to role clerk, group guests, visitor",
    )
    assert rows_of(
        administrator,
        "select identity_type, identity_name from svv_relation_privileges where namespace_name = 'shop' "
        "and relation_name = 'sales' and privilege_type = 'select' and identity_name <> current_user "
        "order by 1",
    ) == [("group", "guests"), ("role", "clerk"), ("user", "visitor")]


@pytest.mark.parametrize(
    "statement",
    [
        "create user other",
        "create user other password 'A-1' createdb",
        "create role other login",
        "alter user clerk rename to other",
        "alter user clerk set work_mem to 1",
    ],
)
def test_more_of_users_and_roles_is_not_recognised(administrator, statement):
    with pytest.raises(CLIENT_ERRORS, match="redshift stand-in") as refusal:
        run(administrator, statement)
    assert sqlstate(refusal.value) == "42601"


def test_a_session_has_the_label_that_it_sets_or_that_its_user_has(administrator, clerk, stand_in):
    label = "select current_setting('query_group')"
    assert rows_of(clerk, label) == [("unset",)]
    run(clerk, "set query_group to 'reports'")
    assert rows_of(clerk, label) == rows_of(clerk, "show query_group") == [("reports",)]
    run(clerk, "reset query_group")
    assert rows_of(clerk, label) == [("unset",)]
    run(administrator, "alter user clerk set query_group to 'till'")
    later = login(stand_in, "clerk")
    assert rows_of(later, label) == [("till",)]
    later.close()


def test_only_known_settings_are_shown(administrator):
    with pytest.raises(CLIENT_ERRORS, match="work_mem"):
        rows_of(administrator, "select current_setting('work_mem')")
