"""The loader into the stand-in: what is new in the lake, once in effect, by COPY from S3."""

from dataclasses import replace
from pathlib import Path

import pytest

from ingestion.errors import LoadError
from ingestion.load import load, prepare
from tests.redshift_standin.lab import LAB, rewrite_unit, song, write_unit
from tests.redshift_standin.server import BUCKET

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


def test_parts_go_through_the_staging_folder(warehouse, stand_in):
    write_unit(warehouse, "unit", songs=[song("a", "one")])
    load(warehouse, LAB)
    staged = stand_in.s3().list_objects_v2(Bucket=BUCKET, Prefix="staging/raw_lab/songs/")
    assert staged["KeyCount"] == 1


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
