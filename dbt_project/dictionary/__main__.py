"""Write the data dictionary: `python -m dbt_project.dictionary`, after `dbt docs generate` (`make docs`).

The page in docs/ has the row counts of the sandbox, which are the same everywhere. Counts of other data go
into a page of their own in docs/site/, which git ignores.
"""

import json
import sys
from collections.abc import Iterable
from pathlib import Path

from dbt_project.dictionary.models import Model, public_models
from dbt_project.dictionary.page import data_dictionary, founding_columns
from ingestion.config import Settings, load_settings
from ingestion.errors import IngestionError
from orchestration.warehouse import open_to_read, read

PROJECT = Path(__file__).resolve().parents[2]
MANIFEST = PROJECT / "target" / "docs" / "manifest.json"
PAGE = Path("docs", "data-dictionary.md")
PAGE_OF_OTHER_DATA = Path("docs", "site", "data-dictionary.md")


def main() -> int:
    """Write the page; returns the exit status."""
    manifest = json.loads(MANIFEST.read_text())
    try:
        settings = load_settings()
        row_counts = count_rows(settings, public_models(manifest))
    except IngestionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    if row_counts is None:
        print(f"{PAGE} stays as it is: the warehouse has not all models, build them first (make run)")
        return 0
    page = PAGE if settings.is_sandbox else PAGE_OF_OTHER_DATA
    (PROJECT / page).write_text(
        data_dictionary(manifest, row_counts, founding_columns(), settings.is_sandbox)
    )
    print(page)
    return 0


def count_rows(settings: Settings, models: Iterable[Model]) -> dict[str, int] | None:
    """The number of rows of each model by its relation's name; None where one of them is not built."""
    with open_to_read(settings) as warehouse:
        built = {
            f"{schema}.{name}"
            for schema, name in read(
                warehouse, "select table_schema, table_name from information_schema.tables"
            )
        }
        relations = [model.relation for model in models]
        if not built.issuperset(relations):
            return None
        return {name: read(warehouse, f"select count(*) from {name}")[0][0] for name in relations}


if __name__ == "__main__":
    sys.exit(main())
