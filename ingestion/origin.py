"""Which lake a Redshift database is loaded from: one lake, of the made-up world or of real data.

The embedded warehouse is a file per data folder, so there it cannot be otherwise. A database can be
named from anywhere: with two lakes in it, retention and purge would rewrite one and leave what the other
brought, and real rows would lie beside made-up ones. So the first load writes down whose the database is.
"""

import secrets
from dataclasses import dataclass

from ingestion import redshift
from ingestion.config import Settings
from ingestion.errors import LoadError
from ingestion.lake import Lake

LAKE_ID = "lake_id"
"""At the lake's root: the file that tells lakes apart. It goes with a lake that is moved or copied."""

SCHEMA, TABLE = "raw_origin", "lake"


@dataclass(frozen=True)
class Origin:
    """A lake, as a database remembers it."""

    lake_id: str
    lake_url: str
    is_sandbox: bool


def require_same_lake(settings: Settings) -> None:
    """Raise LoadError where the database in Redshift was loaded from another lake; DuckDB is let pass."""
    if settings.target != "redshift":
        return
    lake = Lake(settings.lake_url)
    with redshift.open_session(settings) as session:
        _compare(settings, lake, _remembered(session))


def claim(settings: Settings) -> None:
    """Write down that the database in Redshift is this lake's, once; raises as `require_same_lake` does."""
    if settings.target != "redshift":
        return
    lake = Lake(settings.lake_url)
    lake_id = lake.keep_once(LAKE_ID, secrets.token_hex(16))
    with redshift.open_session(settings) as session, session.transaction():
        session.execute(f"create schema if not exists {SCHEMA}")
        session.execute(
            f"create table if not exists {SCHEMA}.{TABLE} "
            "(lake_id varchar(64) not null, lake_url varchar(4096) not null, is_sandbox boolean not null)"
        )
        session.execute(f"lock table {SCHEMA}.{TABLE}")  # two first loads: the second sees the first's row
        origin = _remembered(session)
        _compare(settings, lake, origin)
        if origin is None:
            session.execute(
                f"insert into {SCHEMA}.{TABLE} values (%s, %s, %s)", lake_id, lake.url, settings.is_sandbox
            )


def _remembered(session: redshift.Session) -> Origin | None:
    if not session.has_table(SCHEMA, TABLE):
        return None
    rows = session.rows(f"select lake_id, lake_url, is_sandbox from {SCHEMA}.{TABLE}")
    return Origin(*rows[0]) if rows else None


def _compare(settings: Settings, lake: Lake, origin: Origin | None) -> None:
    if origin is None:
        return
    kinds = {True: "the sandbox's made-up data", False: "real data"}
    ways_out = (
        "Name another database (REDSHIFT_DATABASE), or empty this one: drop its schemas raw_*, staging, "
        "intermediate and marts"
    )
    if origin.is_sandbox != settings.is_sandbox:
        raise LoadError(
            f"{settings.warehouse_name} holds {kinds[origin.is_sandbox]}, of the lake {origin.lake_url}: "
            f"{kinds[settings.is_sandbox]}, of {lake.url}, never goes beside it. {ways_out}"
        )
    if lake.kept(LAKE_ID) != origin.lake_id:
        raise LoadError(
            f"{settings.warehouse_name} is loaded from the lake {origin.lake_url}, and {lake.url} is "
            "another: retention and purge would leave there what the other one brought. Set "
            f"WAREHOUSE_LAKE_URL to that lake (one that was moved keeps its file {LAKE_ID}). {ways_out}"
        )
