"""What the stand-in does not take: what Redshift refuses, and what it has no translation for."""

import psycopg2
import pytest
import redshift_connector

from tests.redshift_standin.clients import rows_of, run, sqlstate

REFUSED, SYNTAX, FUNCTION, TYPE, COLUMN = "0A000", "42601", "42883", "42704", "42703"

STATEMENTS = {
    # functions that PostgreSQL or DuckDB has and Redshift has not
    "select string_agg(name, ',') from lab.t": FUNCTION,
    "select array_agg(id) from lab.t": FUNCTION,
    "select now()": FUNCTION,
    "select generate_series(1, 3)": FUNCTION,
    "select gen_random_uuid()": FUNCTION,
    "select age(at) from lab.t": FUNCTION,
    "select strlen(name) from lab.t": FUNCTION,
    "select concat(name, name, name) from lab.t": FUNCTION,
    # functions that nobody has listed, or that are not translated
    "select lab.anything(id) from lab.t": FUNCTION,
    "select hashtext(name) from lab.t": FUNCTION,
    'select "hashtext"(name) from lab.t': FUNCTION,
    "select ratio_to_report(id) over () from lab.t": FUNCTION,
    "select inet_client_addr()": FUNCTION,
    # syntax
    "select distinct on (id) id, name from lab.t": REFUSED,
    "select count(*) filter (where id > 1) from lab.t": REFUSED,
    "select id from lab.t for update": REFUSED,
    "select * from (values (1), (2)) as v (n)": REFUSED,
    "insert into lab.t (id) values (1) returning id": REFUSED,
    "insert into lab.t (id) values (1) on conflict do nothing": REFUSED,
    "select id from lab.t where name is distinct from 'a'": REFUSED,
    "select sum(id) over (order by id) from lab.t": REFUSED,
    "select last_value(id) over (partition by name order by id) from lab.t": REFUSED,
    "select count(distinct id) over (partition by name) from lab.t": REFUSED,
    "select sum(id) over (order by id range unbounded preceding) from lab.t": REFUSED,
    "select id as tag from lab.t": REFUSED,
    "select 1, pg_catalog.hashtext(name) from lab.t": FUNCTION,
    "with gone as (delete from lab.t) select 1": REFUSED,
    "select 1 as n into lab.u": SYNTAX,
    "create table": SYNTAX,
    "alter table lab.t": SYNTAX,
    "set": SYNTAX,
    "copy lab.t from": SYNTAX,
    "select cast(name from lab.t": SYNTAX,
    "select array[1, 2]": REFUSED,
    "select name -> 'a' from lab.t": REFUSED,
    "select details.moods[0] from lab.t": SYNTAX,
    "select top 10 id from lab.t": SYNTAX,
    "select name, count(*) from lab.t group by all": SYNTAX,
    "select id + 1 as next, next + 1 as after_next from lab.t": SYNTAX,
    "select id from lab.t qualify row_number() over (order by id) = 1": SYNTAX,
    # types
    "select cast(name as json) from lab.t": TYPE,
    "select name::uuid from lab.t": TYPE,
    "select cast(id as hugeint) from lab.t": TYPE,
    "create table lab.u (id serial)": TYPE,
    "create table lab.u (tags text[])": REFUSED,
    "create table lab.u (name varchar(70000))": REFUSED,
    "create table lab.u (amount decimal(39, 2))": REFUSED,
    # distribution and sort keys
    "create table lab.u (id integer) distkey (other)": COLUMN,
    "create table lab.u sortkey (other) as select id from lab.t": COLUMN,
    "create table lab.u (id integer, n integer) distkey (id, n)": REFUSED,
    "create table lab.u (id integer distkey, n integer distkey)": REFUSED,
    "create table lab.u (id integer) diststyle key": REFUSED,
    "create table lab.u (a integer, b integer, c integer, d integer, e integer, f integer, g integer, "
    "h integer, i integer) interleaved sortkey (a, b, c, d, e, f, g, h, i)": REFUSED,
    # statements
    "create index i on lab.t (id)": REFUSED,
    "create table if not exists lab.u as select 1 as n": REFUSED,
    "create view if not exists lab.v as select 1 as n": REFUSED,
    "create extension hstore": REFUSED,
    "alter table lab.t add column a integer, add column b integer": REFUSED,
    "alter table lab.t add column if not exists a integer": REFUSED,
    "alter table lab.t alter column id type varchar(10)": FUNCTION,
    "alter table lab.t alter column id type bigint": REFUSED,
    "alter table lab.t rename to lab.u": REFUSED,
    "merge into lab.t using (select 1 as id) as s on t.id = s.id when matched then delete": REFUSED,
    "do 'begin end'": REFUSED,
    "declare c no scroll cursor for select id from lab.t": REFUSED,
    "fetch absolute 1 from c": SYNTAX,
    "set enable_seqscan to off": SYNTAX,
    "unload ('select 1') to 's3://stand-in/x' iam_role default": SYNTAX,
    "select 1 §": SYNTAX,
}


@pytest.fixture
def table(connection):
    run(connection, "create table lab.t (id integer, name varchar(10), at timestamp)")
    return connection


@pytest.mark.parametrize("statement", STATEMENTS)
def test_is_not_taken(table, statement):
    with pytest.raises((psycopg2.Error, redshift_connector.Error)) as refusal:
        run(table, statement)
    assert sqlstate(refusal.value) == STATEMENTS[statement]


def test_a_refusal_names_the_stand_in_and_what_to_write_instead(table, stand_in):
    stand_in.errors.clear()
    statement = "select count(*) filter (where id > 1) from lab.t"
    with pytest.raises((psycopg2.Error, redshift_connector.Error), match=r"\[redshift stand-in\].*sum\(case"):
        run(table, statement)
    assert [sql for sql, _ in stand_in.errors] == [statement]


def test_what_is_refused_in_a_late_binding_view_is_refused_when_the_view_is_made(table):
    with pytest.raises((psycopg2.Error, redshift_connector.Error)) as refusal:
        run(table, "create view lab.v as select now() as at with no schema binding")
    assert sqlstate(refusal.value) == FUNCTION


@pytest.mark.parametrize(
    "statement",
    [
        'select \'string_agg(x)\' as literal, "id" as "tag" from lab.t -- now()',
        "select t.id from lab.t as t where t.name = 'for update' /* array[1] */",
        "with a (n) as (select 1), b as (select 2 as n) select n from a union all select n from b",
        "select sum(id) over (order by id rows unbounded preceding) from lab.t",
        "select row_number() over (partition by name order by id) from lab.t",
    ],
)
def test_what_only_looks_like_it_is_taken(table, statement):
    rows_of(table, statement)
