"""`dbt build` by hand works before anything was loaded, on a project that both targets parse."""

import duckdb
import pytest

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


def test_the_founding_tables_are_views_under_their_own_names(workplace: DbtWorkplace, manifest: dict) -> None:
    assert manifest
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


def test_the_generic_tests_can_fail(workplace: DbtWorkplace, manifest: dict) -> None:
    """Rows too many in some marts, wrong in every way that the house's own tests look for."""
    assert manifest
    with duckdb.connect(str(workplace.warehouse)) as connection:
        # 2,049 letters of two bytes: within 4,096 characters, not within 4,096 bytes.
        connection.execute(
            "insert into marts.dim_songs (song_id, title, key, track_count, is_in_msd, is_in_spotify) "
            "values ('a', repeat('é', 2049), 12, 0, false, false)"
        )
        for _ in range(2):
            connection.execute(
                "insert into marts.fct_playlist_tracks (playlist_id, position, snapshot_id, item_type) "
                "values ('p', 0, 's', 'track')"
            )
        connection.execute(
            "insert into marts.fct_playlist_followers (playlist_id, observed_on) values ('p', '2026-06-01')"
        )
        connection.execute(
            "insert into marts.fct_song_popularity (spotify_track_id, observed_on) values ('t', '2026-01-01')"
        )
    marts = ("dim_songs", "fct_playlist_tracks", "fct_playlist_followers", "fct_song_popularity")
    process = workplace.start("test", "--select", *(f"{mart},test_type:data" for mart in marts))
    output = workplace.finish(process).output
    with duckdb.connect(str(workplace.warehouse)) as connection:
        for mart in marts:
            connection.execute(f"delete from marts.{mart}")
    failed = {
        manifest["nodes"][each["unique_id"]]["test_metadata"]["name"]
        for each in workplace.read("run_results.json")["results"]
        if each["status"] == "fail" and manifest["nodes"][each["unique_id"]].get("test_metadata")
    }
    assert failed >= {
        "varchar_lengths_fit_contract",
        "accepted_range",
        "expression_is_true",
        "unique_combination_of_columns",
        "content_keys_agree",
        "recency",
    }, output
