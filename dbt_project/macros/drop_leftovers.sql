{#-
    Drop what earlier releases or a killed build left in the layers' schemas: relations there that nothing
    in the project makes. By `dbt run-operation drop_leftovers`, after a build (`make upgrade`).

    A layer is a schema that models in a folder of its name are built in; raw schemas are none.
-#}
{% macro drop_leftovers() %}
    {% set layers = [] %}
    {% set made = [] %}
    {% for node in graph.nodes.values() if node.resource_type in ('model', 'seed', 'snapshot') %}
        {% do made.append((node.schema | lower, node.alias | lower)) %}
        {% if node.resource_type == 'model' and node.schema == node.fqn[1] and node.schema not in layers %}
            {% do layers.append(node.schema) %}
        {% endif %}
    {% endfor %}
    {% for layer in layers | sort %}
        {% set schema = api.Relation.create(database=target.database, schema=layer) %}
        {% for row in list_relations_without_caching(schema.without_identifier()) %}
            {% if row['type'] != 'function' and (layer, row['name'] | lower) not in made %}
                {% set leftover = schema.incorporate(path={'identifier': row['name']}, type=row['type']) %}
                {% do adapter.drop_relation(leftover) %}
                {% do log('dropped ' ~ layer ~ '.' ~ row['name'], info=true) %}
            {% endif %}
        {% endfor %}
    {% endfor %}
    {% do adapter.commit() %}
{% endmacro %}
