"""Where the same SQL means another thing on Redshift than on PostgreSQL, the stand-in means Redshift's."""

from datetime import datetime

import psycopg2
import pytest
import redshift_connector

from tests.redshift_standin.clients import rows_of, run, sqlstate

CLIENT_ERRORS = (psycopg2.Error, redshift_connector.Error)


def value_of(connection, expression: str):
    return rows_of(connection, f"select {expression}")[0][0]


def test_lengths_of_text_count_bytes(connection):
    run(connection, "create table lab.t (name varchar(4))", "insert into lab.t values ('abcd'), ('ää')")
    with pytest.raises(CLIENT_ERRORS, match=r"value too long for type character varying\(4\)") as refusal:
        run(connection, "insert into lab.t values ('äbc' || 'd')")
    assert sqlstate(refusal.value) == "22001"


def test_a_length_is_kept_when_the_column_gets_another(connection):
    run(
        connection,
        "create table lab.t (name varchar(4))",
        "alter table lab.t alter column name type varchar(6)",
    )
    run(connection, "insert into lab.t values ('äää')")
    with pytest.raises(CLIENT_ERRORS, match="value too long"):
        run(connection, "insert into lab.t values ('ääää')")


@pytest.mark.parametrize("type_", ["varchar", "text", "character varying", "bpchar"])
def test_a_column_of_text_without_a_length_holds_256_bytes(connection, type_):
    run(connection, f"create table lab.t (name {type_})", f"insert into lab.t values ('{'a' * 256}')")
    with pytest.raises(CLIENT_ERRORS, match="too long"):
        run(connection, f"insert into lab.t values ('{'a' * 257}')")


def test_in_an_expression_text_without_a_length_is_as_long_as_it_is(connection):
    assert value_of(connection, f"length(cast('{'a' * 300}' as varchar))") == 300


def test_varchar_max_holds_65535_bytes(connection):
    run(connection, "create table lab.t (name varchar(max))", "insert into lab.t select repeat('a', 65535)")
    with pytest.raises(CLIENT_ERRORS, match=r"character varying\(65535\)"):
        run(connection, "insert into lab.t select repeat('a', 65536)")


def test_char_holds_no_characters_of_several_bytes(connection):
    run(connection, "create table lab.t (name char(4))", "insert into lab.t values ('abcd'), ('ab')")
    with pytest.raises(CLIENT_ERRORS, match="bytes_1_single"):
        run(connection, "insert into lab.t values ('ä')")


def test_groups_of_several_sizes_are_counted_at_once(connection):
    run(connection, "create table lab.t (a integer, b integer)", "insert into lab.t values (1, 1), (1, 2)")
    counts = "select a, b, grouping(b), count(*) from lab.t group by {} order by b nulls last, a"
    assert rows_of(connection, counts.format("rollup (a, b)")) == [
        (1, 1, 0, 1),
        (1, 2, 0, 1),
        (1, None, 1, 2),
        (None, None, 1, 2),
    ]
    assert rows_of(connection, counts.format("grouping sets ((b), (a))"))[-1] == (1, None, 1, 2)


def test_medians_and_percentiles_lie_between_values(connection):
    run(connection, "create table lab.t (a integer)", "insert into lab.t values (1), (2), (10), (null)")
    query = "select median(a), percentile_cont(0.25) within group (order by a) from lab.t"
    assert rows_of(connection, query) == [(2.0, 1.5)]


def test_a_list_of_distinct_texts_is_in_its_own_order(connection):
    run(connection, "create table lab.t (a varchar(1))", "insert into lab.t values ('b'), ('a'), ('b')")
    query = "select listagg(distinct a, '-') within group (order by a) from lab.t"
    assert rows_of(connection, query) == [("a-b",)]


def test_a_cast_that_is_tried_gives_null_where_it_fails(connection):
    assert value_of(connection, "try_cast('12' as integer)") == 12
    assert value_of(connection, "try_cast('twelve' as integer)") is None
    assert value_of(connection, "try_cast('2026-02-30' as date)") is None


def test_nulls_are_told_apart_by_nvl2_and_found_by_decode(connection):
    assert value_of(connection, "nvl2(null, 'some', 'none')") == "none"
    assert value_of(connection, "decode(null, 1, 'one', null, 'none', 'other')") == "none"
    assert value_of(connection, "decode(2, 1, 'one')") is None


def test_a_part_of_a_date_can_be_named_without_quotes(connection):
    assert value_of(connection, "date_part(year, cast('2024-02-10' as date))") == 2024
    assert value_of(connection, "date_part('month', cast('2024-02-10' as date))") == 2


def test_places_count_from_one_and_months_end(connection):
    assert value_of(connection, "charindex('n', 'one')") == 2
    assert str(value_of(connection, "last_day('2024-02-10')")) == "2024-02-29"


def test_a_merge_updates_what_is_there_and_inserts_the_rest(connection):
    run(
        connection,
        "create table lab.t (id integer, n integer)",
        "create table lab.s (id integer, n integer)",
        "insert into lab.t values (1, 1), (2, 2)",
        "insert into lab.s values (2, 20), (3, 30)",
        "create view lab.v as select id, n from lab.s with no schema binding",
        "merge into lab.t using lab.s on t.id = s.id when matched then update set n = s.n "
        "when not matched then insert (id, n) values (s.id, s.n)",
    )
    assert rows_of(connection, "select id, n from lab.t order by id") == [(1, 1), (2, 20), (3, 30)]
    with pytest.raises(CLIENT_ERRORS, match="MERGE from a view"):
        run(connection, "merge into lab.t using lab.v on t.id = v.id when matched then delete")


def test_minus_is_except(connection):
    run(connection, "create table lab.t (name varchar(4))", "insert into lab.t values ('a'), ('b')")
    assert rows_of(connection, "select name from lab.t minus select 'b'") == [("a",)]


def test_the_time_now_can_follow_another_column(connection):
    assert value_of(connection, "getdate() is not null, sysdate is not null")


def test_a_cast_cuts_to_bytes_between_characters(connection):
    assert value_of(connection, "cast('aää' as varchar(4))") == "aä"
    assert value_of(connection, "cast(12345 as varchar(3))") == "123"


def test_a_boolean_cannot_be_cast_to_text(connection):
    with pytest.raises(CLIENT_ERRORS, match="cannot cast type boolean"):
        value_of(connection, "cast(true as varchar(5))")


def test_keys_are_not_enforced_and_not_null_is(connection):
    run(
        connection,
        "create table lab.t (id integer primary key, code integer unique, "
        "other integer references lab.x (id), unique (id, code))",
        "insert into lab.t values (1, 1, 9), (1, 1, 9)",
    )
    assert rows_of(connection, "select count(*) from lab.t") == [(2,)]
    with pytest.raises(CLIENT_ERRORS):
        run(connection, "insert into lab.t values (null, 1, 9)")


def test_names_are_folded_in_quotes_too(connection):
    run(connection, 'create table lab."T" ("Id" integer)', 'insert into lab."t" ("ID") values (1)')
    assert rows_of(connection, 'select "iD" from "LAB"."T"') == [(1,)]


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("7 / 2", 3),
        ("avg(n) from (select 1 as n union all select 2) as q", 1),
        ("avg(n) from (select 1.0 as n union all select 2) as q", 1.5),
        ("regexp_replace('a1b2', '[0-9]', '-')", "a-b-"),
        ("concat('a', null)", None),
        ("len('ä')", 1),
        ("octet_length('ä')", 2),
        ("nvl(null, 'b')", "b"),
        ("'a\\'b'", "a'b"),
        ("'B' < 'a'", True),
        ("lower('ÉÄŁ')", "éäł"),
        ("datediff(year, cast('2019-12-31' as date), cast('2020-01-01' as date))", 1),
        ("datediff(month, cast('2020-01-31' as date), cast('2020-02-01' as date))", 1),
        ("datediff(hour, cast('2020-01-01 00:59' as timestamp), cast('2020-01-01 01:00' as timestamp))", 1),
        ("dateadd(month, 1, cast('2020-01-31' as date))", datetime(2020, 2, 29)),
        ("dateadd('day', -1, cast('2020-01-01 12:00' as timestamp))", datetime(2019, 12, 31, 12)),
        ("round(cast(2.567 as double precision), 1)", 2.6),
        (
            "listagg(x, '; ') within group (order by x desc) from (select 'a' as x union select 'b') as q",
            "b; a",
        ),
        ("listagg(distinct x, ',') from (select 1 as x union all select 1) as q", "1"),
        ("sha2('a', 256)", "ca978112ca1bbdcafac231b39a23dc4da786eff8147c4e72b9807785afee48bb"),
    ],
)
def test_means_what_it_means_on_redshift(connection, expression, value):
    assert value_of(connection, expression) == value


def test_a_result_has_no_column_of_type_text(connection):
    cursor = connection.cursor()
    cursor.execute("select md5('a') as hash, 'a' || 'b' as joined, cast('a' as varchar(3)) as cut")
    assert {column[1] for column in cursor.description} == {1043}


def test_a_table_made_by_a_query_has_no_column_of_type_text(connection):
    run(connection, "create table lab.t as select md5('a') as hash, 1 as n")
    columns = (
        "select column_name, data_type from information_schema.columns where table_schema = 'lab' order by 1"
    )
    assert rows_of(connection, columns) == [("hash", "character varying"), ("n", "integer")]


def test_distribution_and_sort_keys_are_in_the_catalog(connection):
    run(
        connection,
        "create table lab.t (id integer, at date) diststyle key distkey (id) compound sortkey (at, id)",
        "create table lab.u (id integer distkey sortkey encode az64)",
        "create table lab.v diststyle all sortkey (n) as (select 1 as n)",
        "create table lab.w (id integer)",
    )
    assert rows_of(
        connection,
        'select "table", diststyle, sortkey1, sortkey_num from svv_table_info '
        "where \"schema\" = 'lab' order by 1",
    ) == [
        ("t", "KEY(id)", "at", 2),
        ("u", "KEY(id)", "id", 1),
        ("v", "ALL", "n", 1),
        ("w", "AUTO(ALL)", "AUTO(SORTKEY)", 0),
    ]


@pytest.fixture
def late_binding_view(connection):
    run(
        connection,
        "create table lab.t (id integer, name varchar(10))",
        "insert into lab.t values (1, 'one')",
        "create view lab.v as (select id as n, name from music_warehouse.lab.t where id > 0) "
        "with no schema binding",
        "create view lab.w as select v.n + 1 as m from lab.v as v with no schema binding",
    )
    return connection


def test_a_late_binding_view_is_read_by_its_name_and_through_another(late_binding_view):
    assert rows_of(late_binding_view, "select v.n, v.name from lab.v") == rows_of(
        late_binding_view, "select x.n, x.name from lab.v as x"
    )
    assert rows_of(late_binding_view, "select m from lab.w where m > 0") == [(2,)]


def test_a_late_binding_view_survives_the_table_and_binds_the_next_one(late_binding_view):
    run(late_binding_view, "drop table lab.t cascade")
    with pytest.raises(CLIENT_ERRORS, match="does not exist"):
        rows_of(late_binding_view, "select * from lab.v")
    run(late_binding_view, "create table lab.t as select 5 as id, 'five' as name")
    assert rows_of(late_binding_view, "select * from lab.v") == [(5, "five")]


def test_a_late_binding_view_can_be_made_before_its_table(connection):
    run(connection, "create view lab.early as select n from lab.later with no schema binding")
    run(connection, "create table lab.later as select 1 as n")
    assert rows_of(connection, "select n from lab.early") == [(1,)]


def test_a_late_binding_view_follows_its_new_name(late_binding_view):
    run(late_binding_view, "alter table lab.v rename to renamed", "comment on view lab.renamed is 'a view'")
    assert rows_of(late_binding_view, "select n from lab.renamed") == [(1,)]
    run(late_binding_view, "drop view lab.renamed")
    with pytest.raises(CLIENT_ERRORS, match="does not exist"):
        rows_of(late_binding_view, "select n from lab.renamed")


def test_columns_of_a_late_binding_view_are_in_their_own_catalog_only(late_binding_view):
    columns = (
        "select view_name, col_name, col_type from pg_get_late_binding_view_cols() "
        "cols(view_schema name, view_name name, col_name name, col_type varchar, ordinal_position int) "
        "where view_schema = 'lab' order by view_name, ordinal_position"
    )
    assert rows_of(late_binding_view, columns) == [
        ("v", "n", "integer"),
        ("v", "name", "character varying(10)"),
        ("w", "m", "integer"),
    ]
    information_schema = (
        "select column_name from information_schema.columns "
        "where table_schema = 'lab' and table_name in ('v', 'w')"
    )
    assert rows_of(late_binding_view, information_schema) == []


def test_a_view_with_schema_binding_goes_with_its_table(connection):
    run(connection, "create table lab.t as select 1 as n", "create view lab.bound as select n from lab.t")
    with pytest.raises(CLIENT_ERRORS, match="depend"):
        run(connection, "drop table lab.t")
    run(connection, "drop table lab.t cascade")
    with pytest.raises(CLIENT_ERRORS, match="does not exist"):
        rows_of(connection, "select n from lab.bound")
