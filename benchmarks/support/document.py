"""Figures as a Markdown document. Names no host and no path: it is published."""

import os
import platform
from collections.abc import Iterable
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.support.figures import Figure
from benchmarks.support.runner import Outcome

LIBRARIES = ("dlt", "duckdb", "pyarrow", "orjson")

_INTRODUCTION = """\
# Benchmarks

Written by `make bench`. Every figure is measured beside its baseline in the same run; ratio is value to
baseline. A goal bounds the ratio where there is a baseline, and the value where there is none.
"""


def document(outcomes: Iterable[Outcome]) -> str:
    """The whole document: the machine, then a section with a table per benchmark."""
    return "\n".join([_INTRODUCTION, machine(), *(_section(outcome) for outcome in outcomes)])


def machine() -> str:
    """A line on what was measured on, and when."""
    libraries = ", ".join(f"{name} {version(name)}" for name in LIBRARIES)
    return (
        f"{_cpus()} CPUs ({platform.machine()}), {platform.system()}, Python {platform.python_version()}, "
        f"{libraries}; {datetime.now(UTC):%Y-%m-%d}\n"
    )


def _section(outcome: Outcome) -> str:
    lines = [f"## {outcome.name}", "", outcome.description, ""]
    if outcome.failure:
        lines += [f"**Failed:** {outcome.failure}.", ""]
    if outcome.figures:
        lines += ["| name | value | baseline | ratio | goal | holds |", "|---|---|---|---|---|---|"]
        lines += [_row(figure) for figure in outcome.figures]
        lines += [""]
    return "\n".join(lines)


def _row(figure: Figure) -> str:
    cells = [
        figure.name,
        f"{_number(figure.value)} {figure.unit}",
        _number(figure.baseline),
        _number(figure.ratio),
        _goal(figure),
        {True: "yes", False: "**no**", None: ""}[figure.holds],
    ]
    return f"| {' | '.join(cells)} |"


def _goal(figure: Figure) -> str:
    """The goal with its direction, which a kept or missed goal shows by itself, unless it is just met."""
    if figure.goal is None:
        return ""
    if figure.bounded == figure.goal:
        return f"= {_number(figure.goal)}"
    is_lower_bound = (figure.bounded >= figure.goal) == figure.holds
    return f"{'≥' if is_lower_bound else '≤'} {_number(figure.goal)}"


def _number(number: float | None) -> str:
    if number is None:
        return ""
    return f"{number:,.0f}" if abs(number) >= 1_000 else f"{number:.4g}"


def _cpus() -> int:
    """CPUs that this process may use, which in a container are fewer than the machine's."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
