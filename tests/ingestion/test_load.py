"""The loader: what is new in the lake, once, into tables that are always there."""

import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import dlt
import duckdb
import numpy as np
import pyarrow as pa
import pytest

from ingestion.config import Settings, load_settings
from ingestion.errors import LakeError, LoadError
from ingestion.extract import extract
from ingestion.lake import Lake
from ingestion.load import LOADED_UNITS, load, prepare, quick_look
from ingestion.msd import MSD
from ingestion.msd.tables import ARTIST_TERMS, SONGS
from ingestion.source import FileSource
from ingestion.tables import RawTable, columns, key_columns
from tests.support.msd_files import make_song, write_song, write_song_files
from tests.support.row_hash import assert_same_tables, images_of_schema

SONG_COUNT = 8

SOURCE = replace(MSD, tables=tuple(replace(table, is_kept_per_unit=False) for table in MSD.tables))
"""Song files as a source whose rows replace those of other units, as those of most sources do."""


@pytest.fixture(scope="module")
def msd_path(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("songs")
    write_song_files(folder, range(SONG_COUNT))
    (folder / "bad.h5").touch()
    return folder


@pytest.fixture(scope="module")
def loaded(tmp_path_factory, msd_path):
    """A warehouse with the songs loaded, and the result of that load. To be copied, not changed."""
    where = settings(tmp_path_factory.mktemp("loaded") / "data", msd_path)
    extract(where, SOURCE, msd_path)
    return where, load(where, SOURCE)


@pytest.fixture
def warehouse(loaded, msd_path, tmp_path) -> Settings:
    """A copy of the loaded warehouse and its lake."""
    shutil.copytree(loaded[0].data_dir, tmp_path / "data", symlinks=True)
    return settings(tmp_path / "data", msd_path)


WIDE_ROWS, WIDE_BYTES = 60_000, 64


def read_wide(root, inputs, hash_user):  # noqa: ARG001
    """Text that does not compress, in many columns."""
    random = np.random.default_rng(0)
    for start in range(0, WIDE_ROWS, 10_000):
        ids = range(start, start + 10_000)
        texts = {f"c{n}": [random.bytes(WIDE_BYTES // 2).hex() for _ in ids] for n in range(40)}
        yield WIDE.tables[0], pa.table({"id": ids} | texts)


WIDE = FileSource(
    name="wide",
    tables=(
        RawTable(
            "rows",
            pa.schema(key_columns(id=pa.int64()) + columns(**{f"c{n}": pa.string() for n in range(40)})),
            ("id",),
        ),
    ),
    suffixes=(".wide",),
    reader_version=1,
    files_per_unit=1,
    counted_as="files",
    read_unit=read_wide,
)


def settings(data_dir, msd_path) -> Settings:
    return load_settings({"WAREHOUSE_DATA_DIR": str(data_dir), "MSD_PATH": str(msd_path)})


def query(where, sql):
    with duckdb.connect(str(where.warehouse_path), read_only=True) as connection:
        return connection.sql(sql).fetchall()


def execute(where, *statements):
    with duckdb.connect(str(where.warehouse_path)) as connection:
        for statement in statements:
            connection.execute(statement)


def raw_tables(where):
    with duckdb.connect(str(where.warehouse_path), read_only=True) as connection:
        return images_of_schema(connection, "raw_msd")


def write_unit(where, unit_id, **batches):
    """A unit of the lake made of whole Arrow tables, by name of their raw table."""
    tables = {table.name: table for table in SOURCE.tables}
    with Lake(where.lake_url).write_unit("msd", unit_id, "1", []) as writer:
        for name, rows in batches.items():
            if name == "songs":
                rows = [{"is_summary": False} | row for row in rows]
            writer.write(tables[name], tables[name].from_rows(rows))


def test_raw_tables_exist_empty_with_all_columns_before_any_load(tmp_path, msd_path):
    where = settings(tmp_path / "data", msd_path)
    for _ in range(2):  # a second time changes nothing
        prepare(where, [SOURCE])
        for table in (*SOURCE.tables, LOADED_UNITS):
            columns = query(
                where,
                "select column_name, data_type from information_schema.columns "
                f"where table_schema = 'raw_msd' and table_name = '{table.name}' order by ordinal_position",
            )
            assert [name for name, _ in columns] == [*table.warehouse_schema.names, "_dlt_load_id"]
            assert query(where, f"select count(*) from raw_msd.{table.name}") == [(0,)]
    types = dict(
        query(
            where,
            "select column_name, data_type from information_schema.columns "
            "where table_schema = 'raw_msd' and table_name = 'songs'",
        )
    )
    assert types["title"] == "VARCHAR"
    assert types["year"] in ("INTEGER", "BIGINT")
    assert types["tempo"] == "DOUBLE"
    assert types["extracted_at"] == "TIMESTAMP WITH TIME ZONE"
    assert not where.loader_dir.exists()


def test_a_load_brings_every_row_with_its_unit_and_load(loaded):
    where, result = loaded
    assert (result.source, result.units) == ("msd", 1)
    assert result.rows["songs"] == SONG_COUNT
    assert result.rows == {name: image.row_count for name, image in raw_tables(where).items()}
    assert query(where, "select track_id, title from raw_msd.songs order by 1") == [
        (song.track_id, song.scalars["title"]) for song in map(make_song, range(SONG_COUNT))
    ]
    assert query(where, "select reason from raw_msd.quarantined_inputs") == [("empty_file",)]
    (unit_id,) = Lake(where.lake_url).done_unit_ids("msd")
    extracted_at = Lake(where.lake_url).done_record("msd", unit_id).extracted_at
    assert query(where, "select distinct lake_unit_id, extracted_at from raw_msd.songs") == [
        (unit_id, extracted_at)
    ]
    assert query(
        where,
        "select count(*) from raw_msd.songs where _dlt_load_id in (select load_id from raw_msd._dlt_loads)",
    ) == [(SONG_COUNT,)]
    assert not where.loader_dir.exists()


def test_loading_again_brings_nothing(warehouse):
    before = raw_tables(warehouse)
    loads = query(warehouse, "select count(*) from raw_msd._dlt_loads")
    result = load(warehouse, SOURCE)
    assert result.units == 0
    assert not any(result.rows.values())
    assert_same_tables(raw_tables(warehouse), before)
    assert query(warehouse, "select count(*) from raw_msd._dlt_loads") == loads


def test_the_same_input_extracted_and_loaded_elsewhere_gives_the_same_tables(loaded, msd_path, tmp_path):
    elsewhere = settings(tmp_path / "data", shutil.copytree(msd_path, tmp_path / "moved"))
    extract(elsewhere, SOURCE, elsewhere.source_paths["msd"])
    load(elsewhere, SOURCE)
    assert_same_tables(raw_tables(elsewhere), raw_tables(loaded[0]))


def test_a_changed_file_replaces_its_rows(warehouse, msd_path, tmp_path):
    folder = shutil.copytree(msd_path, tmp_path / "songs")
    write_song(folder, make_song(3, title="Changed", tempo=1.5))
    extract(warehouse, SOURCE, folder)
    assert load(warehouse, SOURCE).units == 1
    changed = query(warehouse, "select track_id, title, tempo from raw_msd.songs where title = 'Changed'")
    assert changed == [(make_song(3).track_id, "Changed", 1.5)]
    assert query(warehouse, "select count(*), count(distinct track_id) from raw_msd.songs") == [
        (SONG_COUNT, SONG_COUNT)
    ]
    assert query(warehouse, "select count(*) from raw_msd._loaded_units") == [(2,)]


def test_children_that_a_changed_file_no_longer_has_are_told_by_their_unit(warehouse, msd_path, tmp_path):
    folder = shutil.copytree(msd_path, tmp_path / "songs")
    song = make_song(3)
    for array in song.arrays:
        song.arrays[array] = song.arrays[array][:1]
    write_song(folder, song)
    extract(warehouse, SOURCE, folder)
    load(warehouse, SOURCE)
    current_terms = (
        "select count(*) from raw_msd.artist_terms inner join raw_msd.songs using (track_id, lake_unit_id) "
        f"where track_id = '{song.track_id}'"
    )
    assert query(warehouse, current_terms) == [(1,)]


def test_of_one_key_in_two_units_of_a_package_the_newest_row_wins(warehouse):
    new = make_song(100).track_id
    for number, title in enumerate(["oldest", "older", "newest"]):
        write_unit(
            warehouse,
            f"{9 - number}",  # against the order of names
            songs=[{"track_id": new, "title": title}],
            artist_terms=[{"track_id": new, "position": 0, "term": title}],
        )
    result = load(warehouse, SOURCE)
    assert (result.units, result.rows["songs"]) == (3, 3)
    assert query(warehouse, f"select title from raw_msd.songs where track_id = '{new}'") == [("newest",)]
    terms = query(warehouse, f"select term from raw_msd.artist_terms where track_id = '{new}'")
    assert terms == [("newest",)]
    assert query(warehouse, "select count(*) from raw_msd.songs") == [(SONG_COUNT + 1,)]
    assert load(warehouse, SOURCE).units == 0


def test_keys_of_two_units_that_do_not_meet_are_all_kept(warehouse):
    for number in (100, 101):
        write_unit(
            warehouse,
            f"unit{number}",
            songs=[{"track_id": make_song(number).track_id}],
            artist_terms=[{"track_id": make_song(number).track_id, "position": i} for i in range(2)],
        )
    load(warehouse, SOURCE)
    assert query(warehouse, "select count(*) from raw_msd.songs") == [(SONG_COUNT + 2,)]
    assert {SONGS.primary_key, ARTIST_TERMS.primary_key} == {
        ("track_id", "is_summary"),
        ("track_id", "position"),
    }


def test_where_raw_keeps_rows_per_unit_it_is_the_same_whichever_came_first(tmp_path, msd_path):
    loaded_in_order = []
    for order in (("one", "two"), ("two", "one")):
        where = settings(tmp_path / order[0], msd_path)
        for unit_id in order:
            song = {"track_id": make_song(0).track_id, "title": unit_id}
            terms = [
                {"track_id": song["track_id"], "position": i, "term": unit_id} for i in range(len(unit_id))
            ]
            write_unit(where, unit_id, songs=[song], artist_terms=terms)
            load(where, MSD)
        assert query(where, "select title from raw_msd.songs order by 1") == [("one",), ("two",)]
        loaded_in_order.append(raw_tables(where))
    assert_same_tables(*loaded_in_order)


def test_a_unit_extracted_again_replaces_its_own_rows_where_they_are_kept_per_unit(tmp_path, msd_path):
    where = settings(tmp_path / "data", msd_path)
    songs = [{"track_id": make_song(number).track_id} for number in range(2)]
    write_unit(where, "other", songs=songs)
    for titles in (("a", "b"), ("c", "d")):
        write_unit(where, "unit", songs=[song | {"title": t} for song, t in zip(songs, titles, strict=True)])
        load(where, MSD)
        execute(where, "delete from raw_msd._loaded_units")
    assert query(where, "select title from raw_msd.songs order by 1 nulls last") == [
        ("c",),
        ("d",),
        (None,),
        (None,),
    ]


def test_a_unit_that_comes_late_does_not_replace_rows_extracted_after_it(warehouse):
    new, other = make_song(100).track_id, make_song(101).track_id
    write_unit(warehouse, "late", songs=[{"track_id": new, "title": "old"}, {"track_id": other}])
    record = Path(warehouse.lake_url, "msd/done/late.json")
    on_its_way = record.rename(warehouse.data_dir / "late.json")
    write_unit(warehouse, "early", songs=[{"track_id": new, "title": "new"}])
    load(warehouse, SOURCE)
    on_its_way.rename(record)
    load(warehouse, SOURCE)
    assert query(
        warehouse,
        f"select track_id, title, lake_unit_id from raw_msd.songs where track_id >= '{new}' order by 1",
    ) == [(new, "new", "early"), (other, None, "late")]


def test_units_that_come_late_together_are_put_in_order_among_themselves_and_with_what_is_there(warehouse):
    ids = [make_song(number).track_id for number in (100, 101)]
    records = []
    for unit in ("oldest", "older"):
        write_unit(warehouse, unit, songs=[{"track_id": id_, "title": unit} for id_ in ids])
        records.append(Path(warehouse.lake_url, f"msd/done/{unit}.json"))
    kept = [record.rename(warehouse.data_dir / record.name) for record in records]
    write_unit(warehouse, "newest", songs=[{"track_id": ids[0], "title": "newest"}])
    load(warehouse, SOURCE)
    for file, record in zip(kept, records, strict=True):
        file.rename(record)
    load(warehouse, SOURCE)
    assert query(
        warehouse, f"select title from raw_msd.songs where track_id >= '{ids[0]}' order by track_id"
    ) == [("newest",), ("older",)]


def rewrite_unit(where, unit_id, **batches):
    """The next revision of a unit, made of whole Arrow tables, by name of their raw table."""
    lake = Lake(where.lake_url)
    tables = {table.name: table for table in SOURCE.tables}
    with lake.rewrite_unit(lake.done_record("msd", unit_id)) as writer:
        for name, rows in batches.items():
            writer.write(tables[name], tables[name].from_rows(rows))


def song(track_id, title):
    return {"track_id": track_id, "is_summary": False, "title": title}


def test_a_rewritten_unit_takes_the_place_of_its_earlier_revision(warehouse):
    one, two = (make_song(number).track_id for number in (100, 101))
    write_unit(
        warehouse,
        "unit",
        songs=[song(one, "one"), song(two, "two")],
        artist_terms=[{"track_id": one, "position": 0, "term": "rock"}],
    )
    load(warehouse, SOURCE)
    before = raw_tables(warehouse)
    rewrite_unit(warehouse, "unit", songs=[song(one, "rewritten")])
    assert load(warehouse, SOURCE).units == 1
    titles = f"select title, lake_unit_id from raw_msd.songs where track_id >= '{one}'"
    assert query(warehouse, titles) == [("rewritten", "unit")]
    assert query(warehouse, f"select count(*) from raw_msd.artist_terms where track_id = '{one}'") == [(0,)]
    assert query(warehouse, "select unit_id from raw_msd._loaded_units where lake_unit_id = 'unit'") == [
        ("unit.1",)
    ]
    assert load(warehouse, SOURCE).units == 0
    assert raw_tables(warehouse)["files"].row_count == before["files"].row_count


def test_a_rewritten_unit_does_not_replace_rows_extracted_after_it(warehouse):
    one = make_song(100).track_id
    write_unit(warehouse, "old", songs=[song(one, "old")])
    write_unit(warehouse, "new", songs=[song(one, "new")])
    load(warehouse, SOURCE)
    rewrite_unit(warehouse, "old", songs=[song(one, "rewritten")])
    load(warehouse, SOURCE)
    assert query(warehouse, f"select title from raw_msd.songs where track_id = '{one}'") == [("new",)]


def test_where_all_units_are_rewritten_a_row_comes_back_that_another_had_replaced(warehouse):
    one = make_song(100).track_id
    write_unit(warehouse, "old", songs=[song(one, "old")])
    write_unit(warehouse, "new", songs=[song(one, "new")])
    load(warehouse, SOURCE)
    rewrite_unit(warehouse, "old", songs=[song(one, "old")])
    rewrite_unit(warehouse, "new", songs=[])
    load(warehouse, SOURCE)
    assert query(warehouse, f"select title from raw_msd.songs where track_id = '{one}'") == [("old",)]


@pytest.mark.parametrize(
    "state_after_the_kill",
    [
        "delete from raw_msd._loaded_units where unit_id = 'unit'",
        "delete from raw_msd.songs where lake_unit_id = 'unit'",
        "update raw_msd.songs set title = 'half loaded' where title = 'one'",
    ],
)
def test_a_load_of_a_rewritten_unit_that_was_cut_short_is_completed(state_after_the_kill, warehouse):
    one, two = (make_song(number).track_id for number in (100, 101))
    write_unit(warehouse, "unit", songs=[song(one, "one"), song(two, "two")])
    load(warehouse, SOURCE)
    rewrite_unit(warehouse, "unit", songs=[song(one, "rewritten")])
    execute(warehouse, state_after_the_kill)
    assert load(warehouse, SOURCE).units == 1
    rows = query(warehouse, f"select title from raw_msd.songs where track_id >= '{one}'")
    assert rows == [("rewritten",)]
    assert load(warehouse, SOURCE).units == 0


def test_a_unit_extracted_again_after_it_was_rewritten_is_loaded_again(warehouse):
    one, two = (make_song(number).track_id for number in (100, 101))
    write_unit(warehouse, "unit", songs=[song(one, "one")])
    rewrite_unit(warehouse, "unit", songs=[song(two, "two")])
    load(warehouse, SOURCE)
    Path(warehouse.lake_url, "msd/done/unit.1.json").unlink()
    write_unit(warehouse, "unit", songs=[song(one, "again")])
    load(warehouse, SOURCE)
    assert query(warehouse, f"select title from raw_msd.songs where track_id >= '{one}'") == [("again",)]


def test_a_load_that_was_not_closed_is_done_again(warehouse, loaded):
    """After some kills a unit is named in `_loaded_units` while rows of it are missing."""
    execute(
        warehouse,
        "delete from raw_msd._dlt_loads where load_id in (select _dlt_load_id from raw_msd.songs)",
        "delete from raw_msd.songs",
        "delete from raw_msd.artist_terms where position > 0",
    )
    assert load(warehouse, SOURCE).units == 1
    assert_same_tables(raw_tables(warehouse), raw_tables(loaded[0]))
    assert query(warehouse, "select count(*) from raw_msd._loaded_units") == [(1,)]


def write_other_songs(where, song):
    """A unit of the lake whose songs have the columns of this one alone."""
    rows = pa.Table.from_pylist([song])
    table = RawTable("songs", rows.schema, SONGS.primary_key)
    with Lake(where.lake_url).write_unit("msd", "ff", "0", []) as writer:
        writer.write(table, rows)


def test_columns_that_a_part_of_an_earlier_release_lacks_are_null(warehouse):
    write_other_songs(warehouse, {"is_summary": False, "title": "Old", "track_id": "TRAAAAA128F0000001"})
    load(warehouse, SOURCE)
    assert query(warehouse, "select track_id, title, tempo from raw_msd.songs where title = 'Old'") == [
        ("TRAAAAA128F0000001", "Old", None)
    ]


def without(source: FileSource, table: str, *left_out: str) -> FileSource:
    """The source of an earlier release, whose table had not these columns yet."""
    return replace(
        source,
        tables=tuple(
            replace(each, schema=pa.schema([field for field in each.schema if field.name not in left_out]))
            if each.name == table
            else each
            for each in source.tables
        ),
    )


@pytest.mark.parametrize("is_prepared", [True, False], ids=["prepared", "loaded at once"])
def test_a_table_of_an_earlier_release_gets_the_columns_it_lacks_and_keeps_its_rows(
    is_prepared, tmp_path, msd_path
):
    where = settings(tmp_path / "data", msd_path)
    earlier = without(SOURCE, "artist_terms", "weight", "frequency")
    prepare(where, [earlier])
    execute(
        where,
        "insert into raw_msd.artist_terms by name select 'TR' as track_id, 0 as position, 'old' as term, "
        "'u' as lake_unit_id, now() as extracted_at, '1' as _dlt_load_id",
    )
    if is_prepared:
        prepare(where, [SOURCE])
    extract(where, SOURCE, msd_path)
    load(where, SOURCE)
    terms = "select {} from raw_msd.artist_terms where term {} 'old'"
    assert query(where, terms.format("weight, frequency", "=")) == [(None, None)]
    assert query(where, terms.format("count(*) > 0 and count(*) = count(weight)", "<>")) == [(True,)]


def test_a_column_that_this_release_does_not_know_is_refused_and_what_was_loaded_stays(warehouse):
    before = raw_tables(warehouse)
    write_other_songs(warehouse, {"is_summary": False, "mood": "blue", "track_id": "TRAAAAA128F0000001"})
    with pytest.raises(Exception, match="mood"):
        load(warehouse, SOURCE)
    assert_same_tables(raw_tables(warehouse), before)


@pytest.mark.parametrize("other_units", [0, 1])
@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (lambda part: part.write_bytes(part.read_bytes()[:-1] + b"x"), "not what its done-record names"),
        (lambda part: part.unlink(), "missing from the lake"),
    ],
    ids=["damaged", "missing"],
)
def test_a_part_that_cannot_be_read_is_named_and_what_was_loaded_stays(
    damage, said, other_units, warehouse, loaded
):
    write_unit(warehouse, "bad", songs=[{"track_id": "TR1"}])
    for number in range(other_units):
        write_unit(warehouse, f"good{number}", songs=[{"track_id": "TR2"}])
    damage(Path(warehouse.lake_url, "msd/songs/bad.parquet"))
    with pytest.raises(LakeError, match=rf"msd/songs/bad\.parquet .*{said}"):
        load(warehouse, SOURCE)
    assert_same_tables(raw_tables(warehouse), raw_tables(loaded[0]))
    Path(warehouse.lake_url, "msd/done/bad.json").unlink()
    assert load(warehouse, SOURCE).units == other_units


def test_rows_wider_than_the_memory_for_appending_holds_are_loaded_all_the_same(tmp_path):
    folder = tmp_path / "wide"
    folder.mkdir()
    (folder / "one.wide").touch()
    where = settings(tmp_path / "data", folder)
    extract(where, WIDE, folder)
    assert load(where, WIDE).rows["rows"] == WIDE_ROWS
    sums = query(
        where, f"select count(*), {', '.join(f'min(length(c{n}))' for n in (0, 39))} from raw_wide.rows"
    )
    assert sums == [(WIDE_ROWS, WIDE_BYTES, WIDE_BYTES)]


def test_a_warehouse_open_elsewhere_is_an_error_that_says_what_to_do(warehouse):
    hold = (
        "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", hold, str(warehouse.warehouse_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as holder:
        assert holder.stdout.readline() == "open\n"
        with pytest.raises(LoadError, match=r"warehouse\.duckdb is open in another process.*close it"):
            load(warehouse, SOURCE)
        holder.communicate("end\n")
    assert load(warehouse, SOURCE).units == 0


def test_two_loaders_at_once_both_end_well_and_load_once(loaded, warehouse):
    warehouse.warehouse_path.unlink()
    command = [sys.executable, "-m", "ingestion", "load"]
    environment = {**os.environ, "WAREHOUSE_DATA_DIR": str(warehouse.data_dir)}
    loaders = [
        subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(2)
    ]
    logs = [loader.communicate()[0] for loader in loaders]
    assert [loader.returncode for loader in loaders] == [0, 0], logs
    assert sorted("raw_msd: 1 new units" in log for log in logs) == [False, True]
    assert_same_tables(raw_tables(warehouse), raw_tables(loaded[0]))


def test_another_target_is_refused(tmp_path, msd_path):
    where = load_settings(
        {"WAREHOUSE_DATA_DIR": str(tmp_path), "MSD_PATH": str(msd_path), "WAREHOUSE_TARGET": "redshift"}
    )
    with pytest.raises(LoadError, match="redshift"):
        load(where, SOURCE)


def test_a_quick_look_goes_straight_from_a_file_into_any_destination(tmp_path, msd_path):
    """The snippet of docs/architecture.md."""
    pipeline = dlt.pipeline("look", destination=dlt.destinations.duckdb(str(tmp_path / "look.duckdb")))
    pipeline.run(quick_look(settings(tmp_path, msd_path), MSD, msd_path))
    with pipeline.sql_client() as client:
        assert client.execute_sql("select count(*) from songs") == [(SONG_COUNT,)]
