"""What the stand-in translates: functions, types and settings, each with what PostgreSQL calls it.

What Redshift itself takes stands in dbt_project/lint/redshift/vocabulary.yml; of that, this is what is needed
so far. What is not listed is an error.
"""


def _same(names: str) -> dict[str, str]:
    return {name: name for name in names.split()}


FUNCTIONS = {
    # aggregates and windows
    **_same("count sum min max any_value bool_and bool_or"),
    **_same("stddev stddev_samp stddev_pop variance var_samp var_pop"),
    **_same("row_number rank dense_rank percent_rank cume_dist ntile"),
    **_same("lag lead first_value last_value nth_value"),
    **_same("grouping percentile_cont"),
    "avg": "rs.avg",
    # conditions
    **_same("coalesce nullif greatest least"),
    "nvl": "coalesce",
    # text
    **_same("ascii btrim char_length chr initcap left length lower lpad ltrim md5 octet_length position"),
    **_same("quote_ident quote_literal repeat replace reverse right rpad rtrim"),
    **_same("regexp_count regexp_instr regexp_substr"),
    **_same("split_part strpos substr substring translate trim upper"),
    "charindex": "rs.charindex",
    "concat": "rs.concat",
    "farmfingerprint64": "rs.farmfingerprint64",
    "len": "length",
    "regexp_replace": "rs.regexp_replace",
    "sha2": "rs.sha2",
    # numbers
    **_same("abs ceil ceiling exp floor ln log mod pi power random sign sqrt trunc"),
    "pow": "power",
    "round": "rs.round",
    # dates
    **_same("date_part date_trunc extract to_char to_date to_timestamp"),
    "add_months": "rs.add_months",
    "last_day": "rs.last_day",
    "convert_timezone": "rs.convert_timezone",
    "dateadd": "rs.dateadd",
    "datediff": "rs.datediff",
    "getdate": "rs.getdate",
    # session and catalog
    **_same("current_database current_schema has_schema_privilege has_table_privilege"),
    **_same("col_description format_type obj_description"),
    **_same("pg_backend_pid pg_get_userbyid pg_terminate_backend"),
    "current_setting": "rs.setting",
    "version": "rs.version",
    # expanded by the translation
    **_same("cast decode listagg median nvl2 pg_get_late_binding_view_cols try_cast"),
}
"""Functions by what Redshift calls them."""

FUNCTIONS_WITH_A_DATE_PART = frozenset({"date_part", "dateadd", "datediff"})

CATALOG_FUNCTIONS = dict.fromkeys(
    ("col_description", "format_type", "obj_description", "pg_get_userbyid"), ""
)
CATALOG_TYPES = dict.fromkeys(("regproc", "regclass", "name"), "")
"""Undocumented, but in the catalog queries that the client libraries send."""

TYPES = {
    **_same("smallint int2 integer int int4 bigint int8 real float4 float8 boolean bool date time timetz"),
    **_same("timestamp timestamptz regproc regclass name"),
    "float": "double precision",
    "double precision": "double precision",
    "varbyte": "bytea",
    "varbinary": "bytea",
    **{f"{time} {zone} time zone": f"{time} {zone} time zone" for time in ("time", "timestamp")
       for zone in ("with", "without")},
}  # fmt: skip
"""Types without a length."""

TEXT_TYPES = frozenset({"varchar", "nvarchar", "character varying", "text"})
CHAR_TYPES = frozenset({"char", "character", "nchar", "bpchar"})
DECIMAL_TYPES = frozenset({"decimal", "numeric"})

MAXIMUM_VARCHAR = 65_535
DEFAULT_VARCHAR = 256
"""Bytes of a varchar column that names no length."""

SETTINGS = frozenset({"datestyle", "extra_float_digits", "search_path", "statement_timeout", "timezone"})
"""Session settings of Redshift that PostgreSQL has too."""

IGNORED_SETTINGS = frozenset({"enable_result_cache_for_session", "query_group", "wlm_query_slot_count"})
"""Session settings of Redshift that change no result: they are only remembered."""

ROLE_PREFIX = "role:"
"""Begins the name of a role of Redshift in PostgreSQL, where users and groups are roles too."""
