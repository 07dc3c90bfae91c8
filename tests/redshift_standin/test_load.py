"""The loader into the stand-in: what is new in the lake, once in effect, by COPY from S3."""

from dataclasses import replace
from pathlib import Path

import pytest
from s3fs import S3FileSystem

from ingestion.errors import LoadError
from ingestion.load import load, prepare
from tests.redshift_standin.lab import LAB, SONGS, TERMS, rewrite_unit, song, write_unit
from tests.redshift_standin.server import BUCKET
from tests.support.faulty_s3 import faulty_s3

TITLES = "select song_id, title from raw_lab.songs order by song_id"


def test_raw_tables_exist_empty_before_any_load(warehouse, query):
    for _ in range(2):  # a second time changes nothing
        prepare(warehouse, [LAB])
    assert query(
        "select column_name, data_type, is_nullable from information_schema.columns "
        "where table_schema = 'raw_lab' and table_name = 'songs' order by ordinal_position"
    ) == [
        ("song_id", "character varying", "NO"),
        ("is_summary", "boolean", "NO"),
        ("title", "character varying", "YES"),
        ("year", "integer", "YES"),
        ("tempo", "double precision", "YES"),
        ("seen_at", "timestamp with time zone", "YES"),
        ("lake_unit_id", "character varying", "NO"),
        ("extracted_at", "timestamp with time zone", "NO"),
        ("_dlt_load_id", "character varying", "NO"),
    ]
    assert query("select count(*) from raw_lab.songs") == [(0,)]


def test_a_column_that_a_table_got_later_takes_its_own_values(warehouse, query):
    """COPY takes the columns of a file by their position, and a new column is a table's last."""
    schema = SONGS.schema.remove(SONGS.schema.get_field_index("title"))
    earlier = replace(LAB, tables=(replace(SONGS, schema=schema), TERMS))
    prepare(warehouse, [earlier])
    write_unit(warehouse, "one", songs=[song("a", "A") | {"year": 1}])
    load(warehouse, LAB)
    write_unit(warehouse, "two", songs=[song("a", "B") | {"year": 2}, song("b", "C") | {"tempo": 0.5}])
    load(warehouse, LAB)
    assert query("select song_id, title, year, tempo from raw_lab.songs order by song_id") == [
        ("a", "B", 2, None),
        ("b", "C", None, 0.5),
    ]


def test_a_load_brings_every_row_with_its_unit_and_load_and_loading_again_nothing(warehouse, query):
    rows = [song("a", "ä\\'\n"), song("b", ""), song("c", None)]
    write_unit(warehouse, "unit", songs=rows, terms=[{"song_id": "a", "position": 0, "term": "x"}])
    result = load(warehouse, LAB)
    assert (result.units, result.rows) == (1, {"songs": 3, "terms": 1})
    assert query(TITLES) == [("a", "ä\\'\n"), ("b", ""), ("c", None)]
    loads = "select load_id from raw_lab._dlt_loads where status = 0"
    assert query(f"select distinct lake_unit_id from raw_lab.songs where _dlt_load_id in ({loads})") == [
        ("unit",)
    ]
    assert load(warehouse, LAB).units == 0
    assert query("select count(*) from raw_lab.songs") == [(3,)]


def test_a_load_leaves_nothing_in_the_staging_tables(warehouse, query):
    for unit in ("one", "two"):
        write_unit(warehouse, unit, songs=[song("a", unit)])
        load(warehouse, LAB)
    assert query("select count(*) from raw_lab_staging.songs") == [(0,)]


def test_of_one_key_in_two_units_of_a_package_the_newest_row_wins(warehouse, query):
    write_unit(warehouse, "old", songs=[song("a", "old"), song("b", "kept")])
    write_unit(warehouse, "new", songs=[song("a", "new")])
    load(warehouse, LAB)
    assert query(TITLES) == [("a", "new"), ("b", "kept")]


def test_a_unit_extracted_later_replaces_rows(warehouse, query):
    write_unit(warehouse, "old", songs=[song("a", "old"), song("b", "kept")])
    load(warehouse, LAB)
    write_unit(warehouse, "new", songs=[song("a", "new"), song("c", "more")])
    load(warehouse, LAB)
    assert query(TITLES) == [("a", "new"), ("b", "kept"), ("c", "more")]


def test_a_unit_that_comes_late_does_not_replace_rows_extracted_after_it(warehouse, query):
    write_unit(warehouse, "old", songs=[song("a", "old"), song("b", "old")])
    record = Path(warehouse.lake_url, "lab/done/old.json")
    late = record.rename(record.parent.parent / "old.json")
    write_unit(warehouse, "new", songs=[song("a", "new")])
    load(warehouse, LAB)
    late.rename(record)
    load(warehouse, LAB)
    assert query(TITLES) == [("a", "new"), ("b", "old")]


def test_a_rewritten_unit_takes_the_place_of_its_earlier_revision(warehouse, query):
    write_unit(warehouse, "unit", songs=[song("a", "one"), song("b", "two")])
    load(warehouse, LAB)
    rewrite_unit(warehouse, "unit", songs=[song("a", "rewritten")])
    assert load(warehouse, LAB).units == 1
    assert query(TITLES) == [("a", "rewritten")]
    assert query("select unit_id from raw_lab._loaded_units") == [("unit.1",)]


def test_a_load_that_was_not_closed_is_done_again(warehouse, query, execute):
    write_unit(warehouse, "unit", songs=[song("a", "one"), song("b", "two")])
    load(warehouse, LAB)
    execute("delete from raw_lab._dlt_loads where load_id in (select _dlt_load_id from raw_lab.songs)")
    execute("delete from raw_lab.songs where song_id = 'b'")
    assert load(warehouse, LAB).units == 1
    assert query(TITLES) == [("a", "one"), ("b", "two")]


def test_parts_go_through_the_staging_folder_and_do_not_stay_there(warehouse, stand_in):
    stand_in.s3().put_object(Bucket=BUCKET, Key="staging/raw_lab/songs/left_by_a_killed_load.parquet")
    write_unit(warehouse, "unit", songs=[song("a", "one")])
    stand_in.copied.clear()
    load(warehouse, LAB)
    assert any(address.startswith(f"s3://{BUCKET}/staging/raw_lab/songs/") for address in stand_in.copied)
    assert stand_in.s3().list_objects_v2(Bucket=BUCKET, Prefix="staging/raw_lab")["KeyCount"] == 0


def test_a_database_takes_one_lake(warehouse, query, tmp_path):
    write_unit(warehouse, "unit", songs=[song("a", "one")])
    load(warehouse, LAB)
    other = replace(warehouse, lake_url=str(tmp_path / "other"))
    write_unit(other, "other", songs=[song("b", "two")])
    with pytest.raises(LoadError, match=r"is loaded from the lake .*/lake, and .*/other is another: .*drop"):
        load(other, LAB)
    assert query(TITLES) == [("a", "one")]


def test_a_lake_that_was_moved_is_the_same_lake(warehouse, query, tmp_path):
    write_unit(warehouse, "unit", songs=[song("a", "one")])
    load(warehouse, LAB)
    moved = replace(warehouse, lake_url=str(Path(warehouse.lake_url).rename(tmp_path / "moved")))
    write_unit(moved, "later", songs=[song("b", "two")])
    load(moved, LAB)
    assert query(TITLES) == [("a", "one"), ("b", "two")]


@pytest.mark.parametrize("is_sandbox", [True, False])
def test_the_sandbox_and_real_data_do_not_go_into_one_database(warehouse, query, is_sandbox):
    first = replace(warehouse, is_sandbox=is_sandbox)
    write_unit(first, "unit", songs=[song("a", "one")])
    load(first, LAB)
    second = replace(first, is_sandbox=not is_sandbox)
    write_unit(second, "later", songs=[song("b", "two")])
    held = "made-up data, of the lake" if is_sandbox else "real data, of the lake"
    with pytest.raises(LoadError, match=f"holds .*{held} .*REDSHIFT_DATABASE"):
        load(second, LAB)
    assert query(TITLES) == [("a", "one")]


def test_empty_tables_bind_a_database_to_no_lake(warehouse, query, tmp_path):
    prepare(warehouse, [LAB])
    load(warehouse, LAB)
    other = replace(warehouse, lake_url=str(tmp_path / "other"), is_sandbox=True)
    write_unit(other, "unit", songs=[song("a", "one")])
    load(other, LAB)
    assert query(TITLES) == [("a", "one")]


def test_a_missing_permission_on_the_staging_folder_is_told(warehouse, query, stand_in, monkeypatch):
    write_unit(warehouse, "unit", songs=[song("a", "one")])
    prepare(warehouse, [LAB])
    with faulty_s3(stand_in.s3_endpoint) as s3:
        monkeypatch.setenv("AWS_ENDPOINT_URL", s3.url)
        S3FileSystem.clear_instance_cache()  # as a new process: dlt's file system remembers where it went
        s3.fail("AccessDenied", lambda request: request.method == "PUT" and "raw_lab" in request.target)
        with pytest.raises(LoadError, match=r"^s3://stand-in/staging: .*staging takes s3:PutObject"):
            load(warehouse, LAB)
    S3FileSystem.clear_instance_cache()
    assert query(TITLES) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"password": "wrong"}, "password authentication failed"),
        ({"port": 1}, "127.0.0.1:1"),
        ({"staging_url": None}, "REDSHIFT_STAGING_URL"),
    ],
)
def test_what_cannot_be_loaded_into_is_an_error_that_says_why(warehouse, change, said):
    where = replace(warehouse, redshift=replace(warehouse.redshift, **change))
    with pytest.raises(LoadError, match=said):
        load(where, LAB)
