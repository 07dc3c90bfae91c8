"""Run every benchmark and write docs/benchmarks.md: `python -m benchmarks`, or `make bench`.

Exit status: 0 all ran (a goal that is not kept is a finding, shown in the table, and no failure),
1 a benchmark failed, 2 the command line is wrong.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.support.document import document
from benchmarks.support.runner import find, run

HERE = Path(__file__).resolve().parent
DOCUMENT = HERE.parent / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None, folder: Path = HERE) -> int:
    """Run the benchmarks in `folder`; returns the exit status."""
    benchmarks = {path.stem: path for path in find(folder)}
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Run the benchmarks.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"only these: {', '.join(benchmarks)}")
    parser.add_argument("--smoke", action="store_true", help="tiny runs; writes no document of itself")
    parser.add_argument("--output", type=Path, help="the document to write (default: docs/benchmarks.md)")
    options = parser.parse_args(arguments)
    if unknown := set(options.names) - benchmarks.keys():
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")

    names = options.names or list(benchmarks)
    outcomes = [run(benchmarks[name], ["--smoke"] if options.smoke else []) for name in names]
    # Tiny or partial runs must not take the place of the whole document.
    output = options.output or (DOCUMENT if names == list(benchmarks) and not options.smoke else None)
    if output:
        output.parent.mkdir(parents=True, exist_ok=True)
        output.write_text(document(outcomes), encoding="utf-8")
        print(f"written: {output}", file=sys.stderr)
    failed = [outcome for outcome in outcomes if outcome.failure]
    for outcome in failed:
        print(f"error: benchmark {outcome.name} {outcome.failure}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
