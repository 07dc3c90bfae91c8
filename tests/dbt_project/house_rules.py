"""The rules of the house as functions over a dbt manifest.

Each rule takes a manifest (the parsed `target/manifest.json`) and returns one line of text
for every breach of it, so none where the rule holds. Nothing here runs dbt or reads a file.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator

LAYERS = ("staging", "intermediate", "marts", "founding")

PUBLISHED = ("marts", "founding")
"""The layers that readers may enter."""

LOGIC = re.compile(
    r"\b(case|coalesce|nullif|qualify|over|join|where|having|group\s+by|union|distinct)\b"
    r"|\{\{\s*(?!source\b|ref\b|config\b|utc_timestamp\b|load_moment\b)\w+\(",
    re.IGNORECASE,
)
"""What makes a staging model more than renaming: a clause that decides, or a macro that does.

`utc_timestamp` and `load_moment` only retype.
"""

TARGET = re.compile(r"\btarget\s*(\.|\[)|\badapter\s*\.\s*type\b")

BRANCH = re.compile(r"\btarget\s*\.\s*(type|name)\b|\btarget\s*\[|\badapter\s*\.\s*(type|dispatch)\b")
"""How a macro can differ between targets; the target's other properties are its settings."""

COMMENTS = re.compile(r"--[^\n]*|\{#.*?#\}|/\*.*?\*/", re.DOTALL)


def models_of(manifest: dict) -> list[dict]:
    return [node for node in manifest["nodes"].values() if node["resource_type"] == "model"]


def layer_of(model: dict) -> str:
    """The first folder below `models/`, which the house calls the layer."""
    return model["fqn"][1]


def area_of(model: dict) -> str:
    """The second folder below `models/`; empty where there is none."""
    return model["fqn"][2] if len(model["fqn"]) > 3 else ""


def parents_of(node: dict) -> list[str]:
    return node["depends_on"]["nodes"]


def data_tests_of(manifest: dict, model: dict) -> Iterator[tuple[str, str | None, dict]]:
    """Name, column (None for a test of the whole model) and arguments of every generic data test."""
    for node in manifest["nodes"].values():
        if node["resource_type"] == "test" and node.get("attached_node") == model["unique_id"]:
            metadata = node["test_metadata"]
            yield metadata["name"], node.get("column_name"), metadata["kwargs"]


def everything_is_described(manifest: dict) -> list[str]:
    """Every model, source, source table and column has a description; a model's names its grain."""
    breaches = []
    for model in models_of(manifest):
        if not model["description"].startswith("One row per "):
            breaches.append(f"{model['name']}: the description begins with no grain (One row per ...)")
    for source in manifest["sources"].values():
        if not source["source_description"].strip():
            breaches.append(f"{source['source_name']}: no description")
        if not source["description"].strip():
            breaches.append(f"{source['source_name']}.{source['name']}: no description")
    for table in [*models_of(manifest), *manifest["sources"].values()]:
        if not table["columns"]:
            breaches.append(f"{table['name']}: no columns")
        for column in table["columns"].values():
            if not column["description"].strip():
                breaches.append(f"{table['name']}.{column['name']}: no description")
    return breaches


def every_model_has_a_primary_key_test(manifest: dict) -> list[str]:
    """One column unique and not null, or a unique combination of columns none of which is null."""
    breaches = []
    for model in models_of(manifest):
        tests = list(data_tests_of(manifest, model))
        not_null = {column for name, column, _ in tests if name == "not_null"}
        keys = [{column} for name, column, _ in tests if name == "unique"]
        keys += [set(given["columns"]) for name, _, given in tests if name == "unique_combination_of_columns"]
        if not any(key <= not_null for key in keys):
            breaches.append(f"{model['name']}: no column or combination is tested to be unique and not null")
    return breaches


def names_say_the_layer(manifest: dict) -> list[str]:
    """stg_<source>__<entity>s or _log, int_<entity>s_<verb>ed, dim_, fct_, bridge_, map_ or agg_, and
    founding_<schema>_<table>, in the database <table>. Popularity has no plural."""
    patterns = {
        "staging": lambda model: rf"stg_{area_of(model)}__[a-z][a-z0-9_]*(s|_log)",
        "intermediate": lambda _: r"int_[a-z][a-z0-9_]*s_[a-z]+ed",
        "marts": lambda _: r"(dim|fct|bridge|map|agg)_[a-z][a-z0-9_]*(s|_popularity)",
        "founding": lambda model: rf"founding_{area_of(model)}_{model['alias']}",
    }
    return [
        f"{model['name']}: not a name for the {layer_of(model)} layer"
        for model in models_of(manifest)
        if layer_of(model) in patterns and not re.fullmatch(patterns[layer_of(model)](model), model["name"])
    ] + [
        f"{model['name']}: called {model['alias']} in the database"
        for model in models_of(manifest)
        if layer_of(model) != "founding" and model["alias"] != model["name"]
    ]


def folders_are_schemas_and_groups(manifest: dict) -> list[str]:
    """models/<layer>/<area>/: layer = schema, area = group; the YAML stands beside, under the same name.

    In founding, whose areas are schemas that others named, it is the other way round.
    """
    breaches = []
    owned = {group["name"] for group in manifest["groups"].values() if group["owner"].get("name")}
    for model in models_of(manifest):
        name = model["name"]
        if layer_of(model) not in LAYERS or not area_of(model):
            breaches.append(f"{name}: lies in none of {', '.join(f'{layer}/<area>' for layer in LAYERS)}")
            continue
        schema, group = layer_of(model), area_of(model)
        if layer_of(model) == "founding":
            schema, group = group, schema
        if model["schema"] != schema:
            breaches.append(f"{name}: schema {model['schema']}, and not {schema}")
        if model["config"].get("group") != group:
            breaches.append(f"{name}: group {model['config'].get('group')}, and not {group}")
        elif group not in owned:
            breaches.append(f"{name}: group {group} has no owner")
        beside = re.sub(r"\.sql$", ".yml", model["original_file_path"])
        if (model["patch_path"] or "").split("://")[-1] != beside:
            breaches.append(f"{name}: described in {model['patch_path']}, not in {beside}")
    return breaches


def only_staging_reads_sources(manifest: dict) -> list[str]:
    return [
        f"{model['name']}: reads {parent}"
        for model in models_of(manifest)
        for parent in parents_of(model)
        if parent.startswith("source.") and layer_of(model) != "staging"
    ]


def every_source_table_has_one_staging_model(manifest: dict) -> list[str]:
    """stg_<source>__<table> reads <source>.<table>, for every source table, and no other staging model is."""
    breaches = []
    staging = {model["name"]: model for model in models_of(manifest) if layer_of(model) == "staging"}
    wanted = {f"stg_{s['source_name']}__{s['name']}": s["unique_id"] for s in manifest["sources"].values()}
    for name, source in wanted.items():
        if name not in staging:
            breaches.append(f"{source}: no staging model {name}")
        elif source not in parents_of(staging[name]):
            breaches.append(f"{name}: does not read {source}")
    breaches += [f"{name}: stages no source table of that name" for name in staging if name not in wanted]
    return breaches


def marts_have_contracts(manifest: dict) -> list[str]:
    """Enforced, a type for every column, a length for every text, and the test that the lengths are kept."""
    breaches = []
    for model in models_of(manifest):
        if layer_of(model) not in PUBLISHED:
            continue
        if not model["config"]["contract"]["enforced"]:
            breaches.append(f"{model['name']}: no enforced contract")
        for column in model["columns"].values():
            data_type = (column.get("data_type") or "").lower()
            if not data_type:
                breaches.append(f"{model['name']}.{column['name']}: no type")
            elif re.match(r"(varchar|text|string|char)", data_type) and not re.fullmatch(
                r"varchar\(\d+\)", data_type
            ):
                breaches.append(f"{model['name']}.{column['name']}: {data_type} has no length")
        if "varchar_lengths_fit_contract" not in {name for name, _, _ in data_tests_of(manifest, model)}:
            breaches.append(f"{model['name']}: no test that its texts fit the contract")
    return breaches


def tables_lie_for_a_reason(manifest: dict) -> list[str]:
    """Every mart says how Redshift distributes it, and sorts it unless that is left to Redshift.

    Whatever model names a key has the columns, and says why (meta.distribution_reason).
    """
    breaches = []
    for model in models_of(manifest):
        name, config = model["name"], model["config"]
        dist, sort = config.get("dist"), config.get("sort") or []
        if layer_of(model) == "marts":
            if not dist:
                breaches.append(f"{name}: no distribution (a column, all, even or auto)")
            if not sort and dist != "auto":
                breaches.append(f"{name}: no sort key")
        if not dist and not sort:
            continue
        if not (config.get("meta") or {}).get("distribution_reason", "").strip():
            breaches.append(f"{name}: no reason (meta.distribution_reason) for how it lies")
        keys = [sort] if isinstance(sort, str) else [*sort]
        keys += [dist] if dist and dist not in ("all", "even", "auto") else []
        breaches += [f"{name}: the key {key} is no column" for key in keys if key not in model["columns"]]
    return breaches


def readers_see_marts_alone(manifest: dict) -> list[str]:
    """What staging and intermediate hold is not public, all else is; exposures read what is public."""
    breaches = []
    public = set()
    for model in models_of(manifest):
        if model["config"].get("access") == "public":
            public.add(model["unique_id"])
        if (model["unique_id"] in public) == (layer_of(model) in ("staging", "intermediate")):
            breaches.append(f"{model['name']}: {model['config'].get('access')} in {layer_of(model)}")
    for exposure in manifest["exposures"].values():
        if not exposure["owner"].get("name") or not exposure["description"].strip():
            breaches.append(f"{exposure['name']}: without an owner or a description")
        breaches += [
            f"{exposure['name']}: reads {parent}, which is not public"
            for parent in parents_of(exposure)
            if parent not in public
        ]
    return breaches


def public_models_have_an_example_query(manifest: dict) -> list[str]:
    """meta.example_query: the question as a comment, then a query of the model; it runs as it stands."""
    breaches = []
    for model in models_of(manifest):
        if model["config"].get("access") != "public":
            continue
        query = (model["config"].get("meta") or {}).get("example_query", "")
        if not query.startswith("-- ") or not query.partition("\n")[0].endswith("?"):
            breaches.append(f"{model['name']}: no meta.example_query that begins with its question (-- ...?)")
        if not re.search(rf"\b{model['schema']}\.{model['alias']}\b", query):
            breaches.append(f"{model['name']}: the example query does not read it")
        if query.rstrip().endswith(";"):
            breaches.append(f"{model['name']}: the example query ends in a semicolon")
    return breaches


def marts_with_terms_say_whether_to_train(manifest: dict) -> list[str]:
    """A mart that says under which terms a row may be used says as well whether a model may learn from it."""
    return [
        f"{model['name']}: terms_of_use without is_training_allowed"
        for model in models_of(manifest)
        if layer_of(model) in PUBLISHED
        and "terms_of_use" in model["columns"]
        and "is_training_allowed" not in model["columns"]
    ]


def rows_say_where_they_come_from(manifest: dict) -> list[str]:
    """A mart has source_system, terms_of_use and loaded_at, unless its rows sum up those of many loads."""
    return [
        f"{model['name']}: no {column}"
        for model in models_of(manifest)
        if layer_of(model) == "marts" and not model["name"].startswith("agg_")
        for column in ("source_system", "terms_of_use", "loaded_at")
        if column not in model["columns"]
    ]


def logic_has_a_unit_test(manifest: dict) -> list[str]:
    """Every model has one, but for staging models that do no more than rename."""
    tested = {test["model"] for test in manifest["unit_tests"].values()}
    return [
        f"{model['name']}: holds logic and has no unit test"
        for model in models_of(manifest)
        if model["name"] not in tested
        and (layer_of(model) != "staging" or LOGIC.search(COMMENTS.sub("", model["raw_code"])))
    ]


def no_upstream_concept_is_rejoined(manifest: dict) -> list[str]:
    """No model reads a parent next to a model that reads the same parent and serves nobody else.

    As dbt-project-evaluator defines it: A feeds B, A and B feed C, and C is B's only child. Fingerprints
    (int_..._fingerprinted) are exempt: C reads of A what B says has changed.
    """
    models = {model["unique_id"]: model for model in models_of(manifest)}
    children = Counter(parent for model in models.values() for parent in set(parents_of(model)))
    children.update(
        parent for exposure in manifest["exposures"].values() for parent in set(parents_of(exposure))
    )
    return [
        f"{model['name']}: reads {grandparent} and {models[parent]['name']}, made of it for this model alone"
        for model in models.values()
        for parent in set(parents_of(model))
        if parent in models and children[parent] == 1 and not parent.endswith("_fingerprinted")
        for grandparent in sorted(set(parents_of(models[parent])) & set(parents_of(model)))
    ]


def layers_flow_one_way(manifest: dict) -> list[str]:
    """Staging reads no model, intermediate reads no mart, marts read no raw table and nothing of founding,
    and founding reads marts alone."""
    layers = {model["unique_id"]: layer_of(model) for model in models_of(manifest)}
    allowed = {
        "staging": (),
        "intermediate": ("staging", "intermediate"),
        "marts": ("staging", "intermediate", "marts"),
        "founding": PUBLISHED,
    }
    return [
        f"{model['name']}: a {layer_of(model)} model reads {parent}"
        for model in models_of(manifest)
        for parent in parents_of(model)
        if parent in layers and layers[parent] not in allowed.get(layer_of(model), ())
    ]


def sources_are_fresh_or_exempt(manifest: dict) -> list[str]:
    """Every source table has a freshness, or says in its meta why it needs none; never both."""
    breaches = []
    for source in manifest["sources"].values():
        name = f"{source['source_name']}.{source['name']}"
        freshness = source["freshness"] or {}
        limits = [freshness.get(limit) or {} for limit in ("warn_after", "error_after")]
        checked = bool(source["loaded_at_field"]) and any(limit.get("count") for limit in limits)
        exempt = bool((source["config"].get("meta") or {}).get("freshness_exemption", "").strip())
        if checked and exempt:
            breaches.append(f"{name}: has a freshness and an exemption from it")
        if not checked and not exempt:
            breaches.append(f"{name}: neither a freshness nor a reason (meta.freshness_exemption) for none")
    return breaches


def no_model_asks_for_the_target(manifest: dict) -> list[str]:
    """What differs between targets is a macro in macros/portable/, never a branch in a model."""
    return [
        f"{node['name']}: asks for the target"
        for node in manifest["nodes"].values()
        if TARGET.search(COMMENTS.sub("", node.get("raw_code") or ""))
    ]


def macros_for_one_target_are_portable(manifest: dict) -> list[str]:
    """A macro that differs between targets is in macros/portable/, in the file of its name, for each."""
    macros = [
        macro
        for macro in manifest["macros"].values()
        if macro["package_name"] == manifest["metadata"]["project_name"]
    ]
    names = {(macro["original_file_path"], macro["name"]) for macro in macros}
    breaches = []
    for macro in macros:
        path, name = macro["original_file_path"], macro["name"]
        sql = COMMENTS.sub("", macro["macro_sql"])
        differs = "__" in name or BRANCH.search(sql)
        if differs and "/macros/portable/" not in path:
            breaches.append(f"{name}: differs between targets outside macros/portable/")
        if "/macros/portable/" in path and "__" not in name:
            if not path.endswith(f"/{name}.sql"):
                breaches.append(f"{name}: lies in {path}")
            breaches += [
                f"{name}: no {prefix}__{name} beside it"
                for prefix in ("default", "duckdb", "redshift")
                if (path, f"{prefix}__{name}") not in names
            ]
    return breaches


def unit_test_fixtures_begin_with_a_full_row(manifest: dict) -> list[str]:
    """The first row of a fixture has no NULL and every column of the others: Redshift types by it."""
    breaches = []
    for test in manifest["unit_tests"].values():
        fixtures = [(given["input"], given["rows"]) for given in test["given"]]
        fixtures.append(("expect", test["expect"]["rows"]))
        for name, rows in fixtures:
            if not rows or isinstance(rows, str):  # rows in SQL have the types that it says
                continue
            first = {column for column, value in rows[0].items() if value is not None}
            for column in sorted({column for row in rows for column in row} - first):
                breaches.append(
                    f"{test['model']}.{test['name']}, {name}: {column} is missing in the first row"
                )
    return breaches


RULES: tuple[Callable[[dict], list[str]], ...] = (
    everything_is_described,
    every_model_has_a_primary_key_test,
    names_say_the_layer,
    folders_are_schemas_and_groups,
    only_staging_reads_sources,
    every_source_table_has_one_staging_model,
    marts_have_contracts,
    tables_lie_for_a_reason,
    readers_see_marts_alone,
    public_models_have_an_example_query,
    marts_with_terms_say_whether_to_train,
    rows_say_where_they_come_from,
    logic_has_a_unit_test,
    no_upstream_concept_is_rejoined,
    layers_flow_one_way,
    sources_are_fresh_or_exempt,
    no_model_asks_for_the_target,
    macros_for_one_target_are_portable,
    unit_test_fixtures_begin_with_a_full_row,
)
