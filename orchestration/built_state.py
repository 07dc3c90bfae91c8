"""Whether a dbt build would make anything else than what is there: then it can be left out.

What a build is made of are the rows of raw, the dbt project, and the variables that it reads. What they were
at the last good build is remembered in the warehouse, beside what dbt recorded of it.
"""

import hashlib
import os
import re

from ingestion.config import Settings
from ingestion.sources import SOURCES
from ingestion.warehouse import Warehouse, open_warehouse
from orchestration.project_files import ROOT, project_files
from publishing.evidence import SCHEMA, read_evidence

_TABLE = f"{SCHEMA}.built_state"


def is_current(settings: Settings) -> bool:
    """Whether the last build was good, was this project's, and nothing came into raw, or left it, since."""
    with open_warehouse(settings, read_only=True) as warehouse:
        if not warehouse.has_table(SCHEMA, "built_state"):
            return False
        return warehouse.rows(f"select state from {_TABLE}") == [(_state(warehouse),)]


def remember(settings: Settings) -> None:
    """Remember what the build that has just ended was made of."""
    with open_warehouse(settings) as warehouse, warehouse.transaction():
        warehouse.execute(f"create table if not exists {_TABLE} (state varchar(64) not null)")
        state = _state(warehouse)
        warehouse.execute(f"delete from {_TABLE}")
        if state is not None:
            warehouse.execute(f"insert into {_TABLE} values (%s)", state)


def _state(warehouse: Warehouse) -> str | None:
    """The hash of all that a build is made of and of when it ended; None where its result is not good."""
    evidence = read_evidence(warehouse)
    if evidence.problems():
        return None
    made_of = hashlib.sha256()
    made_of.update(max(node.ended_at for node in evidence.nodes.values()).isoformat().encode())
    for source in SOURCES:
        if warehouse.has_table(source.schema_name, "_loaded_units"):
            units = warehouse.rows(
                "select lake_unit_id, unit_id, _dlt_load_id "
                f"from {source.schema_name}._loaded_units order by 1, 2, 3"
            )
            made_of.update(repr((source.name, units)).encode())
    variables = set()
    for path in project_files():
        content = path.read_bytes()
        made_of.update(f"{path.relative_to(ROOT)} {len(content)}\n".encode() + content)
        variables |= set(re.findall(rb"env_var\(\s*'(\w+)'", content))
    for variable in sorted(name.decode() for name in variables):
        # Only its hash goes on: it may be a password.
        made_of.update(f"{variable}={os.environ.get(variable)}\n".encode())
    return made_of.hexdigest()
