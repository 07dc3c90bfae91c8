"""What the stand-in knows: functions, types and settings, each with what PostgreSQL calls it.

From the Redshift Database Developer Guide (SQL functions reference, data types, unsupported
PostgreSQL features, reserved words), as far as needed. What is not listed is an error.
"""


def words(text: str) -> frozenset[str]:
    """The words of a text."""
    return frozenset(text.split())


def _same(names: str) -> dict[str, str]:
    return {name: name for name in names.split()}


FUNCTIONS = {
    # aggregates and windows
    **_same("count sum min max any_value bool_and bool_or"),
    **_same("stddev stddev_samp stddev_pop variance var_samp var_pop"),
    **_same("row_number rank dense_rank percent_rank cume_dist ntile"),
    **_same("lag lead first_value last_value nth_value"),
    "avg": "rs.avg",
    # conditions
    **_same("coalesce nullif greatest least"),
    "nvl": "coalesce",
    # text
    **_same("ascii btrim char_length chr initcap left length lower lpad ltrim md5 octet_length position"),
    **_same("quote_ident quote_literal repeat replace reverse right rpad rtrim"),
    **_same("regexp_count regexp_instr regexp_substr"),
    **_same("split_part strpos substr substring translate trim upper"),
    "concat": "rs.concat",
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
    **_same("cast listagg pg_get_late_binding_view_cols"),
}
"""Functions by what Redshift calls them."""

FUNCTIONS_WITH_A_DATE_PART = frozenset({"dateadd", "datediff"})

REFUSED_FUNCTIONS = {
    **dict.fromkeys(
        words("""
        array_agg array_append array_length array_position array_prepend array_to_string clock_timestamp
        concat_ws every format gen_random_uuid generate_subscripts isfinite json_agg json_array_elements
        json_build_array json_build_object json_object_agg jsonb_agg jsonb_array_elements jsonb_build_object
        make_date make_interval make_timestamp pg_typeof regexp_matches regexp_split_to_array
        regexp_split_to_table row_to_json setseed statement_timestamp string_agg string_to_array to_json
        to_jsonb transaction_timestamp unnest xmlagg
        arg_max arg_min date_add date_diff epoch_ms hash list list_value max_by min_by strlen strptime
        struct_pack try_strptime
    """),
        "Redshift has no such function",
    ),
    "age": "use datediff",
    "generate_series": "it runs on the leader node only, so not with tables",
    "now": "it runs on the leader node only: use getdate or dbt.current_timestamp",
}
"""Functions of PostgreSQL or DuckDB that Redshift has not, or not where tables are read, with a reason."""

NEEDS_FRAME = words("""
    avg bool_and bool_or count first_value last_value max min nth_value stddev stddev_pop stddev_samp sum
    var_pop var_samp variance
""")
"""Window functions that Redshift takes with ORDER BY only if a frame is spelled out."""

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

RESERVED_WORDS = words("""
    aes128 aes256 allowoverwrite az64 blanksasnull bytedict bzip2 credentials current_user_id deflate defrag
    delta delta32k disable emptyasnull enable encrypt encryption explicit globaldict256 globaldict64k gzip
    ignore lun luns lzo lzop minus mostly16 mostly32 mostly8 new off offline old open parallel percent
    permissions raw readratio recover rejectlog resort respect restore snapshot system tag tdes text255
    text32k top truncatecolumns wallet
""")
"""Reserved by Redshift and by PostgreSQL not: as a name they must be quoted."""

SETTINGS = frozenset({"datestyle", "extra_float_digits", "search_path", "statement_timeout", "timezone"})
"""Session settings of Redshift that PostgreSQL has too."""

IGNORED_SETTINGS = frozenset({"enable_result_cache_for_session", "query_group", "wlm_query_slot_count"})
"""Session settings of Redshift that change no result: they are only remembered."""

ROLE_PREFIX = "role:"
"""Begins the name of a role of Redshift in PostgreSQL, where users and groups are roles too."""
