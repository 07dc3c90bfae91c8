"""Compiling every node of the dbt project for a target, without a database and without its credentials."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

OFFLINE_MACROS = Path(__file__).with_name("offline")

DBT = "from dbt.cli.main import cli; cli()"
"""The dbt of the running interpreter, whatever is on PATH."""

FULL, INCREMENTAL = "full", "incremental"
"""The shapes, and the folders that they are compiled into."""


class CompilingFailed(Exception):  # noqa: N818 - says what happened
    """dbt did not compile the project; the message is what it printed."""


def compile_offline(project: Path, output: Path, target: str) -> list[Path]:
    """Compile the project in a folder for a target; returns the files of compiled SQL.

    `output` is replaced: full/ holds every model and data test as a first run has them, incremental/ the
    incremental models, if there are any, as later runs have them. Warnings of dbt are errors. Raises
    CompilingFailed.
    """
    shutil.rmtree(output, ignore_errors=True)
    workplace = _project_with_offline_macros(project, output / "project")
    _compile(workplace, target, FULL)
    manifest = json.loads((workplace / "target" / "manifest.json").read_text())
    if any(node["config"].get("materialized") == "incremental" for node in manifest["nodes"].values()):
        _compile(workplace, target, INCREMENTAL, "--select", "config.materialized:incremental")
    shutil.rmtree(workplace)
    return sorted(path for path in output.rglob("*.sql") if path.is_file())


def _project_with_offline_macros(project: Path, workplace: Path) -> Path:
    """The project's files under another dbt_project.yml, which names the macros of the lint as well."""
    workplace.mkdir(parents=True)
    settings = yaml.safe_load((project / "dbt_project.yml").read_text())
    settings["macro-paths"].append(OFFLINE_MACROS.name)
    (workplace / "dbt_project.yml").write_text(yaml.safe_dump(settings))
    shutil.copyfile(project / "profiles.example.yml", workplace / "profiles.yml")
    (workplace / "dbt_project").symlink_to(project.resolve() / "dbt_project")
    (workplace / OFFLINE_MACROS.name).symlink_to(OFFLINE_MACROS)
    return workplace


def _compile(workplace: Path, target: str, shape: str, *selection: str) -> None:
    """Compile into a folder named after the shape, beside the workplace."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("WAREHOUSE_", "REDSHIFT_", "DBT_"))
    }
    done = subprocess.run(
        [
            *(sys.executable, "-c", DBT, "--quiet", "--warn-error", "compile", "--no-populate-cache"),
            *("--target", target, "--profiles-dir", ".", *selection),
        ],
        cwd=workplace,
        env={
            **kept,
            "COMPILE_AS_INCREMENTAL": str(shape == INCREMENTAL).lower(),
            "NO_COLOR": "1",
            "WAREHOUSE_DATA_DIR": str(workplace),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise CompilingFailed(f"dbt compile for {target}, {shape}:\n{done.stdout}")
    compiled = next((workplace / "target" / "compiled").iterdir())
    compiled.rename(workplace.parent / shape)
