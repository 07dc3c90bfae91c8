"""The operator's command: `python -m ingestion`.

    msd PATH              Million Song Dataset files into the lake: a folder, an archive, s3://bucket/prefix
    msd-arrays PATH       their arrays (segments, beats and so on), into the lake alone
    msd-subset            the dataset's subset archive, from its address to this disk
    playlist-files PATH   playlist files into the lake
    reference-files PATH  side files of the Million Song Dataset into the lake
    spotify [ID ...]      playlists of the Web API into the lake
    spotify login         authorise the app to read a user's playlists, once
    spotify plan [N]      what N playlists cost, in requests and days
    spotify search [N]    songs without a match searched for, N at most, into the lake
    load                  what is new in the lake into the warehouse
    retain                rows that have had their time, out of lake and warehouse
    purge                 a person's data, out of lake and warehouse
    prepare               the raw tables that do not exist yet, empty

Settings come from the environment (`ingestion/config.py`). Exit status: 0 done, 1 not
done (one line says why), 2 the command line is wrong, 3 partial: a limit was reached, run
again later.
"""

import argparse
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ingestion.config import (
    LIST_MARK,
    RETENTION_DAYS,
    SOURCE_VARIABLES,
    Settings,
    load_settings,
    location,
    retention_variable,
)
from ingestion.errors import BadInputError, ConfigError, IngestionError
from ingestion.extract import extract, require_few_bad_files
from ingestion.lake import shown_url
from ingestion.msd import MSD
from ingestion.msd.arrays import MSD_ARRAYS, MSD_ARRAYS_FLOAT64
from ingestion.sources import FILE_SOURCES, SOURCES

if TYPE_CHECKING:
    from ingestion.spotify.extract import Run

DONE, FAILED, PARTIAL = 0, 1, 3

SPOTIFY = "spotify"
LOGIN, PLAN, SEARCH = (f"{SPOTIFY} {verb}" for verb in ("login", "plan", "search"))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if " ".join(words[:2]) in (LOGIN, PLAN, SEARCH):
        words[:2] = [" ".join(words[:2])]
    options = _parser().parse_args(words)
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    try:
        return options.run(options) or DONE
    except (IngestionError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return FAILED


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m ingestion", description="Extract to the lake; load from it."
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for source in FILE_SOURCES:
        variable = SOURCE_VARIABLES[source.name]
        command = commands.add_parser(
            source.name.replace("_", "-"), help=f"files below PATH (default: ${variable}) into the lake"
        )
        if source is MSD:
            _add_place(command)
        else:
            command.add_argument("path", nargs="?", help="a file or a folder")
            _add_shard(command)
        command.set_defaults(run=_extract, source=source, configured_as=source.name)
        if source is MSD:
            _add_arrays(commands)
    subset = commands.add_parser("msd-subset", help="download the subset archive of the Million Song Dataset")
    subset.add_argument(
        "--to", type=Path, default=Path(), metavar="FOLDER", help="where to put it (default: here)"
    )
    subset.add_argument("--sha256", metavar="HEX", help="the checksum that it must have")
    subset.set_defaults(run=_msd_subset)
    _add_spotify(commands)
    commands.add_parser("load", help="what is new in the lake into the warehouse").set_defaults(run=_load)
    commands.add_parser(
        "retain",
        help="remove rows not confirmed for as many days as are set for their source "
        f"(${', $'.join(map(retention_variable, RETENTION_DAYS))})",
    ).set_defaults(run=_retain)
    purge = commands.add_parser("purge", help="remove a person's data from lake and warehouse, and count it")
    purge.add_argument("--spotify-user", required=True, metavar="ID", help="the person's Spotify user id")
    purge.set_defaults(run=_purge)
    commands.add_parser("prepare", help="create the raw tables that do not exist yet").set_defaults(
        run=_prepare
    )
    return parser


def _add_place(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "path", nargs="?", help="a folder, a song file, an archive (.tar, .tar.gz) or s3://bucket/prefix"
    )
    command.add_argument(
        "--files-from",
        metavar="FILE",
        help="the files or archives named in FILE, one a line, local or s3://bucket/key (-: standard input)",
    )
    _add_shard(command)


def _add_arrays(commands) -> None:
    command = commands.add_parser(
        "msd-arrays", help="the songs' arrays into the lake alone, to be queried there (docs/song-arrays.md)"
    )
    _add_place(command)
    command.add_argument(
        "--float64",
        dest="source",
        action="store_const",
        const=MSD_ARRAYS_FLOAT64,
        default=MSD_ARRAYS,
        help="all numbers as the files hold them, into a folder of their own",
    )
    command.set_defaults(run=_extract, configured_as=MSD.name)


def _add_spotify(commands) -> None:
    command = commands.add_parser(
        SPOTIFY, help="playlists of the Web API, by id or the user's own, into the lake"
    )
    command.add_argument(
        "ids",
        nargs="*",
        metavar="ID",
        help="a playlist's id, URI or link (default: the file $SPOTIFY_PLAYLIST_IDS, "
        "else the playlists of the user who authorised the app)",
    )
    command.add_argument(
        "--bucket",
        metavar="NAME",
        help="the lake is this S3 bucket; it is made if it is missing "
        "(takes s3:CreateBucket, s3:PutBucketPublicAccessBlock, s3:PutEncryptionConfiguration "
        "and s3:DeleteBucket)",
    )
    command.add_argument(
        "--from-archive",
        action="store_true",
        help="make the rows anew of all answers kept in the lake; asks Spotify for nothing",
    )
    _add_shard(command)
    command.set_defaults(run=_spotify)
    login = commands.add_parser(LOGIN, help="authorise the app to read a user's playlists, once")
    login.add_argument(
        "--paste",
        action="store_true",
        help="on a machine without a browser: paste the address that a browser elsewhere ended at",
    )
    login.set_defaults(run=_spotify_login)
    plan = commands.add_parser(PLAN, help="requests and days that N playlists cost, before any is spent")
    plan.add_argument(
        "playlists", nargs="?", type=_count, metavar="N", help="default: those in $SPOTIFY_PLAYLIST_IDS"
    )
    plan.add_argument("--tracks", type=_count, default=65, help="tracks in a playlist (default: 65)")
    plan.add_argument(
        "--changed", type=_share, default=0.02, help="share of playlists that change in a day (default: 0.02)"
    )
    plan.set_defaults(run=_spotify_plan)
    search = commands.add_parser(
        SEARCH, help="search for songs that dbt has left without a match, most popular first, into the lake"
    )
    search.add_argument(
        "songs",
        nargs="?",
        type=_count,
        metavar="N",
        help="at most so many (default: as many as $SPOTIFY_DAILY_REQUESTS has requests for)",
    )
    _add_shard(search)
    search.set_defaults(run=_spotify_search)


def _add_shard(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--shard", type=_shard, default=(1, 1), metavar="I/N", help="only the I-th of N shares of the work"
    )


def _shard(text: str) -> tuple[int, int]:
    index, _, count = text.partition("/")
    if not (index.isdigit() and count.isdigit() and 1 <= int(index) <= int(count)):
        raise argparse.ArgumentTypeError(f"{text!r} is not I/N with 1 <= I <= N")
    return int(index), int(count)


def _count(text: str) -> int:
    digits = text.replace(",", "").replace("_", "")
    if not (digits.isascii() and digits.isdigit() and int(digits) > 0):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return int(digits)


def _share(text: str) -> float:
    try:
        share = float(text)
    except ValueError:
        share = -1
    if not 0 <= share <= 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a share from 0 to 1")
    return share


def _extract(options: argparse.Namespace) -> None:
    source = options.source
    variable = SOURCE_VARIABLES[options.configured_as]
    environment = dict(os.environ)
    named = getattr(options, "files_from", None)
    if named and options.path:
        raise ConfigError("PATH and --files-from exclude each other")
    if options.path or named:
        text, called = (options.path, "PATH") if options.path else (f"{LIST_MARK}{named}", "--files-from")
        environment[variable] = str(location(options.configured_as, text, called))
    settings = load_settings(environment)
    if options.configured_as not in settings.source_paths:
        raise ConfigError(f"give a PATH, or set {variable}")
    result = extract(settings, source, settings.source_paths[options.configured_as], options.shard)
    units = result.units_extracted + result.units_done_before
    archives = f"; archives: {result.archives:,}" if result.archives else ""
    print(
        f"{source.name}: {result.files:,} files in {units:,} units, "
        f"{result.units_done_before:,} done before{archives}"
    )
    if result.bad_files:
        print(f"quarantined: {result.bad_files:,} files ({result.bad_share:.2%})")
    for problem in result.bad_archives:
        print(f"quarantined: {problem}")
    _print_new_rows(settings, result.rows, is_loaded=bool(source.tables))
    require_few_bad_files(settings, result)
    if result.files and result.bad_files == result.files:
        raise BadInputError(f"{source.name}: none of the {result.files:,} files could be read")


def _msd_subset(options: argparse.Namespace) -> None:
    from ingestion.msd.download import download

    path = download(load_settings().msd_subset_url, options.to.expanduser(), options.sha256)
    print(path)
    print(f"next: python -m ingestion msd {path}")


def _spotify(options: argparse.Namespace) -> int:
    from ingestion.spotify.ids import playlist_ids
    from ingestion.spotify.run import configured_app, extract_playlists

    if options.from_archive:
        if options.ids or options.shard != (1, 1):
            raise ConfigError("--from-archive makes all rows anew: it takes no ids and no --shard")
        return _spotify_from_archive(options)
    ids = playlist_ids(options.ids) if options.ids else None
    settings = _lake_settings(options)
    configured_app(settings)
    if options.bucket:
        from ingestion.bucket import make_bucket_if_missing

        make_bucket_if_missing(options.bucket)
    result = extract_playlists(settings, ids, options.shard)
    print(
        f"spotify: {result.playlists_seen:,} playlists looked at, {result.playlists_read:,} read, "
        f"{result.playlists_failed:,} failed"
    )
    if result.lists_failed:
        print("the list of your playlists could not be read to its end: the rest is left for the next run")
    _print_new_rows(settings, result.rows)
    return _print_end(result) or (FAILED if result.problems else DONE)


def _print_end(result: "Run") -> int:
    """Say how a run ended before its work did; gives the exit status, 0 where it did not."""
    if result.resume_at is None:
        return DONE
    print(f"partial: {result.stopped_by}; run again after {result.resume_at:%Y-%m-%d %H:%M} UTC")
    return PARTIAL


def _spotify_from_archive(options: argparse.Namespace) -> int:
    from ingestion.spotify.reparse import reparse

    settings = _lake_settings(options)
    result = reparse(settings, settings.hash_user)
    print(f"spotify: rows of {result.units:,} units made anew")
    _print_new_rows(settings, result.rows)
    return DONE


def _lake_settings(options: argparse.Namespace) -> Settings:
    """The settings, with the bucket that the command names as the lake."""
    environment = dict(os.environ)
    if options.bucket:
        environment["WAREHOUSE_LAKE_URL"] = f"s3://{options.bucket}"
    return load_settings(environment)


def _spotify_login(options: argparse.Namespace) -> None:
    from ingestion.spotify.run import authorise

    authorise(load_settings(), options.paste, print)


def _spotify_search(options: argparse.Namespace) -> int:
    from ingestion.spotify.run import search_songs

    settings = load_settings()
    result = search_songs(settings, options.songs, options.shard)
    print(
        f"spotify: {result.songs_searched:,} songs searched for, {result.songs_found:,} found, "
        f"{result.songs_failed:,} failed"
    )
    _print_new_rows(settings, result.rows)
    if result.is_off:
        print("this app may not search: off until access is probed again, in a week at most")
    return _print_end(result) or (FAILED if result.songs_failed or result.is_off else DONE)


def _spotify_plan(options: argparse.Namespace) -> None:
    from ingestion.spotify.plan import shown
    from ingestion.spotify.run import ids_in_file

    spotify = load_settings().spotify
    playlists = options.playlists
    if playlists is None:
        if spotify is None or spotify.playlist_ids is None:
            raise ConfigError("give the number of playlists, or set SPOTIFY_PLAYLIST_IDS")
        playlists = max(1, len(ids_in_file(spotify.playlist_ids)))
    print(shown(playlists, options.tracks, options.changed, spotify.daily_requests if spotify else None))


def _print_new_rows(settings: Settings, rows: Mapping[str, int], is_loaded: bool = True) -> None:
    print(f"new in the lake {shown_url(settings.lake_url)}:")
    for table, count in rows.items():
        print(f"  {count:>12,}  {table}")
    lake = f"WAREHOUSE_LAKE_URL={shown_url(settings.lake_url)} " if "://" in settings.lake_url else ""
    print(
        f"next: {lake}python -m ingestion load" if is_loaded else "next: query them, see docs/song-arrays.md"
    )


def _load(options: argparse.Namespace) -> None:  # noqa: ARG001
    from ingestion.load import load  # dlt takes seconds to import; extraction needs none of it

    settings = load_settings()
    for source in SOURCES:
        result = load(settings, source)
        print(f"{source.schema_name}: {result.units:,} new units")
        for table, rows in result.rows.items():
            print(f"  {rows:>12,}  {table}")
    print(f"warehouse: {settings.warehouse_name}")


def _retain(options: argparse.Namespace) -> None:  # noqa: ARG001
    from ingestion.retention import retain

    settings = load_settings()
    for source in (source for source in SOURCES if source.name in RETENTION_DAYS):
        result = retain(settings, source, settings.retention_days[source.name])
        if result.cutoff_on is None:
            why = "this is the sandbox" if settings.is_sandbox else retention_variable(source.name)
            print(f"{source.schema_name}: everything stays ({why})")
            continue
        print(f"{source.schema_name}: removed what was not confirmed since {result.cutoff_on}")
        if result.playlists_held:
            print(
                f"  but for {result.playlists_held:,} playlists whose changes `dbt build` has not derived yet"
            )
        for table, count in result.rows.items():
            print(f"  {count:>12,}  {table}")
        if result.archive_entries:
            print(f"  {result.archive_entries:>12,}  answers of the archive")
    print("next: dbt build")


def _purge(options: argparse.Namespace) -> None:
    from ingestion.purge import purge_user

    result = purge_user(load_settings(), options.spotify_user)
    print("rows that name the user, before and after:")
    for place, count in result.before.items():
        print(f"  {place:<8} {count:>10,} {result.after[place]:>10,}")
    if result.files:
        print("files that name the user stay as they are, and would bring the rows back:")
        for file in result.files:
            print(f"  {file}")
    if result.unknown_files:
        print("files whose rows retention has removed, so that nobody knows whether they name the user:")
        for file in result.unknown_files:
            print(f"  {file}")
    if result.token:
        print(f"if this user authorised the app, remove {result.token}, or the next run reads them again")


def _prepare(options: argparse.Namespace) -> None:  # noqa: ARG001
    from ingestion.load import prepare

    prepare(load_settings(), SOURCES)


if __name__ == "__main__":
    sys.exit(main())
