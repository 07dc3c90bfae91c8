"""The operator's command: `python -m ingestion`.

    msd PATH              Million Song Dataset files into the lake
    playlist-files PATH   playlist files into the lake
    load                  what is new in the lake into the warehouse
    prepare               the raw tables that do not exist yet, empty

Settings come from the environment (`ingestion/config.py`). Exit status: 0 done, 1 the work
could not be done, 2 the command or a setting is wrong.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ingestion.config import SOURCE_VARIABLES, ConfigError, load_settings
from ingestion.extract import extract
from ingestion.lake import LakeError
from ingestion.sources import SOURCES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return options.run(options)
    except (ConfigError, FileNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except LakeError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ingestion", description="Extract to the lake; load from it."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for source in SOURCES:
        variable = SOURCE_VARIABLES[source.name]
        command = commands.add_parser(
            source.name.replace("_", "-"), help=f"files below PATH (default: ${variable}) into the lake"
        )
        command.add_argument("path", nargs="?", type=Path, help="a file or a folder")
        command.add_argument(
            "--shard",
            type=_shard,
            default=(1, 1),
            metavar="I/N",
            help="only the I-th of N shares of the work",
        )
        command.set_defaults(run=_extract, source=source)
    commands.add_parser("load", help="what is new in the lake into the warehouse").set_defaults(run=_load)
    commands.add_parser("prepare", help="create the raw tables that do not exist yet").set_defaults(
        run=_prepare
    )
    return parser


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with 1 <= I <= N")
    return int(index), int(count)


def _extract(options: argparse.Namespace) -> int:
    source = options.source
    variable = SOURCE_VARIABLES[source.name]
    environment = dict(os.environ)
    if options.path is not None:
        environment[variable] = str(options.path)
    settings = load_settings(environment)
    if source.name not in settings.source_paths:
        raise ConfigError(f"give a PATH, or set {variable}")
    result = extract(settings, source, settings.source_paths[source.name], options.shard)
    print(
        f"{source.name}: {result.files:,} files in {result.units_extracted + result.units_done_before:,} units, "
        f"{result.units_done_before:,} of them done before; new in the lake {settings.lake_url}:"
    )
    for table, rows in result.rows.items():
        print(f"  {rows:>12,}  {table}")
    print("next: python -m ingestion load")
    return 0


def _load(options: argparse.Namespace) -> int:  # noqa: ARG001
    from ingestion.load import LoadError, load  # dlt takes seconds to import; extraction needs none of it

    settings = load_settings()
    try:
        results = [load(settings, source) for source in SOURCES]
    except LoadError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    for result in results:
        print(f"raw_{result.source}: {result.units:,} new units")
        for table, rows in result.rows.items():
            if rows:
                print(f"  {rows:>12,}  {table}")
    print(f"warehouse: {settings.warehouse_path}")
    return 0


def _prepare(options: argparse.Namespace) -> int:  # noqa: ARG001
    from ingestion.load import LoadError, prepare

    settings = load_settings()
    try:
        prepare(settings, SOURCES)
    except LoadError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
