"""The asset graph as Dagster sees it: joined from the lake to the marts, grouped, checked."""

import json

import dagster as dg
import pytest
import yaml

from ingestion.computed import MATCHING
from ingestion.sources import SOURCES
from tests.support.checkout import ROOT


@pytest.fixture(scope="module")
def graph():
    from orchestration.definitions import defs

    return defs.resolve_asset_graph()


@pytest.fixture(scope="module")
def manifest():
    from orchestration.dbt_models import current_manifest

    return json.loads(current_manifest().read_text())


PUBLISHED = dg.AssetKey(["published", "marts"])


def layer(graph, key: dg.AssetKey) -> str:
    return graph.get(key).group_name


def test_every_group_is_a_layer(graph):
    groups = {layer(graph, key) for key in graph.get_all_asset_keys()}
    assert groups == {"lake", "raw", "staging", "intermediate", "marts", "founding", "published"}


def test_every_asset_is_made_by_the_graph_itself(graph):
    assert graph.external_asset_keys == set()


def test_every_mart_descends_from_the_lake(graph):
    lake = {dg.AssetKey(["lake", source.name]) for source in SOURCES}
    for key in graph.get_all_asset_keys():
        if layer(graph, key) in ("marts", "founding"):
            ancestors = dg.AssetSelection.assets(key).upstream().resolve(graph)
            assert ancestors & lake, f"{key.to_user_string()} comes from nowhere"


def test_every_raw_table_is_read_by_staging_and_by_nothing_else(graph):
    for source in SOURCES:
        for table in source.tables:
            children = graph.get(dg.AssetKey([source.name, table.name])).child_keys
            assert {layer(graph, child) for child in children} == {"staging"}


def test_every_model_has_its_data_tests_as_checks(graph):
    checked = {check.asset_key for check in graph.asset_check_keys}
    no_models = ("lake", "raw", "published")
    models = {key for key in graph.get_all_asset_keys() if layer(graph, key) not in no_models}
    assert models <= checked


def test_every_data_test_of_models_is_a_check_once(manifest):
    from orchestration.dbt_models import matched_models, models_to_match

    checks = [key for models in (models_to_match, matched_models) for key in models.check_keys]
    tests = [
        node["name"]
        for node in manifest["nodes"].values()
        if node["resource_type"] == "test" and node.get("attached_node")
    ]
    assert set(tests) <= {key.name for key in checks}
    assert len(checks) == len(set(checks))


def test_matching_stands_between_what_it_reads_and_what_is_made_of_it(graph):
    candidates = dg.AssetKey(["lake", "matching"])
    read = {dg.AssetKey(["intermediate", name]) for name in ("int_songs_enriched", "int_tracks_deduplicated")}
    staged = {dg.AssetKey(["staging", f"stg_matching__{table.name}"]) for table in MATCHING.tables}
    assert read <= graph.get(candidates).parent_keys
    for key in staged:
        assert candidates in dg.AssetSelection.assets(key).upstream().resolve(graph)


def test_what_is_no_mart_and_not_made_of_candidates_is_built_before_them(graph):
    from orchestration.dbt_models import matched_models, models_to_match

    raw = [dg.AssetKey(["matching", table.name]) for table in MATCHING.tables]
    made_of_candidates = dg.AssetSelection.assets(*raw).downstream(include_self=False).resolve(graph)
    made_of_candidates -= {PUBLISHED}
    marts = {key for key in graph.get_all_asset_keys() if layer(graph, key) == "marts"}
    assert matched_models.keys == made_of_candidates | marts
    assert not models_to_match.keys & matched_models.keys


def test_every_asset_says_what_it_is(graph):
    for key in graph.get_all_asset_keys():
        assert graph.get(key).description, key.to_user_string()


def test_the_raw_tables_of_a_source_are_loaded_together_or_not_at_all(graph):
    songs = graph.get(dg.AssetKey(["msd", "songs"]))
    assert {key.path[-1] for key in songs.execution_set_asset_keys} == {
        table.name for source in SOURCES if source.name == "msd" for table in source.tables
    }


def test_the_instance_runs_one_run_at_a_time():
    instance = yaml.safe_load((ROOT / "orchestration" / "dagster.yaml").read_text())
    assert instance["concurrency"]["runs"]["max_concurrent_runs"] == 1


def test_what_is_published_comes_after_every_mart_and_view_of_them(graph):
    shown = {key for key in graph.get_all_asset_keys() if layer(graph, key) in ("marts", "founding")}
    assert shown <= graph.get(PUBLISHED).parent_keys
