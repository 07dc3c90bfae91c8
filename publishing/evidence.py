"""What dbt recorded of its builds (`dbt_project/macros/build_records.sql`), and what is wrong with it."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from ingestion.warehouse import Warehouse

SCHEMA = "operations"

GOOD = {"model": {"success"}, "seed": {"success"}, "test": {"pass", "warn"}}

SHOWN_NODES = 5


@dataclass(frozen=True)
class BuiltNode:
    """A model, a seed or a data test, as the last invocation that had it left it.

    Of a relation that readers may see (`is_public`): where it is, its bounds on rows, the columns that are
    about persons and are not shown; of a view, its query.
    """

    node_id: str
    resource_type: str
    schema: str
    table: str
    is_public: bool
    view_sql: str | None
    bounds: dict[str, float]
    personal_columns: tuple[str, ...]
    parent_ids: tuple[str, ...]
    status: str
    failures: int
    started_at: datetime
    ended_at: datetime

    @property
    def name(self) -> str:
        """For people: `schema.table`, or the name of a test."""
        return f"{self.schema}.{self.table}" if self.table else self.node_id.split(".")[2]


@dataclass(frozen=True)
class Evidence:
    """All nodes of the project that were ever built; `cut_short_at` is when a build began that has no end."""

    nodes: dict[str, BuiltNode]
    cut_short_at: datetime | None

    @property
    def marts(self) -> list[BuiltNode]:
        """What readers see: tables before the views of them, by name."""
        public = [node for node in self.nodes.values() if node.is_public]
        return sorted(public, key=lambda node: (node.view_sql is not None, node.name))

    @property
    def built_at(self) -> datetime:
        """When the last of the marts was built, UTC."""
        return max(node.ended_at for node in self.marts)

    def problems(self) -> list[str]:
        """Why what was built may not be shown, a line each; none where all was built, and tested since."""
        if not self.marts:
            return ["no mart was built yet: run dbt build"]
        bad = [node for node in self.nodes.values() if node.status not in GOOD[node.resource_type]]
        cut_short = [
            node
            for node in self.nodes.values()
            if self.cut_short_at is not None and node.started_at <= self.cut_short_at
        ]
        untested = [
            node
            for node in self.nodes.values()
            if node.resource_type == "test"
            and any(
                parent in self.nodes and self.nodes[parent].ended_at > node.ended_at
                for parent in node.parent_ids
            )
        ]
        return [
            *(
                f"{_KINDS[node.resource_type]} {node.name}: {node.status}"
                + (f", {node.failures:,} rows" if node.failures else "")
                for node in _shown(bad)
            ),
            *_and_more(bad, "models and tests are not good"),
            *(
                [
                    f"a build that began at {self.cut_short_at:%Y-%m-%d %H:%M} UTC did not end, and "
                    f"{len(cut_short):,} models and tests are older: run dbt build"
                ]
                if cut_short
                else []
            ),
            *(
                f"test {node.name} was run before what it tests was built: run dbt build"
                for node in _shown(untested)
            ),
            *_and_more(untested, "tests are older than what they test"),
        ]


_KINDS = {"model": "model", "seed": "seed", "test": "test"}


def _shown(nodes: Sequence[BuiltNode]) -> Sequence[BuiltNode]:
    return sorted(nodes, key=lambda node: (node.status == "skipped", node.name))[:SHOWN_NODES]


def _and_more(nodes: Sequence[BuiltNode], what: str) -> list[str]:
    return [f"{len(nodes):,} {what} in all"] if len(nodes) > SHOWN_NODES else []


def read_evidence(warehouse: Warehouse) -> Evidence:
    """What dbt recorded; without a node where it never built anything."""
    if not warehouse.has_table(SCHEMA, "built_nodes"):
        return Evidence({}, None)
    started = dict(warehouse.rows(f"select invocation_id, started_at from {SCHEMA}.builds"))
    ((cut_short_at,),) = warehouse.rows(f"select max(started_at) from {SCHEMA}.builds where ended_at is null")
    nodes = {
        node_id: BuiltNode(
            node_id,
            resource_type,
            schema or "",
            table or "",
            is_public,
            view_sql,
            (how := json.loads(publishing)).get("rows", {}),
            tuple(how.get("personal_columns", ())),
            tuple(parent_ids.split()),
            status,
            failures or 0,
            started.get(invocation_id, ended_at),
            ended_at,
        )
        for (
            node_id,
            resource_type,
            schema,
            table,
            is_public,
            view_sql,
            publishing,
            parent_ids,
            status,
            failures,
            invocation_id,
            ended_at,
        ) in warehouse.rows(
            "select node_id, resource_type, schema_name, table_name, is_public, view_sql, publishing, "
            f"parent_ids, status, failures, invocation_id, ended_at from {SCHEMA}.built_nodes"
        )
    }
    return Evidence(nodes, cut_short_at)
