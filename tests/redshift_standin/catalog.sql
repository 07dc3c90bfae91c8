-- What the stand-in adds to an empty PostgreSQL database, once, as superuser: functions in Redshift's
-- meaning (schema rs), Redshift's system views (pg_catalog), and the rules for tables and views. No text
-- here holds a backslash: sessions read one as an escape, as Redshift does.
set allow_system_table_mods = on;

create schema rs;
grant usage on schema rs to public;

create table rs.late_binding_views (oid oid primary key, text varchar not null);
create table rs.designs (oid oid primary key, design jsonb not null);
grant select on all tables in schema rs to public;

create view rs.late_binding_view_texts as
select n.nspname as schema_name, c.relname as view_name, v.text
from rs.late_binding_views as v
join pg_class as c on c.oid = v.oid
join pg_namespace as n on n.oid = c.relnamespace;
grant select on rs.late_binding_view_texts to public;

-- The proxy puts this in the place of a statement that it refuses, so that a transaction fails as it should.
create function rs.refuse(state text, message text) returns void language plpgsql as $$
begin raise exception using errcode = state, message = message; end $$;

-- Lengths of text count bytes, and there is no type text: what an expression made is a varchar.
-- The constraint's name tells the proxy what to say.
create function rs.bind_table(relation oid) returns void language plpgsql as $$
declare actions text;
begin
    if current_setting('rs.is_binding', true) = 'on' then
        return;  -- this is the ALTER TABLE below
    end if;
    perform set_config('rs.is_binding', 'on', true);
    select string_agg(format('alter column %I type varchar(65535)', attname), ', ') into actions
    from pg_attribute
    where attrelid = relation and attnum > 0 and not attisdropped
        and (atttypid = 'text'::regtype or (atttypid = 'varchar'::regtype and atttypmod = -1));
    if actions is not null then
        execute format('alter table %s %s', relation::regclass, actions);
    end if;
    with wanted as (
        select
            format('bytes_%s_%s', attnum, atttypmod - 4) as name,
            format('octet_length(%I) <= %s', attname, atttypmod - 4) as condition
        from pg_attribute
        where attrelid = relation and attnum > 0 and not attisdropped
            and atttypid = 'varchar'::regtype and atttypmod > 0
        union all
        select
            format('bytes_%s_single', attnum),  -- char holds no character of several bytes
            format('octet_length(%I::text) = char_length(%I::text)', attname, attname)
        from pg_attribute
        where attrelid = relation and attnum > 0 and not attisdropped and atttypid = 'bpchar'::regtype
    ),
    present as (
        select conname::text as name from pg_constraint where conrelid = relation and left(conname, 6) = 'bytes_'
    )
    select string_agg(action, ', ') into actions
    from (
        select format('drop constraint %I', name) as action from present
        where name not in (select name from wanted)
        union all
        select format('add constraint %I check (%s)', name, condition) from wanted
        where name not in (select name from present)
    ) as differences;
    if actions is not null then
        execute format('alter table %s %s', relation::regclass, actions);
    end if;
    perform set_config('rs.is_binding', 'off', true);
end $$;

-- Distribution and sort keys are columns of their table.
create function rs.check_keys(relation oid, design jsonb) returns void language plpgsql as $$
declare key text;
begin
    for key in
        select jsonb_array_elements_text(coalesce(design -> 'sortkeys', '[]')) union all select design ->> 'distkey'
    loop
        if key not in (select attname from pg_attribute where attrelid = relation and attnum > 0) then
            perform rs.refuse('42703', format('[redshift stand-in] the key %s is no column of the table', key));
        end if;
    end loop;
end $$;

create function rs.after_ddl() returns event_trigger language plpgsql security definer as $$
declare
    command record;
    relation name;
    held jsonb;
begin
    for command in select * from pg_event_trigger_ddl_commands() where object_type in ('table', 'view') loop
        select relname into relation from pg_class where oid = command.objid;
        if command.object_type = 'view' then
            select m[1]::jsonb into held
            from regexp_matches(current_query(), '/[*]late_binding_view:([{].*?[}])[*]/', 'g') as m
            where m[1]::jsonb ->> 'view' = relation;
            if held is not null and command.command_tag = 'CREATE VIEW' then
                insert into rs.late_binding_views
                values (command.objid, convert_from(decode(held ->> 'text', 'base64'), 'utf8'))
                on conflict (oid) do update set text = excluded.text;
            end if;
        else
            select m[1]::jsonb into held
            from regexp_matches(current_query(), '/[*]redshift_design:([{].*?[}])[*]/', 'g') as m
            where m[1]::jsonb ->> 'table' = relation;
            if held is not null and command.command_tag in ('CREATE TABLE', 'CREATE TABLE AS') then
                perform rs.check_keys(command.objid, held);
                insert into rs.designs values (command.objid, held)
                on conflict (oid) do update set design = excluded.design;
            end if;
            perform rs.bind_table(command.objid);
        end if;
    end loop;
end $$;

create function rs.after_drop() returns event_trigger language plpgsql security definer as $$
begin
    delete from rs.late_binding_views where oid in (select objid from pg_event_trigger_dropped_objects());
    delete from rs.designs where oid in (select objid from pg_event_trigger_dropped_objects());
end $$;

-- System views of Redshift.
create function rs.redshift_type(type_name text) returns varchar language sql immutable as $$
select case type_name when 'bytea' then 'binary varying' when 'text' then 'character varying' else type_name end $$;

create function rs.view_columns(views text) returns setof record language plpgsql set lock_timeout = 200 as $$
declare view jsonb;
begin
    for view in select * from jsonb_array_elements(views::jsonb) loop
        begin
            execute 'create temporary view rs_described as ' || (view ->> 'query');
        exception when undefined_table or undefined_column or lock_not_available then
            continue;  -- a view whose tables are gone, or just being exchanged, has no columns
        end;
        return query
        select (view ->> 'schema')::name, (view ->> 'name')::name, attname,
            rs.redshift_type(format_type(atttypid, atttypmod)), attnum::int
        from pg_attribute
        where attrelid = 'pg_temp.rs_described'::regclass and attnum > 0;
        drop view pg_temp.rs_described;
    end loop;
end $$;

create view pg_catalog.svv_table_info as
select
    current_database()::varchar as database, n.nspname::varchar as schema, c.oid as table_id,
    c.relname::varchar as "table", 'Y, AUTO(ENCODE)'::varchar as encoded,
    coalesce(d.design ->> 'diststyle', 'AUTO(ALL)')::varchar as diststyle,
    coalesce(d.design -> 'sortkeys' ->> 0, 'AUTO(SORTKEY)')::varchar as sortkey1,
    65535 as max_varchar, 'none'::varchar as sortkey1_enc,
    coalesce(jsonb_array_length(d.design -> 'sortkeys'), 0) as sortkey_num,
    (pg_relation_size(c.oid) / 1048576)::bigint as size, 0::numeric(10, 4) as pct_used, 0::bigint as empty,
    0::numeric(5, 2) as unsorted, 0::numeric(5, 2) as stats_off,
    greatest(c.reltuples, 0)::numeric(38, 0) as tbl_rows,
    null::numeric(19, 2) as skew_sortkey1, null::numeric(19, 2) as skew_rows
from pg_class as c
join pg_namespace as n on n.oid = c.relnamespace
left join rs.designs as d on d.oid = c.oid
where c.relkind = 'r' and n.nspname not in ('rs', 'pg_catalog', 'information_schema') and n.nspname !~ '^pg_';

create view pg_catalog.svv_external_columns as
select null::varchar as schemaname, null::varchar as tablename, null::varchar as columnname,
    null::varchar as external_type, null::int as columnnum
where false;

create view pg_catalog.svv_redshift_schemas as
select current_database()::varchar as database_name, nspname::varchar as schema_name,
    nspowner::int as schema_owner, 'local'::varchar as schema_type
from pg_namespace
where nspname <> 'rs' and nspname !~ '^pg_';

create view pg_catalog.svv_relation_privileges as
select table_schema::varchar as namespace_name, table_name::varchar as relation_name,
    lower(privilege_type)::varchar as privilege_type,
    regexp_replace(grantee, '^role:', '')::varchar as identity_name,
    (case when grantee = 'PUBLIC' then 'public' when r.rolcanlogin then 'user'
        when starts_with(grantee, 'role:') then 'role' else 'group' end)::varchar as identity_type
from information_schema.role_table_grants as g
left join pg_roles as r on r.rolname = g.grantee;

grant select on pg_catalog.svv_table_info, pg_catalog.svv_external_columns, pg_catalog.svv_redshift_schemas,
    pg_catalog.svv_relation_privileges to public;

-- Functions in Redshift's meaning.
create function rs.version() returns varchar language sql as $$
select 'PostgreSQL 8.0.2 on a stand-in for Redshift 1.0'::varchar $$;

-- A setting that PostgreSQL does not have is remembered as one of rs.
create function rs.setting(name text) returns varchar language sql stable as $$
select coalesce(nullif(current_setting('rs.' || name, true), ''), current_setting(name, true), 'unset') $$;

-- A cast to varchar(n) cuts to n bytes, between characters; a boolean cannot be cast.
create function rs.cut(value text, bytes int) returns varchar language plpgsql immutable as $$
declare cut text := left(value, bytes);
begin
    while octet_length(cut) > bytes loop
        cut := left(cut, -1);
    end loop;
    return cut;
end $$;
create function rs.cut(value anyelement, bytes int) returns varchar language sql immutable as $$
select rs.cut(value::text, bytes) $$;
create function rs.cut(value boolean, bytes int) returns varchar language plpgsql immutable as $$
begin raise exception using errcode = '42846', message = 'cannot cast type boolean to character varying'; end $$;

-- Of a column nothing but a text's length can change.
create function rs.try_cast(value text, type_name text, tried anyelement) returns anyelement
language plpgsql immutable as $$
begin
    if not pg_input_is_valid(value, type_name) then
        return null;
    end if;
    tried := value;
    return tried;
end $$;
create function rs.text_only(value varchar) returns varchar language sql immutable as $$ select value $$;

create function rs.concat(one text, other text) returns varchar language sql immutable as $$ select one || other $$;
create function rs.charindex(wanted text, source text) returns int language sql immutable as $$
select strpos(source, wanted) $$;
create function rs.regexp_replace(source text, pattern text, replacement text default '') returns varchar
language sql immutable as $$ select regexp_replace(source, pattern, replacement, 'g') $$;
create function rs.sha2(value text, bits int) returns varchar language sql immutable as $$
select encode(case bits when 0 then sha256(value::bytea) when 224 then sha224(value::bytea)
    when 256 then sha256(value::bytea) when 384 then sha384(value::bytea) when 512 then sha512(value::bytea) end,
    'hex') $$;

-- Another hash, of the same type.
create function rs.farmfingerprint64(value text) returns bigint language sql immutable as $$
select hashtextextended(value, 0) $$;

create function rs.round(value numeric, digits int default 0) returns numeric language sql immutable as $$
select pg_catalog.round(value, digits) $$;
create function rs.round(value double precision, digits int default 0) returns double precision
language sql immutable as $$ select pg_catalog.round(value::numeric, digits)::double precision $$;

-- The average of integers is an integer.
create function rs.average_step(state bigint[], value bigint) returns bigint[] language sql immutable as $$
select case when value is null then state else array[state[1] + value, state[2] + 1] end $$;
create function rs.average_end(state bigint[]) returns bigint language sql immutable as $$
select state[1] / nullif(state[2], 0) $$;
create aggregate rs.avg(bigint) (
    sfunc = rs.average_step, stype = bigint[], initcond = '{0,0}', finalfunc = rs.average_end);
create function rs.average_step(state bigint[], value int) returns bigint[] language sql immutable as $$
select rs.average_step(state, value::bigint) $$;
create aggregate rs.avg(int) (
    sfunc = rs.average_step, stype = bigint[], initcond = '{0,0}', finalfunc = rs.average_end);
create aggregate rs.avg(double precision) (
    sfunc = float8_accum, stype = double precision[], initcond = '{0,0,0}', finalfunc = float8_avg);
create aggregate rs.avg(numeric) (sfunc = numeric_avg_accum, stype = internal, finalfunc = numeric_avg);

create function rs.getdate() returns timestamp language sql stable as $$
select date_trunc('second', statement_timestamp() at time zone 'UTC') $$;
create function rs.sysdate() returns timestamp language sql stable as $$
select transaction_timestamp() at time zone 'UTC' $$;
create function rs.convert_timezone(source text, target text, moment timestamp) returns timestamp
language sql stable as $$ select moment at time zone source at time zone target $$;
create function rs.convert_timezone(target text, moment timestamp) returns timestamp
language sql stable as $$ select moment at time zone 'UTC' at time zone target $$;
create function rs.add_months(moment timestamp, months int) returns timestamp language sql immutable as $$
select moment + make_interval(months => months) $$;

create function rs.last_day(moment timestamp) returns date language sql immutable as $$
select (date_trunc('month', moment) + interval '1 month' - interval '1 day')::date $$;

create function rs.date_part_name(part text) returns text language sql immutable as $$
select case lower(part)
    when 'y' then 'year' when 'yr' then 'year' when 'yrs' then 'year' when 'qtr' then 'quarter'
    when 'mon' then 'month' when 'mons' then 'month' when 'w' then 'week' when 'd' then 'day'
    when 'h' then 'hour' when 'hr' then 'hour' when 'm' then 'minute' when 'min' then 'minute'
    when 'mins' then 'minute' when 's' then 'second' when 'sec' then 'second' when 'ms' then 'millisecond'
    when 'us' then 'microsecond' else regexp_replace(lower(part), 's$', '') end $$;

create function rs.dateadd(part text, amount bigint, moment timestamp) returns timestamp
language sql immutable as $$
select moment + amount * case rs.date_part_name(part) when 'quarter' then interval '3 month'
    else ('1 ' || rs.date_part_name(part))::interval end $$;
create function rs.dateadd(part text, amount bigint, moment date) returns timestamp
language sql immutable as $$ select rs.dateadd(part, amount, moment::timestamp) $$;

-- The boundaries between two moments, not the time between them.
create function rs.datediff(part text, first timestamp, last timestamp) returns bigint
language sql immutable as $$
select (case rs.date_part_name(part)
    when 'year' then extract(year from last) - extract(year from first)
    when 'quarter' then 4 * (extract(year from last) - extract(year from first))
        + extract(quarter from last) - extract(quarter from first)
    when 'month' then 12 * (extract(year from last) - extract(year from first))
        + extract(month from last) - extract(month from first)
    when 'week' then (date_trunc('week', last + interval '1 day')::date
        - date_trunc('week', first + interval '1 day')::date) / 7
    when 'day' then last::date - first::date
    when 'hour' then extract(epoch from date_trunc('hour', last) - date_trunc('hour', first)) / 3600
    when 'minute' then extract(epoch from date_trunc('minute', last) - date_trunc('minute', first)) / 60
    when 'second' then extract(epoch from date_trunc('second', last) - date_trunc('second', first))
    when 'millisecond' then trunc(extract(epoch from last - first) * 1000)
    when 'microsecond' then trunc(extract(epoch from last - first) * 1000000)
end)::bigint $$;

grant execute on all functions in schema rs to public;
create event trigger redshift_ddl on ddl_command_end
when tag in ('CREATE TABLE', 'CREATE TABLE AS', 'ALTER TABLE', 'CREATE VIEW') execute function rs.after_ddl();
create event trigger redshift_drop on sql_drop execute function rs.after_drop();
