"""The files of the dbt project, as far as what dbt makes depends on them."""

from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_KINDS = (".csv", ".md", ".sql", ".yml")


def project_parts() -> list[Path]:
    """Files and folders; folders count, as removing a model changes its folder alone."""
    return [ROOT / "dbt_project.yml", ROOT / "profiles.yml", *sorted((ROOT / "dbt_project").rglob("*"))]


def project_files() -> list[Path]:
    """The files that dbt reads, in order."""
    return [part for part in project_parts() if part.suffix in _KINDS and part.is_file()]
