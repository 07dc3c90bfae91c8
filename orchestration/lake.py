"""Lake assets: one per source, materialised by extracting what the lake does not hold yet."""

import logging
from collections import Counter
from collections.abc import Mapping
from datetime import datetime

import dagster as dg

from ingestion.config import SOURCE_VARIABLES, load_settings
from ingestion.extract import extract, require_few_bad_files
from ingestion.lake import shown_url
from ingestion.msd import MSD
from ingestion.source import FileSource, Source
from ingestion.sources import SPOTIFY
from orchestration.inputs import extract_sandbox_playlists, input_path

log = logging.getLogger(__name__)

SHARD_JOB = "msd_shards"


def lake_key(source: Source) -> dg.AssetKey:
    """The asset key of a source's part of the lake."""
    return dg.AssetKey(["lake", source.name])


def file_lake_asset(source: FileSource) -> dg.AssetsDefinition:
    """The lake's parts of one source."""

    @dg.asset(
        key=lake_key(source),
        group_name="lake",
        kinds={"parquet"},
        description=f"Parquet parts and done-records, extracted from ${SOURCE_VARIABLES[source.name]}.",
    )
    def parts(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
        settings = load_settings()
        path = input_path(settings, source.name)
        if path is None:
            context.log.info("%s is not set: nothing to extract", SOURCE_VARIABLES[source.name])
            return dg.MaterializeResult(metadata={"files": 0})
        if settings.is_sandbox:
            context.log.info("no source is configured: reading the sandbox at %s", path)
        result = extract(settings, source, path)
        return dg.MaterializeResult(
            metadata={
                "files": result.files,
                "units_extracted": result.units_extracted,
                "units_done_before": result.units_done_before,
                "quarantined": result.quarantined,
                "bad_files": result.bad_files,
                "archives": result.archives,
                "bad_archives": result.bad_archives,
                "source": dg.MetadataValue.path(shown_url(str(path))),
                **row_counts(result.rows),
            }
        )

    return parts


def msd_shard_job(shards: int) -> dg.JobDefinition:
    """A job that extracts one share of the songs: a partition per share, for as many machines.

    The lake takes what they write side by side; the whole graph then finds it extracted.
    """

    @dg.op(tags={"kind": "parquet"})
    def extract_share(context: dg.OpExecutionContext) -> None:
        settings = load_settings()
        path = input_path(settings, MSD.name)
        if path is None:
            raise dg.Failure(f"{SOURCE_VARIABLES[MSD.name]} is not set: nothing to extract")
        number = int(context.partition_key.partition("_")[0])
        result = extract(settings, MSD, path, (number, shards))
        context.add_output_metadata({"files": result.files, "bad_files": result.bad_files})
        require_few_bad_files(settings, result)

    @dg.job(
        name=SHARD_JOB,
        partitions_def=dg.StaticPartitionsDefinition([f"{n}_of_{shards}" for n in range(1, shards + 1)]),
        description="The songs among MSD_SHARDS runs, on as many machines: launch all partitions.",
    )
    def share_job() -> None:
        extract_share()

    return share_job


@dg.asset(
    key=lake_key(SPOTIFY),
    group_name="lake",
    kinds={"parquet"},
    description="Parquet parts, done-records and kept answers, extracted from Spotify's Web API.",
)
def spotify_lake_asset(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    """The lake's parts of the Web API."""
    # spotipy: only where needed
    from ingestion.spotify.authorisation import AuthorisationError
    from ingestion.spotify.run import extract_playlists, has_something_to_read, search_songs

    settings = load_settings()
    if settings.is_sandbox:
        context.log.info("no source is configured: asking the sandbox's Web API")
        return dg.MaterializeResult(metadata=row_counts(extract_sandbox_playlists(settings)))
    if settings.spotify is None:
        context.log.info("SPOTIPY_CLIENT_ID is not set: nothing to ask for")
        return dg.MaterializeResult(metadata={"playlists_read": 0})
    metadata, rows = {"playlists_read": 0}, Counter()
    try:
        if has_something_to_read(settings):
            result = extract_playlists(settings)
            rows += result.rows
            metadata |= {
                "playlists_seen": result.playlists_seen,
                "playlists_read": result.playlists_read,
                "playlists_failed": result.playlists_failed,
                "lists_failed": result.lists_failed,
                **_resume_at(result.resume_at),
            }
        elif not settings.spotify.search_songs:
            metadata |= _problem(
                context,
                "no user has authorised the app (python -m ingestion spotify login) and SPOTIFY_PLAYLIST_IDS "
                "is not set: nothing to ask for",
            )
    except AuthorisationError as error:  # what the other sources brought is built all the same
        metadata |= _problem(context, str(error))
    if settings.spotify.search_songs:
        try:
            found = search_songs(settings, settings.spotify.search_songs)
        except AuthorisationError as error:
            metadata |= _problem(context, str(error))
        else:
            rows += found.rows
            metadata |= {
                "songs_searched": found.songs_searched,
                "songs_found": found.songs_found,
                "songs_failed": found.songs_failed,
                **_resume_at(found.resume_at),
            }
            if found.is_off:
                metadata |= _problem(context, "this app may not search: off until access is probed again")
    return dg.MaterializeResult(metadata={**metadata, **row_counts(rows)})


def _resume_at(at: datetime | None) -> dict[str, dg.MetadataValue]:
    return {"resume_at": dg.MetadataValue.timestamp(at)} if at else {}


def _problem(context: dg.AssetExecutionContext, reason: str) -> dict[str, str]:
    context.log.warning(reason)
    log.warning("spotify: %s", reason)  # `make run` shows this one
    return {"problem": reason}


def row_counts(rows: Mapping[str, int]) -> dict[str, int]:
    """Rows per raw table as the metadata of a materialisation."""
    return {f"rows_{table}": count for table, count in rows.items()}
