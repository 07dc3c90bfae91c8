"""Raw assets: the tables of a raw schema, materialised together by the loader.

All tables of a source or none: the loader marks a unit as loaded as a whole.
"""

from collections.abc import Iterator

import dagster as dg

from ingestion.config import load_settings
from ingestion.source import Source
from orchestration.retention import last_key_in_lake


def raw_assets(source: Source) -> dg.AssetsDefinition:
    """The raw tables of one source, keyed as dbt keys its sources, so that the lineage joins."""

    @dg.multi_asset(
        name=source.schema_name,
        specs=[
            dg.AssetSpec(
                [source.name, table.name],
                deps=[last_key_in_lake(source)],
                group_name="raw",
                kinds={"dlt"},
                description=f"Table {source.schema_name}.{table.name}; "
                f"key: {', '.join(table.warehouse_key)}.",
            )
            for table in source.tables
        ],
        can_subset=False,
    )
    def tables(context: dg.AssetExecutionContext) -> Iterator[dg.MaterializeResult]:
        from ingestion.load import load  # dlt takes seconds to import; most processes never load

        result = load(load_settings(), source)
        context.log.info("%s: %s new units", source.schema_name, result.units)
        for table in source.tables:
            yield dg.MaterializeResult(
                asset_key=[source.name, table.name],
                metadata={"rows_merged": result.rows[table.name], "units": result.units},
            )

    return tables
