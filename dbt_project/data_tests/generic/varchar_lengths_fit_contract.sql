{#-
    Fails for every text that is longer, in bytes, than its contract's varchar(n). DuckDB enforces
    no length and Redshift refuses the insert: this finds on the one what would stop the other.
    The lengths are read from the model's contract, so a column cannot be forgotten.
-#}
{% test varchar_lengths_fit_contract(model) %}

    {%- set lengths = {} -%}
    {%- if execute -%}
        {%- for node in graph.nodes.values()
            if node.resource_type == 'model' and node.relation_name == model | string -%}
            {%- for column in node.columns.values() -%}
                {%- set type = column.data_type | default('', true) | lower | replace(' ', '') -%}
                {%- if type.startswith('varchar(') -%}
                    {%- do lengths.update({column.name: type[8:-1] | int}) -%}
                {%- endif -%}
            {%- endfor -%}
        {%- endfor -%}
        {%- if not lengths -%}
            {{ exceptions.raise_compiler_error(
                "no varchar(n) in the contract of " ~ model ~ ": nothing to test"
            ) }}
        {%- endif -%}
    {%- endif %}

    {%- for name, length in lengths.items() %}
    select
        '{{ name }}' as column_name,
        {{ length }} as contract_bytes,
        max({{ byte_length(name) }}) as longest_bytes
    from {{ model }}
    having max({{ byte_length(name) }}) > {{ length }}
    {%- if not loop.last %}
    union all
    {%- endif %}
    {%- else %}
    select 1 as column_name where 1 = 0
    {%- endfor %}

{% endtest %}
