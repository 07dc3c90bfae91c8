"""Lake assets: one per source, materialised by extracting what the lake does not hold yet."""

import dagster as dg

from ingestion.config import SOURCE_VARIABLES, load_settings
from ingestion.extract import extract
from ingestion.source import FileSource
from orchestration.inputs import input_path


def lake_key(source: FileSource) -> dg.AssetKey:
    """The asset key of a source's part of the lake."""
    return dg.AssetKey(["lake", source.name])


def lake_asset(source: FileSource) -> dg.AssetsDefinition:
    """The lake's parts of one source."""

    @dg.asset(
        key=lake_key(source),
        group_name="lake",
        kinds={"parquet"},
        description=f"Parquet parts and done-records, extracted from ${SOURCE_VARIABLES[source.name]}.",
    )
    def parts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        settings = load_settings()
        path = input_path(settings, source.name)
        if path is None:
            context.log.info("%s is not set: nothing to extract", SOURCE_VARIABLES[source.name])
            return dg.MaterializeResult(metadata={"files": 0})
        if settings.is_sandbox:
            context.log.info("no source is configured: reading the sandbox at %s", path)
        result = extract(settings, source, path)
        return dg.MaterializeResult(
            metadata={
                "files": result.files,
                "units_extracted": result.units_extracted,
                "units_done_before": result.units_done_before,
                "quarantined": result.quarantined,
                "source": dg.MetadataValue.path(path),
                **{f"rows_{table}": rows for table, rows in result.rows.items()},
            }
        )

    return parts
