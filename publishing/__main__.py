"""The operator's command: `python -m publishing`.

    publish    what dbt built, audited, as a new version that readers see from then on
    rollback   readers back to an earlier version, and held there
    resume     readers no longer held: the next publication is shown
    versions   what is kept, what is current
    reclaim    old versions removed

Settings come from the environment (`ingestion/config.py`). Exit status: 0 done, 1 not done (the lines say
why; readers keep what they have), 2 the command line is wrong.
"""

import argparse
import logging
import sys
from collections.abc import Sequence

from ingestion.config import Settings, load_settings
from ingestion.errors import IngestionError
from publishing.publish import publish, published_versions, reclaim, resume, rollback


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    options = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        options.run(load_settings(), options)
    except (IngestionError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m publishing", description="What readers see.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    command = commands.add_parser("publish", help="audit what dbt built, and have readers see it")
    command.add_argument(
        "--accept-changes",
        action="store_true",
        help="also if rows, columns or sources differ from the current version beyond their bounds",
    )
    command.set_defaults(run=_publish)
    command = commands.add_parser("rollback", help="have readers see an earlier version, and hold them there")
    command.add_argument(
        "--to", type=_version, metavar="VERSION", help="v000012 or 12; default: the one before"
    )
    command.set_defaults(run=_rollback)
    commands.add_parser("resume", help="let the next publication be shown again").set_defaults(run=_resume)
    commands.add_parser("versions", help="list what is kept").set_defaults(run=_versions)
    command = commands.add_parser("reclaim", help="remove old versions")
    command.add_argument(
        "--keep", type=int, metavar="N", help="how many to keep (default: $WAREHOUSE_KEEP_VERSIONS)"
    )
    command.set_defaults(run=_reclaim)
    return parser


def _version(text: str) -> int:
    return int(text.removeprefix("v"))


def _publish(settings: Settings, options: argparse.Namespace) -> None:
    result = publish(settings, accept_changes=options.accept_changes)
    if result.held_since:
        print(
            f"Not published: readers are held at {result.manifest.name} since "
            f"{result.held_since:%Y-%m-%d %H:%M} UTC by a rollback; python -m publishing resume lets them go."
        )
    elif result.is_new:
        print(f"Readers see {result.manifest.name}.")
    else:
        print(f"Nothing was built since {result.manifest.name}: readers keep it.")


def _rollback(settings: Settings, options: argparse.Namespace) -> None:
    manifest = rollback(settings, options.to)
    print(f"Readers see {manifest.name}, of {manifest.created_at:%Y-%m-%d %H:%M} UTC, and are held there.")
    print("What is built is not shown before: python -m publishing resume")


def _resume(settings: Settings, _: argparse.Namespace) -> None:
    resume(settings)
    print("The next publication is shown.")


def _versions(settings: Settings, _: argparse.Namespace) -> None:
    kept, current, held_since = published_versions(settings)
    for manifest in kept:
        mark = "  current" if current and manifest.version == current.version else ""
        print(
            f"{manifest.name}  {manifest.created_at:%Y-%m-%d %H:%M} UTC  release {manifest.release}"
            f"  {sum(manifest.rows.values()):>12,} rows{mark}"
        )
    if not kept:
        print("Nothing was published yet.")
    if held_since:
        print(f"Readers are held at {current.name} since {held_since:%Y-%m-%d %H:%M} UTC.")


def _reclaim(settings: Settings, options: argparse.Namespace) -> None:
    keep = settings.keep_versions if options.keep is None else options.keep
    for manifest in reclaim(settings, keep):
        print(f"{manifest.name} is removed.")


if __name__ == "__main__":
    sys.exit(main())
