"""Songs and tracks to be matched, few or those of a made-up world, and what is found of them."""

from collections.abc import Iterable, Mapping
from pathlib import Path

import duckdb
import pyarrow as pa

from ingestion.config import Settings, load_settings
from ingestion.progress import Progress
from matching.candidates import find_candidates
from matching.catalogue import read_catalogue
from matching.features import SongFeatures, artist_candidates
from matching.reading import CREDITS, FOUND, SONGS, TRACKS, Input
from matching.run import searched
from sandbox.world import World

TABLES = {
    "intermediate.int_songs_enriched": SONGS,
    "intermediate.int_tracks_deduplicated": TRACKS,
    "intermediate.int_track_artists_unioned": CREDITS,
    "staging.stg_spotify__track_search_results": FOUND,
}

Rows = list[dict]


def song(id_: str, title: str | None = "Song", artist: str | None = "Artist", **others) -> dict:
    """A song of 200 seconds on the release "Album" of 1990."""
    row = {"msd_track_id": id_, "msd_artist_id": f"AR {artist}", "title": title, "artist_name": artist}
    return {**row, "release_name": "Album", "release_year": 1990, "duration_seconds": 200.0} | others


def track(id_: str, title: str | None = "Song", artist: str | None = "Artist", **others) -> dict:
    """A track of 200 seconds on the release "Album" of 1990, known to the Web API."""
    row = {"track_key": id_, "artist_key": f"key of {artist}", "spotify_track_id": id_, "title": title}
    row |= {"artist_name": artist, "isrc": None}
    return {**row, "release_name": "Album", "release_year": 1990, "duration_seconds": 200.0} | others


def of_world(world: World) -> dict[str, Rows]:
    """All songs of a world, and all its tracks that have a title, by table."""
    artists = world.spotify_artists
    tracks = [track for track in world.tracks.values() if track.name]
    songs = [
        song(
            each.track_id,
            each.title,
            each.artist_name,
            msd_artist_id=each.artist.artist_id,
            release_name=each.release,
            release_year=each.year or None,
            duration_seconds=each.duration,
        )
        for each in world.songs
    ]
    return dict(
        zip(
            TABLES,
            (
                songs,
                [
                    track(
                        each.track_id,
                        each.name,
                        artists[each.artist_ids[0]].name,
                        artist_key=each.artist_ids[0],
                        isrc=each.isrc,
                        release_name=world.albums[each.album_id].name,
                        release_year=int(world.albums[each.album_id].release_date[:4]) or None,
                        duration_seconds=each.duration_ms / 1000,
                    )
                    for each in tracks
                ],
                [
                    {"spotify_track_id": each.track_id, "artist_name": artists[id_].name}
                    for each in tracks
                    for id_ in each.artist_ids
                ],
                [],
            ),
            strict=True,
        )
    )


def tables(songs: Rows = (), tracks: Rows = (), credits: Rows = (), found: Rows = ()) -> dict[str, Rows]:
    """Rows by the table that they stand in."""
    return dict(zip(TABLES, (songs, tracks, credits, found), strict=True))


class Found:
    """What was found of some rows: candidates by song and track, pairs of artists with their similarity."""

    def __init__(self, rows: Mapping[str, Iterable[dict]]) -> None:
        given = Input(*(pa.Table.from_pylist(list(rows[name]), schema=TABLES[name]) for name in TABLES))
        with Progress("match", None, "texts") as progress:
            catalogue = read_catalogue(given, progress)
            candidates = find_candidates(catalogue, searched(given), progress)
        self.skipped = candidates.skipped
        self.pairs = {
            (row["msd_track_id"], row["track_key"]): row
            for batch in SongFeatures(given, catalogue, candidates).rows()
            for row in batch.to_pylist()
        }
        self.artists = {
            (row["msd_artist_id"], row["artist_key"]): row["name_similarity"]
            for row in artist_candidates(given, catalogue, candidates.names).to_pylist()
        }


def lake_settings(data_dir: Path) -> Settings:
    """Settings of an empty DuckDB warehouse that is not the sandbox's."""
    return load_settings({"WAREHOUSE_DATA_DIR": str(data_dir), "WAREHOUSE_LAKE_URL": str(data_dir / "lake")})


def build(settings: Settings, rows: Mapping[str, Rows]) -> None:
    """Make the tables that matching reads, in the embedded warehouse, with these rows in this order."""
    settings.home.mkdir(parents=True, exist_ok=True)
    with duckdb.connect(str(settings.warehouse_path)) as connection:
        for name, schema in TABLES.items():
            connection.execute(f"create schema if not exists {name.partition('.')[0]}")
            connection.register("rows", pa.Table.from_pylist(list(rows[name]), schema=schema))
            connection.execute(f"create or replace table {name} as from rows")
            connection.unregister("rows")
