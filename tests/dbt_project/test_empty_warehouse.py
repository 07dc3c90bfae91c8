"""`dbt build` by hand works before anything was loaded, on a project that both targets parse."""

import duckdb
import pytest

from dbt_project.dictionary.models import public_models
from dbt_project.lint.redshift.rules import findings
from tests.dbt_project.conftest import DbtWorkplace, Invocation


@pytest.mark.parametrize("target", ["duckdb", "redshift"])
def test_both_targets_take_the_project_without_a_warning(
    target: str, invocations: dict[str, Invocation]
) -> None:
    invocation = invocations[target]
    assert invocation.returncode == 0, invocation.output
    assert "warning" not in invocation.output.lower().replace("warn=0", ""), invocation.output


def test_every_node_of_the_build_succeeds(workplace: DbtWorkplace, manifest: dict) -> None:
    results = {each["unique_id"]: each["status"] for each in workplace.read("run_results.json")["results"]}
    exposures = manifest["exposures"]  # there is nothing to build of them
    assert {status for name, status in results.items() if name not in exposures} <= {"success", "pass"}
    assert {*results} - {*exposures} == {*manifest["nodes"], *manifest["unit_tests"]}


def test_every_column_that_a_model_has_is_described_and_no_other(
    workplace: DbtWorkplace, manifest: dict
) -> None:
    with duckdb.connect(str(workplace.warehouse), read_only=True) as connection:
        rows = connection.sql(
            "select table_schema, table_name, list(column_name order by ordinal_position) "
            "from information_schema.columns group by all"
        ).fetchall()
    built = {(schema, table): columns for schema, table, columns in rows}
    described = {
        (node["schema"], node["alias"]): list(node["columns"])
        for node in manifest["nodes"].values()
        if node["resource_type"] == "model"
    }
    assert {model: built.get(model) for model in described} == described


def test_the_founding_tables_are_views_under_their_own_names(workplace: DbtWorkplace) -> None:
    with duckdb.connect(str(workplace.warehouse), read_only=True) as connection:
        rows = connection.sql(
            "select table_schema, table_name, table_type from information_schema.tables "
            "where table_schema in ('msd', 'mapped', 'spotify', 'analytics')"
        ).fetchall()
    assert set(rows) == {
        (schema, table, "VIEW")
        for schema in ("msd", "mapped", "spotify", "analytics")
        for table in ("artists", "songs")
    }


def test_every_raw_column_is_described_and_no_other(workplace: DbtWorkplace, manifest: dict) -> None:
    with duckdb.connect(str(workplace.warehouse), read_only=True) as connection:
        rows = connection.sql(
            "select table_schema, table_name, list(column_name order by column_name) "
            "from information_schema.columns where table_schema like 'raw_%' group by all"
        ).fetchall()
    raw = {(schema, table): columns for schema, table, columns in rows}
    described = {
        (source["schema"], source["name"]): sorted(source["columns"])
        for source in manifest["sources"].values()
    }
    assert raw == described


def test_example_queries_are_sql_that_either_engine_takes(workplace: DbtWorkplace, manifest: dict) -> None:
    """On an empty warehouse: names and types are right, and Redshift has all that they use."""
    with duckdb.connect(str(workplace.warehouse), read_only=True) as connection:
        for model in public_models(manifest):
            connection.execute(model.example_query)
            assert [finding.what for finding in findings(model.example_query)] == [], model.title


def test_data_tests_can_fail(workplace: DbtWorkplace, manifest: dict) -> None:
    """Rows that nothing in raw accounts for, wrong in every way that the house's own tests look for."""
    mart_of_count = {
        node["name"]: node["config"]["meta"]["dagster"]["ref"]["name"]
        for node in manifest["nodes"].values()
        if node["name"].endswith("_of_raw_are_accounted_for")
    }
    changed = {
        *(f"marts.{mart}" for mart in mart_of_count.values()),
        "marts.agg_unavailable_fields",
        "intermediate.int_playlist_tracks_changed",
        "raw_spotify.tracks",
        "raw_spotify.artists",
    }
    with duckdb.connect(str(workplace.warehouse)) as connection:
        for mart in 2 * [*mart_of_count.values()]:
            connection.execute(f"insert into marts.{mart} default values")
        # 2,049 letters of two bytes: within 4,096 characters, not within 4,096 bytes.
        connection.execute(
            "insert into marts.dim_songs (song_id, title, key, track_count, is_in_msd, is_in_spotify) "
            "values ('a', repeat('é', 2049), 12, 0, false, false)"
        )
        connection.execute("insert into marts.dim_songs (is_in_msd) values (true)")
        for _ in range(2):
            connection.execute(
                "insert into marts.fct_playlist_tracks (playlist_id, position, snapshot_id, item_type) "
                "values ('p', 0, 's', 'track')"
            )
        for columns, day in (
            ("marts.fct_playlist_followers (observed_on)", "2026-01-01"),
            ("marts.dim_playlists (last_observed_on)", "2026-01-02"),
            ("intermediate.int_playlist_tracks_changed (seen_on)", "2026-01-01"),
            ("marts.fct_song_popularity (observed_on)", "2026-01-01"),
            ("raw_spotify.tracks (observed_on)", "2026-02-01"),
            ("marts.fct_artist_popularity (observed_on)", "2026-01-01"),
        ):
            connection.execute(f"insert into {columns} values ('{day}')")
        connection.execute(
            "insert into raw_spotify.artists (is_full, observed_on) values (true, '2026-02-01')"
        )
        connection.execute(
            "insert into marts.agg_unavailable_fields (object_type, field, last_missing_on) "
            "values ('artist', 'popularity', '2026-01-02')"
        )
    selection = [f"{mart},test_type:data" for mart in mart_of_count.values()]
    process = workplace.start("test", "--select", *selection)
    output = workplace.finish(process).output
    with duckdb.connect(str(workplace.warehouse)) as connection:
        for table in changed:
            connection.execute(f"delete from {table}")
    status = {
        manifest["nodes"][each["unique_id"]]["name"]: each["status"]
        for each in workplace.read("run_results.json")["results"]
    }
    failed = {name for name, told in status.items() if told == "fail"}
    assert failed >= mart_of_count.keys(), output
    assert failed >= {
        "looks_are_as_new_as_playlists",
        "changes_are_as_new_as_states_of_playlists",
        "popularity_is_told_while_tracks_are",
    }, output
    assert status["popularity_is_told_while_artists_are"] == "pass", output
    kinds = {
        node["test_metadata"]["name"]
        for node in manifest["nodes"].values()
        if node.get("test_metadata") and node["name"] in failed
    }
    assert kinds >= {
        "varchar_lengths_fit_contract",
        "accepted_range",
        "expression_is_true",
        "unique_combination_of_columns",
        "content_keys_agree",
    }, output
