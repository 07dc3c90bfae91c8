"""A small warehouse as dbt leaves it: marts, a view of them, and the records of the build.

Rows of all marts belong to one generation, so that a reader can tell whether what it sees belongs together.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from ingestion.config import Settings
from ingestion.warehouse import Warehouse, open_warehouse

FIRST_BUILD = datetime(2026, 3, 1, 4, 0)

MARTS = {"dim_songs": 300, "dim_playlists": 200, "fct_playlist_tracks": 1_000}
"""Rows by mart."""

VIEW = "songs"
"""The view of the founding data dictionary, in the schema `msd`, that reads dim_songs."""

_RECORDS = """
create table if not exists operations.builds (
    invocation_id varchar(64) not null, started_at timestamp not null, ended_at timestamp
);
create table if not exists operations.built_nodes (
    node_id varchar(1024) not null, resource_type varchar(32) not null, schema_name varchar(256),
    table_name varchar(256), materialized varchar(64), is_public boolean not null, view_sql varchar(65535),
    publishing varchar(65535) not null, parent_ids varchar(65535) not null, status varchar(64) not null,
    failures bigint, invocation_id varchar(64) not null, ended_at timestamp not null
)
"""


@dataclass
class BuiltMarts:
    """The warehouse of some settings; each `build` makes the next generation of its marts."""

    settings: Settings
    generation: int = 0
    database: str = "warehouse"
    bounds: dict[str, dict[str, float]] = field(default_factory=dict)
    personal_columns: tuple[str, ...] = ()

    @property
    def built_at(self) -> datetime:
        """When the present generation was built."""
        return FIRST_BUILD + timedelta(days=self.generation)

    def build(
        self,
        rows: Mapping[str, int] = MARTS,
        columns: str = "",
        test_status: str = "pass",
        tested: bool = True,
        ended: bool = True,
    ) -> None:
        """Make the marts anew, of so many `rows`, with further `columns` if any, and record it."""
        self.generation += 1
        with open_warehouse(self.settings) as warehouse, warehouse.transaction():
            for schema in ("raw_lab", "marts", "msd", "operations"):
                warehouse.execute(f"create schema if not exists {schema}")
            for statement in _RECORDS.split(";"):
                warehouse.execute(statement)
            warehouse.execute("drop view if exists msd.songs")
            for mart, count in rows.items():
                warehouse.execute(f"drop table if exists marts.{mart}")
                warehouse.execute(
                    f"create table marts.{mart} (id bigint not null, generation bigint, title varchar(400), "
                    f"share double precision, is_new boolean, loaded_at timestamp{columns})"
                )
                if count:
                    self._fill(warehouse, mart, count)
            warehouse.execute(
                "create view msd.songs as select id as song_id, generation from marts.dim_songs"
                + (" with no schema binding" if self.settings.target == "redshift" else "")
            )
            self._record(warehouse, rows, test_status, tested, ended)

    def _fill(self, warehouse: Warehouse, mart: str, count: int) -> None:
        values = ", ".join(
            f"({place}, {self.generation}, 'Don''t "
            f"100 {place}', {place / 7!r}, {place % 2 == 0}, timestamp '{self.built_at}')"
            for place in range(count)
        )
        named = "id, generation, title, share, is_new, loaded_at"
        warehouse.execute(f"insert into marts.{mart} ({named}) values {values}")

    def _record(
        self, warehouse: Warehouse, rows: Mapping[str, int], test_status: str, tested: bool, ended: bool
    ) -> None:
        invocation, at = f"build-{self.generation}", self.built_at
        end = f"timestamp '{at + timedelta(minutes=5)}'" if ended else "null"
        warehouse.execute(f"insert into operations.builds values ('{invocation}', timestamp '{at}', {end})")
        if not ended:
            return
        tests = " where resource_type <> 'test'" if not tested else ""
        warehouse.execute(f"delete from operations.built_nodes{tests}")
        view_sql = f'select id as song_id, generation from "{self.database}"."marts"."dim_songs"'
        models = [("marts", mart, "table", "null") for mart in rows]
        models.append(("msd", VIEW, "view", f"'{view_sql}'"))
        for schema, name, materialized, sql in models:
            personal = json.dumps(
                {"rows": self.bounds.get(name, {}), "personal_columns": self.personal_columns}
            )
            values = (
                f"'model.music_warehouse.{schema}_{name}', 'model', '{schema}', '{name}', '{materialized}', "
                f"true, {sql}, '{personal}', '', 'success', null, '{invocation}', "
                f"timestamp '{at + timedelta(minutes=1)}'"
            )
            warehouse.execute(f"insert into operations.built_nodes values ({values})")
        for mart in rows if tested else ():
            failures = 0 if test_status == "pass" else 3
            values = (
                f"'test.music_warehouse.{mart}_is_sound.1', 'test', null, null, null, false, null, '{{}}', "
                f"'model.music_warehouse.marts_{mart}', '{test_status}', {failures}, '{invocation}', "
                f"timestamp '{at + timedelta(minutes=2)}'"
            )
            warehouse.execute(f"insert into operations.built_nodes values ({values})")
