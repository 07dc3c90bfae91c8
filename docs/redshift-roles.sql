-- Users and roles of the warehouse on Redshift. An administrator of the database runs this once, before
-- the first load. The loader and dbt then log in as music_warehouse (the default of REDSHIFT_USER), and
-- who may read what is published says REDSHIFT_PUBLISHED_READERS="role:analyst". Where loader and dbt are users of their own,
-- dbt lets them read marts by REDSHIFT_MART_READERS="role:loader role:transformer".

create role loader;
create role transformer;
create role analyst;

-- Loading makes the raw schemas, transforming makes staging and intermediate.
grant create on database music_warehouse to role loader;
grant create on database music_warehouse to role transformer;

-- Without a password it logs in by IAM. A serverless workgroup then calls it "IAMR:role" or "IAM:user":
-- write that, in quotes, wherever music_warehouse stands for a user here, and leave out the next line.
create user music_warehouse password disable;
grant role loader to music_warehouse;
grant role transformer to music_warehouse;
-- So queues can tell the loader's sessions from others; those of dbt call themselves warehouse_transform.
alter user music_warehouse set query_group to 'warehouse_load';

-- Each analyst, for example; a question may take ten minutes (in milliseconds):
--   create user ada password '...'; grant role analyst to ada; alter user ada set statement_timeout to 600000

-- Others may enter the marts, and the four schemas of the founding data dictionary, which show them under other
-- names. What they may read there dbt grants, table by table.
create schema if not exists marts authorization music_warehouse;
create schema if not exists msd authorization music_warehouse;
create schema if not exists mapped authorization music_warehouse;
create schema if not exists spotify authorization music_warehouse;
create schema if not exists analytics authorization music_warehouse;
grant usage on schema marts, msd, mapped, spotify, analytics to role loader, role transformer, role analyst;
