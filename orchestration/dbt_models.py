"""Every dbt model as an asset, every dbt test as an asset check: before matching, and after it."""

from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path
from typing import Any

import dagster as dg
from dagster_dbt import DagsterDbtTranslator, DbtCliResource, DbtProject, dbt_assets

from ingestion.computed import MATCHING
from ingestion.config import load_settings
from orchestration.project_files import ROOT, project_parts

# A target folder of its own: what is parsed by hand, for another target perhaps, is not taken for this.
project = DbtProject(project_dir=ROOT, profiles_dir=ROOT, target_path=Path("target/dagster"))
dbt_cli = DbtCliResource(project_dir=project)


def _newest_change() -> float:
    """When anything that the manifest is made of last changed, as a file time."""
    return max(part.stat().st_mtime for part in project_parts())


def current_manifest() -> Path:
    """The dbt manifest, parsed again only when the dbt project changed since: parsing takes seconds."""
    manifest = project.manifest_path
    if not manifest.exists() or manifest.stat().st_mtime < _newest_change():
        project.preparer.prepare(project)
        manifest.touch()
    return manifest


class LayerTranslator(DagsterDbtTranslator):
    """dbt's layers as Dagster's groups."""

    def get_group_name(self, dbt_resource_props: Mapping[str, Any]) -> str | None:
        """The layer: the first folder below `models/`; of a seed, which lies in none, its schema."""
        if dbt_resource_props["resource_type"] == "seed":
            return dbt_resource_props["schema"]
        return dbt_resource_props["fqn"][1]

    def get_asset_check_spec(self, *arguments: Any, **options: Any) -> dg.AssetCheckSpec | None:
        """A test that does not block by itself: where one fails, dbt does, and with it the step.

        Nothing has to wait for the result of a test that a run without changes leaves out.
        """
        spec = super().get_asset_check_spec(*arguments, **options)
        return spec and spec._replace(blocking=False)


QUARANTINED_SONG_FILES = dg.AssetKey(["staging", "stg_msd__quarantined_inputs"])
"""The model that says which song files could not be taken in."""


AFTER_MATCHING = f"source:{MATCHING.name}+ path:dbt_project/models/marts"
"""The models that are made of what matching found, and all marts; the others come before it.

A test of models on either side belongs to these: by then all that it reads is built.
"""


@dbt_assets(
    manifest=current_manifest(),
    project=project,
    exclude=AFTER_MATCHING,
    name="models_to_match",
    dagster_dbt_translator=LayerTranslator(),
)
def models_to_match(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator:
    """Build and test what matching reads, and all that does not depend on it."""
    yield from _build(context, dbt)


@dbt_assets(
    manifest=current_manifest(),
    project=project,
    select=AFTER_MATCHING,
    name="matched_models",
    dagster_dbt_translator=LayerTranslator(),
)
def matched_models(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator:
    """Build and test what is made of candidates."""
    from orchestration.built_state import remember

    yield from _build(context, dbt)
    remember(load_settings())


def _build(context: dg.AssetExecutionContext, dbt: DbtCliResource) -> Iterator:
    """dbt build, where it would make anything else; unit tests belong to development, not to a run.

    What was parsed for the manifest is not parsed again: that takes three times as long as looking for
    changes.
    """
    from orchestration.built_state import is_current  # with it comes dlt, which takes a while to import

    if is_current(load_settings()):
        context.log.info("raw rows and models are those of the last build: it holds")
        for key in TopologicalSorter(context.assets_def.asset_deps).static_order():
            if key in context.selected_asset_keys:
                yield dg.MaterializeResult(asset_key=key, metadata={"was_current": True})
        return
    parsed = ["--partial-parse-file-path", str(project.target_path / "partial_parse.msgpack")]
    yield from dbt.cli(["build", "--exclude-resource-type", "unit_test", *parsed], context=context).stream()
