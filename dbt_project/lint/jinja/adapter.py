"""What sqlfluff's jinja templater sees as `adapter`: just enough to render macros/portable/.

The linter renders models without dbt, so nothing opens a database. Not part of the dbt project
itself and imported by nothing else.
"""

import os
from collections.abc import Callable
from typing import Any

from jinja2 import pass_context
from jinja2.runtime import Context


@pass_context
def dispatch(context: Context, macro_name: str, package: str | None = None) -> Callable[..., Any]:
    """The macro of that name for WAREHOUSE_TARGET (duckdb if unset), else the default one.

    Raises KeyError where neither exists.
    """
    target = os.environ.get("WAREHOUSE_TARGET", "duckdb")
    for prefix in (target, "default"):
        macro = context.resolve(f"{prefix}__{macro_name}")
        if callable(macro) and not type(macro).__name__.endswith("Undefined"):
            return macro
    raise KeyError(f"{package or 'the project'} has no macro {macro_name} for {target}")
