"""The row hash notices every kind of difference, and nothing that is none."""

import math
import sqlite3
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import duckdb
import pytest

from tests.support.row_hash import TableImage, assert_same_tables, image_of, images_of_schema

COLUMNS = ("id", "title", "tempo")
ROWS = [(1, "A", 120.5), (2, "B", None), (3, "C", math.nan)]


def image(rows=ROWS, columns=COLUMNS):
    return TableImage.of_rows("songs", columns, rows)


def said(here, there):
    """The difference in words, which must be the same news from either side."""
    assert here != there
    assert there != here
    return "; ".join(here.differences(there))


def test_order_of_rows_and_of_columns_does_not_matter():
    turned = [row[::-1] for row in reversed(ROWS)]
    assert image() == image(turned, COLUMNS[::-1])
    assert image().row_hash == image(turned, COLUMNS[::-1]).row_hash


def test_volatile_columns_do_not_matter():
    one = image([(1, "load 1", "/a")], ("id", "_dlt_load_id", "source_root"))
    two = image([(1, "load 2", "/b")], ("id", "_dlt_load_id", "source_root"))
    assert one == two
    assert one == image([(1,)], ("id",))
    assert TableImage.of_rows("t", ("id", "at"), [(1, 2)], volatile={"at"}) == image([(1,)], ("id",))


def test_a_missing_row_is_noticed_and_counted():
    text = said(image(), image(ROWS[:2]))
    assert "3 rows here, 2 there" in text
    assert "1 rows only here, 0 only there" in text


def test_a_row_that_comes_twice_is_noticed():
    assert "3 rows here, 4 there" in said(image(), image([*ROWS, ROWS[0]]))
    other_twice = [ROWS[0], ROWS[0], ROWS[1]]
    assert "1 rows only here" in said(image([ROWS[0], ROWS[1], ROWS[1]]), image(other_twice))


def test_a_changed_value_is_noticed_and_its_column_named():
    assert "differing columns: title" in said(image(), image([(1, "a", 120.5), *ROWS[1:]]))


def test_values_exchanged_between_rows_are_noticed():
    exchanged = [(1, "B", 120.5), (2, "A", None), ROWS[2]]
    assert "the combinations differ" in said(image(), image(exchanged))


def test_a_null_is_neither_an_empty_text_nor_a_zero():
    said(image([(1, None, 1.0)]), image([(1, "", 1.0)]))
    said(image([(1, "A", None)]), image([(1, "A", 0.0)]))
    said(image([(1, "A", None)]), image([(1, "A", math.nan)]))


def test_a_missing_column_is_noticed_and_named():
    assert "columns only here: tempo" in said(image(), image([row[:2] for row in ROWS], COLUMNS[:2]))


def test_floating_point_values_within_the_tolerance_are_equal():
    assert image() == image([(1, "A", 120.5 * (1 + 1e-10)), *ROWS[1:]])
    assert image([(1, "A", math.inf), (2, "B", 0.0)]) == image([(1, "A", math.inf), (2, "B", -0.0)])


@pytest.mark.parametrize("other", [120.5 * (1 + 1e-8), -120.5, math.nan, None, math.inf])
def test_floating_point_values_beyond_the_tolerance_are_noticed_and_named(other):
    text = said(image(), image([(1, "A", other), *ROWS[1:]]))
    assert "tempo" in text


def test_floating_point_values_exchanged_between_rows_are_noticed():
    said(image([(1, "A", 1.0), (2, "B", 2.0)]), image([(1, "A", 2.0), (2, "B", 1.0)]))


def test_rows_told_apart_by_floating_point_values_alone_are_matched():
    columns = ("id", "x", "y")
    close = 1.0 + 1e-12
    here, there = [(1, 1.0, 5.0), (1, close, 3.0)], [(1, 1.0, 3.0), (1, close, 5.0)]
    assert image(here, columns) == image(there, columns)
    assert "column y: 1 floating-point values differ" in said(
        image(here, columns), image([(1, 1.0, 3.0), (1, 1.0, 6.0)], columns)
    )


def test_tables_without_rows_differ_by_their_columns_only():
    assert image([]) == image([])
    said(image([]), image([], COLUMNS[:2]))
    said(image([]), image())


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (5, Decimal("5.00")),
        (100, Decimal("1E+2")),
        (0, Decimal("0.00")),
        (datetime(2026, 1, 1, 12), datetime(2026, 1, 1, 12, tzinfo=UTC)),
        (datetime(2026, 1, 1, 12, tzinfo=UTC), datetime(2026, 1, 1, 14, tzinfo=timezone(timedelta(hours=2)))),
        (b"ab", memoryview(b"ab")),
        ([1, None], (1, None)),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    ],
)
def test_one_value_in_the_forms_of_two_engines_is_equal(one, two):
    assert image([(one,)], ("v",)) == image([(two,)], ("v",))


@pytest.mark.parametrize(
    ("one", "two"),
    [
        (1, True),
        (1, "1"),
        (0, False),
        (Decimal("1.5"), Decimal("1.50001")),
        (date(2026, 1, 1), datetime(2026, 1, 1)),
        (datetime(2026, 1, 1), datetime(2026, 1, 1, 0, 0, 0, 1)),
        ("1,2", [1, 2]),
        (["a", "b"], ["ab"]),
    ],
)
def test_values_that_look_alike_are_told_apart(one, two):
    said(image([(one,)], ("v",)), image([(two,)], ("v",)))


def test_a_value_cannot_spill_into_its_neighbour_column():
    said(image([("a", "b")], ("x", "y")), image([("ab", "")], ("x", "y")))
    said(image([("a", None)], ("x", "y")), image([(None, "a")], ("x", "y")))


def test_images_come_from_any_database():
    statements = [
        "create table songs (id integer, title varchar, tempo double precision)",
        "insert into songs values (1, 'Ä', 0.1), (2, null, null)",
    ]
    connections = duckdb.connect(), sqlite3.connect(":memory:")
    for connection in connections:
        for statement in statements:
            connection.execute(statement)
    here, there = (image_of(connection, "songs") for connection in connections)
    assert here.row_count == 2
    assert here == there


def test_the_images_of_a_schema_leave_out_the_loaders_own_tables():
    connection = duckdb.connect()
    for statement in (
        "create schema raw_msd",
        "create table raw_msd.songs as select 1 as id",
        "create table raw_msd._dlt_loads as select 1 as id",
        "create table other as select 1 as id",
    ):
        connection.execute(statement)
    assert list(images_of_schema(connection, "raw_msd")) == ["songs"]


def test_the_comparison_of_schemas_names_the_table_that_differs():
    here = {"songs": image(), "files": image([])}
    assert_same_tables(here, dict(here))
    with pytest.raises(AssertionError, match="files: only here\nsongs: 3 rows here, 2 there"):
        assert_same_tables(here, {"songs": image(ROWS[:2])})
