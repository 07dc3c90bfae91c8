{#-
    What dbt built, and what its tests said, recorded in the warehouse itself, beside what was built: publishing
    reads it before it lets readers see anything (publishing/evidence.py).

    `operations.builds` has a row per invocation, without an end where it was cut short; `operations.built_nodes`
    one per model, seed and data test of the project, as the last invocation left it.
-#}

{% macro record_build_start() -%}
create schema if not exists operations;
create table if not exists operations.builds (
    invocation_id varchar(64) not null,
    started_at timestamp not null,
    ended_at timestamp
);
create table if not exists operations.built_nodes (
    node_id varchar(1024) not null,
    resource_type varchar(32) not null,
    schema_name varchar(256),
    table_name varchar(256),
    materialized varchar(64),
    is_public boolean not null,
    view_sql varchar(65535),
    publishing varchar(65535) not null,
    parent_ids varchar(65535) not null,
    status varchar(64) not null,
    failures bigint,
    invocation_id varchar(64) not null,
    ended_at timestamp not null
);
insert into operations.builds (invocation_id, started_at)
values ('{{ invocation_id }}', timestamp '{{ run_started_at.strftime("%Y-%m-%d %H:%M:%S.%f") }}')
{%- endmacro %}

{% macro record_build_end(results) -%}
    {%- set recorded = [] -%}
    {%- for result in results if result.node.resource_type in ('model', 'seed', 'test') -%}
        {%- do recorded.append(result) -%}
    {%- endfor -%}
    {%- if recorded -%}
delete from operations.built_nodes
where node_id in (
    {%- for result in recorded %}{{ quoted_text(result.node.unique_id) }}{{ ", " if not loop.last }}{% endfor -%}
);
insert into operations.built_nodes values
        {%- for result in recorded -%}
            {%- set node = result.node -%}
            {%- set is_relation = node.resource_type != 'test' -%}
            {%- set is_public = node.resource_type == 'model' and node.access == 'public' -%}
            {%- set is_view = is_public and node.config.materialized == 'view' %}
(
    {{ quoted_text(node.unique_id) }},
    {{ quoted_text(node.resource_type) }},
    {{ quoted_text(node.schema) if is_relation else 'null' }},
    {{ quoted_text(node.alias) if is_relation else 'null' }},
    {{ quoted_text(node.config.materialized) if is_relation else 'null' }},
    {{ is_public }},
    {{ quoted_text(node.compiled_code) if is_view and node.compiled_code else 'null' }},
    {{ quoted_text(tojson(how_published(node))) if is_public else "'{}'" }},
    {{ quoted_text(node.depends_on.nodes | select('in', graph.nodes) | join(' ')) }},
    {{ quoted_text(result.status) }},
    {{ result.failures if result.failures is not none else 'null' }},
    '{{ invocation_id }}',
    timestamp '{{ ended_at(result) }}'
){{ "," if not loop.last }}
        {%- endfor %};
    {%- endif %}
delete from operations.built_nodes
where node_id not in (
    {%- for node_id in graph.nodes %}{{ quoted_text(node_id) }}{{ ", " if not loop.last }}{% endfor -%}
);
update operations.builds
set ended_at = timestamp '{{ modules.datetime.datetime.utcnow().strftime("%Y-%m-%d %H:%M:%S.%f") }}'
where invocation_id = '{{ invocation_id }}'
{%- endmacro %}

{#-
    What a model's YAML says of publishing it: `config.meta.published_rows` of the model, and which columns are
    about persons (`config.meta.is_personal` of a column) and are left out.
-#}
{% macro how_published(node) -%}
    {%- set personal = [] -%}
    {%- for column in node.columns.values() if column.config.meta.is_personal -%}
        {%- do personal.append(column.name) -%}
    {%- endfor -%}
    {{ return({'rows': node.config.meta.get('published_rows', {}), 'personal_columns': personal}) }}
{%- endmacro %}

{#- When a node was done, UTC; what was skipped has no time of its own. -#}
{% macro ended_at(result) -%}
    {%- set ends = result.timing | map(attribute='completed_at') | select | list -%}
    {%- set last = ends[-1] if ends else modules.datetime.datetime.utcnow() -%}
    {{ last.strftime("%Y-%m-%d %H:%M:%S.%f") if last.strftime is defined else last }}
{%- endmacro %}
