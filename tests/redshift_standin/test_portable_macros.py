"""What the macros of the project mean, on DuckDB and on Redshift: the same, wherever the spelling differs.

dbt renders them for both targets, in a project that holds nothing else.
"""

import hashlib
import json
import shutil
import subprocess
import sys
from contextlib import closing
from datetime import date, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.redshift_standin.clients import rows_of
from tests.redshift_standin.engines import Redshift
from tests.support.checkout import ROOT

MACROS = ROOT / "dbt_project" / "macros"
SEPARATOR = "\n---\n"
TARGETS = ("duckdb", "redshift")


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def rows_alike(*sets: list[tuple[str, int]]) -> str:
    """Whether two sets of rows of two columns, the first in SQL, have one fingerprint."""
    fingerprint = """{{ fingerprint_of_rows(["one", "other"]) }}"""
    here, there = (
        " union all ".join(
            f"select cast({one} as varchar(3)) as one, {other} as other" for one, other in rows
        )
        for rows in sets
    )
    return f"(select {fingerprint} from ({here}) as a) = (select {fingerprint} from ({there}) as b)"


CASES: list[tuple[str, str, Any]] = [
    # spelled differently: macros/portable/
    ("byte_length", """{{ byte_length("'aä中'") }}""", 6),
    ("byte_length", """{{ byte_length("''") }}""", 0),
    ("byte_length", """{{ byte_length("cast(null as varchar(3))") }}""", None),
    (
        "joined_texts",
        """(select {{ joined_texts("x", ", ", "y") }} from (
        select 'a' as x, 2 as y union all select 'ä' as x, 1 as y
        union all select cast(null as varchar(2)) as x, 0 as y) as q)""",
        "ä, a",
    ),
    ("fingerprint_of_rows", rows_alike([("'a'", 1), ("'b'", 2)], [("'b'", 2), ("'a'", 1)]), True),
    ("fingerprint_of_rows", rows_alike([("'a'", 1), ("'b'", 2)], [("'a'", 2), ("'b'", 1)]), False),
    ("fingerprint_of_rows", rows_alike([("'a'", 1)], [("'a'", 1), ("'a'", 1)]), False),
    ("fingerprint_of_rows", rows_alike([("null", 1)], [("''", 1)]), False),
    ("fingerprint_of_rows", rows_alike([("null", 1)], [("null", 1)]), True),
    ("quoted_text", """{{ quoted_text("it's \\\\ all") }}""", "it's \\ all"),
    ("regexp_replace_all", """{{ regexp_replace_all("'a1b22'", "[0-9]+", "-") }}""", "a-b-"),
    ("regexp_replace_all", """{{ regexp_replace_all("'abc'", "[0-9]", "-") }}""", "abc"),
    ("regexp_replace_all", """{{ regexp_replace_all("'a  b   c'", " +", " ") }}""", "a b c"),
    (
        "joined_texts",
        """(select {{ joined_texts("t", " | ") }} from (select 'b' as t union all select 'a') as texts)""",
        "a | b",
    ),
    ("months_later", """{{ months_later("cast('2026-08-31' as date)", -18) }}""", date(2025, 2, 28)),
    ("months_later", """{{ months_later("cast('2025-02-28' as date)", 1) }}""", date(2025, 3, 28)),
    ("type_string_long", "length(cast(repeat('ab', 300) as {{ type_string_long() }}))", 600),
    # spelled alike, of functions that could mean different things
    ("blank_to_null", """{{ blank_to_null("'  '") }}""", None),
    ("blank_to_null", """{{ blank_to_null("' a '") }}""", " a "),
    ("hash_key", """{{ hash_key(["'ab'", "cast(null as varchar(3))", "'ä'"]) }}""", md5("ab||ä")),
    ("is_named_as_guest", """{{ is_named_as_guest("'Song (feat. Å & B)'", "'a'") }}""", True),
    ("is_named_as_guest", """{{ is_named_as_guest("'Song (feat. Å & B)'", "'B'") }}""", True),
    ("is_named_as_guest", """{{ is_named_as_guest("'B with A'", "'B'") }}""", False),
    ("is_named_as_guest", """{{ is_named_as_guest("'Song'", "cast(null as varchar(1))") }}""", False),
    ("normalise_text", """{{ normalise_text("'Rós & Björk''s \\\\ Ŧhing!'") }}""", "ros and bjorks thing"),
    ("normalise_text", """{{ normalise_text("'!!!'") }}""", "!!!"),
    ("normalise_text", """{{ normalise_text("'  '") }}""", None),
    ("normalise_text", """{{ normalise_text("'椎名 林檎'") }}""", "椎名 林檎"),
    ("release_year", """{{ release_year("'1999-12-31'") }}""", 1999),
    ("release_year", """{{ release_year("'0000'") }}""", None),
    ("release_year", """{{ release_year("'199'") }}""", None),
    ("spotify_id", """{{ spotify_id("'spotify:track:abc'", "track") }}""", "abc"),
    ("spotify_id", """{{ spotify_id("'spotify:local:abc'", "track") }}""", None),
    ("spotify_url", """{{ spotify_url("album", "'abc'") }}""", "https://open.spotify.com/album/abc"),
    ("spotify_url", """{{ spotify_url("album", "cast(null as varchar(3))") }}""", None),
    ("terms_of_both", """{{ terms_of_both("'a | b'", "'c'") }}""", "a | b | c"),
    ("terms_of_both", """{{ terms_of_both("'a | b'", "'b'") }}""", "a | b"),
    ("terms_of_both", """{{ terms_of_both("'ab'", "'a'") }}""", "ab | a"),
    ("terms_of_both", """{{ terms_of_both("cast(null as varchar(3))", "'a'") }}""", "a"),
    ("terms_of_both", """{{ terms_of_both("'a'", "cast(null as varchar(3))") }}""", "a"),
    (
        "load_moment",
        """{{ load_moment("'1732230000.9871234'") }}""",
        datetime(2024, 11, 21, 23, 0),
    ),
    (
        "utc_timestamp",
        """{{ utc_timestamp("cast('2020-01-01 00:30:00+01' as timestamptz)") }}""",
        datetime(2019, 12, 31, 23, 30),
    ),
]  # fmt: skip
"""Macro, an expression that calls it, and its value on either engine."""

cases = pytest.mark.parametrize("number", range(len(CASES)), ids=[name for name, _, _ in CASES])


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """The SQL of each case, by target."""
    project = tmp_path_factory.mktemp("macros")
    shutil.copyfile(ROOT / "profiles.example.yml", project / "profiles.yml")
    (project / "dbt_project.yml").write_text("name: music_warehouse\nprofile: music_warehouse\n")
    (project / "macros").symlink_to(MACROS)
    text = SEPARATOR.join(expression for _, expression, _ in CASES)
    processes = {target: start_rendering(project, target, text) for target in TARGETS}
    rendered = {}
    for target, process in processes.items():
        output, _ = process.communicate()
        assert process.returncode == 0, output
        rendered[target] = json.loads(output)["compiled"].split(SEPARATOR)
    return rendered


def start_rendering(project: Path, target: str, text: str) -> subprocess.Popen:
    """dbt, which opens no connection for this."""
    command = [sys.executable, "-c", "from dbt.cli.main import cli; cli()", "--quiet", "compile"]
    options = ["--no-populate-cache", "--target", target, "--target-path", f"target_{target}"]
    return subprocess.Popen(
        [*command, *options, "--output", "json", "--inline", text],
        cwd=project,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@cases
def test_macro_on_duckdb(number, rendered):
    with duckdb.connect() as connection:
        assert connection.execute(f"select {rendered['duckdb'][number]}").fetchall() == [(CASES[number][2],)]


@pytest.fixture(scope="module")
def connection(administrator: Redshift):
    with closing(administrator.connect()) as connection:
        yield connection


@cases
def test_macro_on_redshift(number, rendered, connection):
    assert rows_of(connection, f"select {rendered['redshift'][number]}") == [(CASES[number][2],)]


def test_every_portable_macro_has_a_case():
    assert portable_macros() - {name for name, _, _ in CASES} == set()


def test_every_portable_macro_is_spelled_differently(rendered):
    spelled_alike = {
        name
        for (name, _, _), here, there in zip(CASES, rendered["duckdb"], rendered["redshift"], strict=True)
        if here == there
    }
    assert portable_macros() & spelled_alike == set()


def portable_macros() -> set[str]:
    macros = {path.stem for path in (MACROS / "portable").glob("*.sql")}
    assert macros
    return macros
