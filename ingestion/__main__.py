"""The operator's command: `python -m ingestion`.

    msd PATH              Million Song Dataset files into the lake
    playlist-files PATH   playlist files into the lake
    load                  what is new in the lake into the warehouse
    prepare               the raw tables that do not exist yet, empty

Settings come from the environment (`ingestion/config.py`). Exit status: 0 done, 1 not
done (one line says why), 2 the command line is wrong.
"""

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from ingestion.config import SOURCE_VARIABLES, load_settings
from ingestion.errors import ConfigError, IngestionError
from ingestion.extract import extract
from ingestion.lake import shown_url
from ingestion.sources import SOURCES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        options.run(options)
    except (IngestionError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


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


def _extract(options: argparse.Namespace) -> None:
    source = options.source
    variable = SOURCE_VARIABLES[source.name]
    environment = dict(os.environ)
    if options.path is not None:
        environment[variable] = str(options.path)
    settings = load_settings(environment)
    if source.name not in settings.source_paths:
        raise ConfigError(f"give a PATH, or set {variable}")
    result = extract(settings, source, settings.source_paths[source.name], options.shard)
    units = result.units_extracted + result.units_done_before
    print(
        f"{source.name}: {result.files:,} files in {units:,} units, {result.units_done_before:,} done before"
    )
    print(f"new in the lake {shown_url(settings.lake_url)}:")
    for table, rows in result.rows.items():
        print(f"  {rows:>12,}  {table}")
    print("next: python -m ingestion load")


def _load(options: argparse.Namespace) -> None:  # noqa: ARG001
    from ingestion.load import load  # dlt takes seconds to import; extraction needs none of it

    settings = load_settings()
    for source in SOURCES:
        result = load(settings, source)
        print(f"{source.schema_name}: {result.units:,} new units")
        for table, rows in result.rows.items():
            print(f"  {rows:>12,}  {table}")
    print(f"warehouse: {settings.warehouse_path}")


def _prepare(options: argparse.Namespace) -> None:  # noqa: ARG001
    from ingestion.load import prepare

    prepare(load_settings(), SOURCES)


if __name__ == "__main__":
    sys.exit(main())
