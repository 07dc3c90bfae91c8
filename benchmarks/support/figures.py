"""What a benchmark prints: figures, one JSON line each; and how it takes its sizes."""

import argparse
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass


@dataclass(frozen=True)
class Figure:
    """One measured figure.

    `value` and `baseline` are in `unit`; `ratio` is value to baseline. `goal` bounds the ratio where
    there is a baseline and the value where there is none; `holds` says whether it is kept, and is
    None where there is no goal.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    ratio: float | None = None
    goal: float | None = None
    holds: bool | None = None

    @property
    def bounded(self) -> float:
        """The number that a goal is about."""
        return self.value if self.ratio is None else self.ratio

    def line(self) -> str:
        """The figure as a line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> "Figure":
        """The figure that a line of JSON holds; raises ValueError where it holds none."""
        try:
            return cls(**json.loads(line))
        except TypeError as error:
            raise ValueError(f"no figure: {error}") from None


def figure(
    name: str,
    value: float,
    unit: str,
    *,
    baseline: float | None = None,
    ratio: float | None = None,
    at_least: float | None = None,
    at_most: float | None = None,
) -> Figure:
    """A figure, rounded, with its goal judged: `at_least` or `at_most`, or neither.

    `ratio` is given where it is the median of paired runs; else it is value / baseline.
    """
    if baseline is not None and ratio is None:
        ratio = value / baseline
    bounded = value if ratio is None else ratio
    holds = None
    if at_least is not None:
        holds = bounded >= at_least
    elif at_most is not None:
        holds = bounded <= at_most
    goal = at_most if at_least is None else at_least
    return Figure(name, _rounded(value), unit, _rounded(baseline), _rounded(ratio), goal, holds)


def report(figure: Figure) -> None:
    """Print a figure at once, so that a killed benchmark has shown what it measured."""
    print(figure.line(), flush=True)


def sizes(
    description: str | None, flags: Mapping[str, str] | None = None, **defaults: tuple[int, int]
) -> argparse.Namespace:
    """The sizes of this run, from the command line.

    Each keyword names a size and gives its defaults: (full run, `--smoke` run). Every size is an
    option of its own too. `flags` are further options, with what they mean.
    """
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--smoke", action="store_true", help="a tiny run; its figures mean nothing")
    for name, meaning in (flags or {}).items():
        parser.add_argument(f"--{name}", action="store_true", help=meaning)
    for name, (full, smoke) in defaults.items():
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, help=f"default {full:,} ({smoke:,} with --smoke)"
        )
    options = parser.parse_args()
    for name, (full, smoke) in defaults.items():
        if getattr(options, name) is None:
            setattr(options, name, smoke if options.smoke else full)
    return options


def _rounded(number: float | None) -> float | None:
    """Four significant digits: more would claim a precision that no run repeats."""
    return None if number is None else float(f"{number:.4g}")
