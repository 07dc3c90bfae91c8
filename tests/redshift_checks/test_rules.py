"""The lint for Redshift: what its rules find, and what only looks like it."""

import pytest

from dbt_project.lint.redshift.rules import findings
from dbt_project.lint.redshift.tokens import NotSql
from dbt_project.lint.redshift.vocabulary import redshift
from tests.redshift_standin.vocabulary import (
    CATALOG_FUNCTIONS,
    CATALOG_TYPES,
    CHAR_TYPES,
    DECIMAL_TYPES,
    FUNCTIONS,
    TEXT_TYPES,
    TYPES,
)

FOUND = {
    "select strip_accents(a) from t": "function strip_accents()",
    'select "hashtext"(a) from t': "function hashtext()",
    "select coalesce(list(a), b) from t": "function list(): use listagg",
    "select pg_catalog.hashtext(a) from t": "function hashtext()",
    "select now(), a from t": "function now(): use getdate or dbt.current_timestamp",
    "select current_timestamp from t": "current_timestamp: use getdate or dbt.current_timestamp",
    "select dateadd(day, 1) from t": "dateadd() with 2 arguments: it takes 3",
    "select a::hugeint from t": "type hugeint",
    "select cast(a || ')' as uuid) from t": "type uuid",
    "select try_cast(a as varchar(70000)) from t": "varchar(70000): at most 65535",
    "select convert(blob, a) from t": "type blob",
    "create table t (a integer, b integer[])": "array of integer",
    "create table if not exists s.t (a json not null, primary key (a))": "type json",
    "alter table t add column a uuid": "type uuid",
    "alter table t alter column a type text[]": "array of text",
    "select distinct on (a) a from t": "distinct on: use qualify row_number() over (...) = 1",
    "select a from t where a is not distinct from b": "is not distinct from: use comparisons, and is null",
    "select a from t cross join lateral (select 1) as b": "join lateral: use qualify or a join",
    "select a from t as b positional join c": "positional after a table",
    "select a from t using sample 10": "using sample: use order by random() limit ...",
    "select a from (select 1 as a) as b fetch first row only": "fetch first: use limit",
    "select sum(a) over (order by b) from t": (
        "sum() over (... order by ...) without a frame: add rows between ..."
    ),
    "select sum(distinct a) over (partition by b) from t": "sum(distinct ...) over (...)",
    "select max(a) over w from t": "a window with a name: spell it out",
    "select {'a': 1} from t": "operator {",
    "select [1, 2] from t": "a list in brackets",
    "select a ** 2 from t": "operator **",
    "select * from (values (1)) as v (a)": "values as a table: use select ... union all",
    "select 1 as snapshot": "snapshot is a reserved word: as a name quote it",
    "with gone as (delete from t) select 1": "delete within another statement",
    "(select a from t limit 1) union select a from t": "limit in the input of a set operation",
    "select a from t union all (select a from t offset 1)": "offset in the input of a set operation",
    "with recursive n as (select 1 union all select 1 from n) select 1": (
        "n reads itself and names no columns"
    ),
    "with a as materialized (select 1) select * from a": "as materialized: use as",
    "select a from t where a !~ '(?i)rock'": "pattern with '(?'",
    "select listagg(a) within group (order by a), listagg(b) within group (order by b) from t": (
        "listagg() in another order than one before it"
    ),
    "select 1 from t where exists (select 1 from u where u.a in (select b from v where v.c = t.c))": (
        "t.c within a subquery: it skips a query between"
    ),
    "select 1 from t as x full outer join u on u.a = (select max(b) from v where v.c = x.c)": (
        "x.c within a subquery in ON of an outer join"
    ),
    "declare c cursor for select a from t for update": "for update: use lock",
    "create sequence s": "a statement that begins with create sequence s",
    "pivot t on a": "a statement that begins with pivot t on",
}

NOT_FOUND = [
    'select \'string_agg(x) [1] // \' as a, "b" as "snapshot" -- now()',
    'select "returning", a as returning, "distinct" on from t',
    "select t.tag, t.returning, t.current_timestamp from t /* array[1] */",
    "with a (n) as (select 1), b as (select 2 as n) select n from a union all select n from b",
    "select count(*) from s.t as a (b, c) inner join u d (e) on a.b = d.e",
    "select extract(year from a), trim(both ' ' from b), substring(c from 1 for 2) from t",
    "select a::decimal(10, 2), cast(b as timestamp with time zone), c::double precision from t",
    "select lag(a) ignore nulls over (order by b), count(*) over () from t",
    "select a.b[0].c, d[1] from t as a, a.b as d",
    "select top 5 a from t minus (select a from u)",
    "select a from (select a from t order by a limit 5) as b union all select a from u",
    "select listagg(a) within group (order by a) from t "
    "union all select listagg(b) within group (order by b) from t",
    "select 1 from t left join u on t.a = u.a where exists (select 1 from v where v.c = t.c)",
    "select 1 from t inner join u on u.a = (select max(b) from v where v.c = t.c)",
    "with a as (select t.b from t) select a.b, (select max(c) from t where t.c = a.b) from s.a",
    "insert into s.t (a, b) values (1, default), (2, 3)",
    "create table t (a integer identity(0, 1) encode raw, unique (a)) distkey (a) sortkey (a)",
    "grant select on all tables in schema marts to role analyst",
    "create user visitor password disable",
    "declare c cursor for select a from t; fetch next from c; close c",
    "copy s.t from 's3://bucket/key' iam_role default gzip",
    "unload ('select 1') to 's3://bucket/key' iam_role default parallel off",
]


@pytest.mark.parametrize("statement", FOUND)
def test_is_found(statement):
    found = [finding.what for finding in findings(statement)]

    assert found == [FOUND[statement]]


@pytest.mark.parametrize("statement", NOT_FOUND)
def test_is_not_found(statement):
    assert findings(statement) == []


def test_findings_are_told_by_line_with_the_page_to_read():
    sql = "-- one\nselect\n    string_agg(a),\n    b::uuid\n\nfrom t /*\n*/ for update;\nselect now()"

    assert [(finding.line, finding.kind, finding.page) for finding in findings(sql)] == [
        (3, "function", "c_SQL_functions"),
        (4, "type", "c_Supported_data_types"),
        (7, "clause", "r_SELECT_synopsis"),
        (8, "function", "c_SQL_functions"),
    ]


@pytest.mark.parametrize("sql", ["select (1", "select 1)", "select 1 §", "select 'a", "select a::"])
def test_what_is_no_sql_is_an_error(sql):
    with pytest.raises(NotSql):
        findings(sql)


def test_what_the_stand_in_translates_is_in_the_vocabulary():
    vocabulary = redshift()

    assert FUNCTIONS.keys() - CATALOG_FUNCTIONS.keys() <= vocabulary.functions.keys()
    assert TYPES.keys() - CATALOG_TYPES.keys() <= vocabulary.types.keys()
    assert vocabulary.types.keys() >= TEXT_TYPES | CHAR_TYPES | DECIMAL_TYPES
