"""Compiling and linting without a database, on a project of three models, one of them incremental."""

import shutil
from pathlib import Path

import pytest

from dbt_project.lint.__main__ import lint_target
from dbt_project.lint.compiling import CompilingFailed, compile_offline

REPOSITORY = Path(__file__).resolve().parents[2]

PLAYS = "select 'SO1' as song_id, cast('2026-01-01' as date) as played_on"

NEW_PLAYS = """\
{{ config(materialized='incremental', unique_key='song_id', incremental_strategy='delete+insert') }}

select song_id, string_agg(song_id) as song_ids
from {{ ref('plays') }}
{% if is_incremental() %}
where played_on > (select max(played_on) + to_days(1) from {{ this }})
{% endif %}
"""
"""Redshift has neither string_agg, which is in both shapes, nor to_days, which is in the incremental one."""


def make_project(folder: Path, **models: str) -> Path:
    """A project with this house's settings and profiles, and models of its own."""
    (folder / "dbt_project" / "models").mkdir(parents=True)
    (folder / "dbt_project" / "macros").mkdir()
    for name in ("dbt_project.yml", "profiles.example.yml"):
        shutil.copyfile(REPOSITORY / name, folder / name)
    for name, text in models.items():
        (folder / "dbt_project" / "models" / f"{name}.sql").write_text(text)
    # Paths of the house's settings that this project has nothing for would be warnings, which are errors.
    settings = (folder / "dbt_project.yml").read_text()
    (folder / "dbt_project.yml").write_text(settings[: settings.index("# Layer = schema")])
    return folder


@pytest.fixture(scope="module")
def linted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """The folder that was compiled into for Redshift, and what was found there."""
    models = {"plays": PLAYS, "new_plays": NEW_PLAYS, "broken": "select\n(1 from from"}
    project = make_project(tmp_path_factory.mktemp("project"), **models)
    messages = lint_target("redshift", project)
    return project / "target" / "lint" / "redshift", messages


def test_an_incremental_model_is_compiled_in_both_shapes(linted):
    output, _ = linted
    full, incremental = (
        (output / shape / "dbt_project" / "models" / "new_plays.sql").read_text()
        for shape in ("full", "incremental")
    )

    assert "to_days" not in full
    assert 'select max(played_on) + to_days(1) from "music_warehouse"."staging"."new_plays"' in incremental


def test_other_models_are_compiled_once(linted):
    output, _ = linted

    assert [path.parts[len(output.parts)] for path in output.rglob("plays.sql")] == ["full"]


def test_a_finding_says_where_it_is_what_and_where_to_read(linted):
    _, messages = linted
    page = "https://docs.aws.amazon.com/redshift/latest/dg/c_SQL_functions.html"
    file = "target/lint/redshift/{shape}/dbt_project/models/new_plays.sql:{line}"

    assert [message for message in messages if "new_plays" in message] == [
        f"{file.format(shape='full', line=3)}: not for Redshift: function string_agg(): "
        f"use listagg or dbt.listagg ({page})",
        f"{file.format(shape='incremental', line=3)}: not for Redshift: function string_agg(): "
        f"use listagg or dbt.listagg ({page})",
        f"{file.format(shape='incremental', line=6)}: not for Redshift: function to_days() ({page})",
    ]


def test_what_the_dialect_does_not_parse_is_found(linted):
    _, messages = linted
    parsed, read = [message for message in messages if "broken" in message]
    file = "target/lint/redshift/full/dbt_project/models/broken.sql"

    assert parsed.startswith(f"{file}:2: redshift does not parse: ")
    assert read == f"{file}:1: no SQL: a parenthesis is not closed"


def test_what_dbt_cannot_compile_is_told_in_its_words(tmp_path):
    project = make_project(tmp_path, plays="select * from {{ ref('nothing') }}")

    with pytest.raises(CompilingFailed, match="depends on a node named 'nothing' which was not found"):
        compile_offline(project, tmp_path / "output", "redshift")
