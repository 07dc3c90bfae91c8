"""An image of a mart: its columns, number of rows and row hash, by SQL of either engine."""

from collections.abc import Sequence

from ingestion.tables import VOLATILE_COLUMNS
from ingestion.warehouse import Warehouse
from publishing.evidence import BuiltNode
from publishing.manifest import PublishedMart

_HASHES = {
    # md5, as DuckDB's own hash differs between its releases.
    "duckdb": "sum(md5_number_lower({text}))",
    "redshift": "sum(cast(farmfingerprint64({text}) as decimal(38, 0)))",
}

_FLOATS = frozenset({"double", "float", "real", "double precision", "float8", "float4"})


def images(
    warehouse: Warehouse, target: str, marts: Sequence[BuiltNode], schema: str | None = None
) -> list[PublishedMart]:
    """The images of marts without their personal columns, read from another schema where one is given."""
    columns = _columns(warehouse, target)
    found = []
    for mart in marts:
        at = schema or mart.schema
        types = {
            column: type_
            for column, type_ in columns[at, mart.table].items()
            if column not in mart.personal_columns
        }
        text = _row_text(
            {column: types[column] for column in sorted(types) if column not in VOLATILE_COLUMNS}
        )
        ((rows, total),) = warehouse.rows(
            f'select count(*), {_HASHES[target].format(text=text)} from "{at}"."{mart.table}"'
        )
        found.append(PublishedMart(mart.name, rows, f"{int(total or 0) % 2**64:016x}", types, mart.view_sql))
    return found


_LISTED = (
    "select table_schema, table_name, column_name, data_type from information_schema.columns "
    "where table_catalog = current_database() order by table_schema, table_name, ordinal_position"
)

_LATE_BINDING = (
    "select view_schema, view_name, col_name, col_type from pg_get_late_binding_view_cols() "
    "cols(view_schema name, view_name name, col_name name, col_type varchar, col_num int) "
    "order by view_schema, view_name, col_num"
)
"""Columns that Redshift's information_schema does not list: those of views that bind late."""


def _columns(warehouse: Warehouse, target: str) -> dict[tuple[str, str], dict[str, str]]:
    rows = warehouse.rows(_LISTED)
    if target == "redshift":
        rows += [
            (schema, view, column, type_.partition("(")[0])
            for schema, view, column, type_ in warehouse.rows(_LATE_BINDING)
        ]
    found: dict[tuple[str, str], dict[str, str]] = {}
    for schema, table, column, type_ in rows:
        found.setdefault((schema, table), {})[column] = type_.lower()
    return found


def _row_text(types: dict[str, str]) -> str:
    """The expression of a row as one text; NULL is a value of its own."""
    texts = []
    for column, type_ in types.items():
        if type_ in _FLOATS:
            continue
        # Redshift casts no boolean to a text.
        value = f"""case when "{column}" then 1 else 0 end""" if type_ == "boolean" else f'"{column}"'
        text = f"'=' || cast({value} as varchar(65535))"
        texts.append(f"""case when "{column}" is null then '' else {text} end""")
    return " || '|' || ".join(texts) or "''"
